/* SPDX-License-Identifier: MIT
 * Descriptors and gates, field by field.
 */
#include "trace/view/descriptor_fields.h"

#include "trace/descriptor_words.h"
#include "trace/words.h"

typedef unsigned long long ull;

/* SDM 3A, "Code- and Data-Segment Types". */
static void segment_lines(FILE *out, const struct descriptor *d)
{
    bool code = d->type & SEG_CODE;

    fprintf(out, "    type      %x, ", d->type);
    if (code)
        fprintf(out, "%s, %s%s", words_descriptor_type(d, false),
                d->type & SEG_READABLE ? "execute and read" : "execute only",
                d->type & SEG_CONFORMING ? ", conforming" : "");
    else
        fprintf(out, "data, %s%s, %s stack", d->type & SEG_WRITABLE ? "read and write" : "read only",
                d->type & SEG_EXPAND_DOWN ? ", expand-down" : "", d->attr & SEG_DB ? "32-bit" : "16-bit");
    fprintf(out, ", %s\n", d->type & SEG_ACCESSED ? "accessed" : "not accessed yet");
    fprintf(out, "    base      %llx%s\n", (ull)d->base, code && d->attr & SEG_L ? " (ignored in 64-bit mode)" : "");
    fprintf(out, "    limit     %x%s\n", d->limit, d->attr & SEG_G ? " (G=1: counted in pages)" : "");
}

static bool is_table(u8 type)
{
    return type == SYS_LDT || (type & ~SYS_BUSY_BIT) == SYS_TSS16 || (type & ~SYS_BUSY_BIT) == SYS_TSS;
}

static void gate_lines(FILE *out, const struct names *names, const struct descriptor *d, bool long_mode)
{
    char symbol[NAMES_LONGEST];

    fprintf(out, "    selector  %04x (entry %u of the %s, RPL %u)\n", d->selector, d->selector >> 3,
            d->selector & SELECTOR_TI ? "LDT" : "GDT", d->selector & SELECTOR_RPL);
    if (d->type == SYS_TASK_GATE)
        return;
    fprintf(out, "    offset    %llx", (ull)d->offset);
    if (names && names_format(names, d->offset, symbol, sizeof symbol))
        fprintf(out, " <%s>", symbol);
    fputc('\n', out);
    if (d->type == SYS_INTERRUPT_GATE || d->type == SYS_TRAP_GATE) {
        if (long_mode)
            fprintf(out, "    IST       %u%s\n", d->ist, d->ist ? "" : " (no stack of its own)");
    } else if (!long_mode && (d->type == SYS_CALL_GATE || d->type == SYS_CALL_GATE16)) {
        fprintf(out, "    words     %u copied from the caller's stack\n", d->parameters);
    }
}

void descriptor_print_fields(FILE *out, const struct names *names, u64 address, const u8 *bytes, u32 size,
                             bool long_mode)
{
    bool wide = size >= 16;
    struct descriptor d;

    if (size < 8) {
        fprintf(out, "    at %llx: only %u bytes were kept\n", (ull)address, size);
        return;
    }
    d = wide ? descriptor_parse_wide(load_le64(bytes), load_le64(bytes + 8)) : descriptor_parse(load_le64(bytes));
    fprintf(out, "    at %llx: ", (ull)address);
    words_raw(out, &d, wide ? 16 : 8);
    fputc('\n', out);
    if (d.code_or_data) {
        segment_lines(out, &d);
    } else {
        fprintf(out, "    type      %x, %s\n", d.type, words_descriptor_type(&d, long_mode));
        if (is_table(d.type))
            fprintf(out, "    base      %llx\n    limit     %x\n", (ull)d.base, d.limit);
        else
            gate_lines(out, names, &d, long_mode);
    }
    fprintf(out, "    DPL       %u\n    present   %s\n", d.dpl, d.present ? "yes" : "no");
}
