/* SPDX-License-Identifier: MIT
 * Descriptors and paging entries in words. SDM 3A, "Segment Descriptors", "System Descriptor Types"; tables "Format of
 * a ... Entry".
 */
#include "trace/descriptor_words.h"

#include "mmu/entry.h"

typedef unsigned long long ull;

void words_selector(FILE *out, u16 selector)
{
    fprintf(out, "%s %04x", selector & SELECTOR_TI ? "LDT" : "GDT", selector & 0xFFF8);
}

void words_raw(FILE *out, const struct descriptor *d, unsigned bytes)
{
    if (bytes == 16)
        fprintf(out, "%016llx ", (ull)d->raw_high);
    if (bytes == 4)
        fprintf(out, "%08llx", (ull)d->raw);
    else
        fprintf(out, "%016llx", (ull)d->raw);
}

const char *words_descriptor_type(const struct descriptor *d, bool long_mode)
{
    static const char *const legacy[16] = {
        "no descriptor (type 0)",
        "16-bit TSS",
        "LDT",
        "busy 16-bit TSS",
        "16-bit call gate",
        "task gate",
        "16-bit interrupt gate",
        "16-bit trap gate",
        "reserved (type 8)",
        "32-bit TSS",
        "reserved (type 10)",
        "busy 32-bit TSS",
        "32-bit call gate",
        "reserved (type 13)",
        "32-bit interrupt gate",
        "32-bit trap gate",
    };
    static const char *const wide[16] = {
        "no descriptor (type 0)",
        "reserved (type 1)",
        "LDT",
        "reserved (type 3)",
        "reserved (type 4)",
        "reserved (type 5)",
        "reserved (type 6)",
        "reserved (type 7)",
        "reserved (type 8)",
        "64-bit TSS",
        "reserved (type 10)",
        "busy 64-bit TSS",
        "64-bit call gate",
        "reserved (type 13)",
        "64-bit interrupt gate",
        "64-bit trap gate",
    };

    if (!d->code_or_data)
        return (long_mode ? wide : legacy)[d->type & 15];
    if (!descriptor_is_code(d))
        return "data";
    if (d->attr & SEG_L)
        return d->attr & SEG_DB ? "code with both L and D" : "64-bit code";
    return d->attr & SEG_DB ? "32-bit code" : "16-bit code";
}

static bool is_gate(const struct descriptor *d)
{
    switch (d->type) {
    case SYS_CALL_GATE16:
    case SYS_TASK_GATE:
    case SYS_INTERRUPT_GATE16:
    case SYS_TRAP_GATE16:
    case SYS_CALL_GATE:
    case SYS_INTERRUPT_GATE:
    case SYS_TRAP_GATE: return !d->code_or_data;
    default: return false;
    }
}

static void segment_words(FILE *out, const struct descriptor *d, bool long_mode)
{
    if (descriptor_is_code(d))
        fprintf(out, ", %s%s", descriptor_is_conforming(d) ? "conforming, " : "",
                descriptor_is_readable(d) ? "readable" : "execute-only");
    else if (d->code_or_data)
        fprintf(out, ", %s%s", d->type & SEG_EXPAND_DOWN ? "expand-down, " : "",
                descriptor_is_writable(d) ? "writable" : "read-only");
    if (d->code_or_data && (d->type & SEG_ACCESSED))
        fputs(", accessed", out);
    if (!(long_mode && d->code_or_data))
        fprintf(out, ", base %llx, limit %x", (ull)d->base, d->limit);
}

void words_descriptor(FILE *out, const struct descriptor *d, bool long_mode)
{
    bool gate = is_gate(d);

    fputs(words_descriptor_type(d, long_mode), out);
    if (!d->code_or_data && d->type == 0)
        return;
    fprintf(out, ", DPL %u, %s", d->dpl, d->present ? "present" : "NOT present");
    if (!gate) {
        segment_words(out, d, long_mode);
        return;
    }
    if (d->type == SYS_TASK_GATE)
        fprintf(out, ", to TSS %04x", d->selector);
    else
        fprintf(out, ", to %04x:%llx", d->selector, (ull)d->offset);
    if (long_mode && d->ist)
        fprintf(out, ", IST %u", d->ist);
}

void words_paging_entry(FILE *out, u64 entry, unsigned level, bool leaf, unsigned paging_levels)
{
    bool pointer = paging_levels == 3 && level == 3; /* PAE's carries no rights */

    if (!(entry & PTE_P)) {
        fputs("NOT present", out);
        return;
    }
    fputs("present", out);
    if (!pointer)
        fprintf(out, ", %s, %s%s", entry & PTE_W ? "writable" : "read-only", entry & PTE_U ? "user" : "supervisor",
                entry & PTE_A ? ", accessed" : "");
    if (leaf)
        fprintf(out, "%s%s", entry & PTE_D ? ", dirty" : "", entry & PTE_G ? ", global" : "");
    if (paging_levels > 2 && (entry & PTE_NX))
        fputs(", no execute", out);
    if (leaf && level > 1)
        fprintf(out, ", a page of %s", level == 3 ? "1 GiB" : paging_levels == 2 ? "4 MiB" : "2 MiB");
}
