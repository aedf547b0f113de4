/* SPDX-License-Identifier: MIT
 * What was kept of the guest's memory beside an event: gate, descriptor and TSS by their fields, the rest as bytes.
 */
#include "trace/view/show_data.h"

#include "trace/disassemble.h"
#include "trace/fault/page.h"
#include "trace/view/descriptor_fields.h"
#include "trace/words.h"

typedef unsigned long long ull;

#define DUMP_MAX 4096u /* bytes of one piece that are printed */

void show_collect(struct trace_reader *r, u64 id, struct pieces *pieces)
{
    const struct data_piece *p;
    u64 found;

    trace_reader_seek(r, id);
    if (!trace_reader_next(r, NULL, &found) || found != id)
        return;
    for (size_t i = 0; (p = trace_reader_data(r, i)) != NULL; i++)
        pieces_add(pieces, (enum data_kind)p->kind, p->event, p->address, p->bytes, p->size);
}

static void dump(FILE *out, const struct data_piece *p)
{
    u32 size = p->size < DUMP_MAX ? p->size : DUMP_MAX;

    for (u32 at = 0; at < size; at += 16) {
        fprintf(out, "    %016llx  ", (ull)(p->address + at));
        for (u32 i = at; i < at + 16; i++)
            if (i < size)
                fprintf(out, "%02x%s", p->bytes[i], i % 16 == 7 ? "  " : " ");
            else
                fprintf(out, "   %s", i % 16 == 7 ? " " : "");
        fprintf(out, " |");
        for (u32 i = at; i < at + 16 && i < size; i++)
            fputc(p->bytes[i] >= 0x20 && p->bytes[i] < 0x7F ? p->bytes[i] : '.', out);
        fprintf(out, "|\n");
    }
    if (size < p->size)
        fprintf(out, "    (%u more bytes are in the recording)\n", p->size - size);
}

static void backtrace(FILE *out, const struct names *names, const struct data_piece *p)
{
    for (u32 i = 0; i + 8 <= p->size; i += 8) {
        u64 address = load_le64(p->bytes + i);
        char symbol[NAMES_LONGEST];

        fprintf(out, "    %016llx  %s\n", (ull)address,
                names_format(names, address, symbol, sizeof symbol) ? symbol : "");
    }
}

/* Words, with the symbol that each may point to: a stack, or the TSS. */
static void word_lines(FILE *out, const struct names *names, const struct data_piece *p, unsigned bytes)
{
    for (u32 i = 0; i + bytes <= p->size && i < DUMP_MAX; i += bytes) {
        u64 word = bytes == 8 ? load_le64(p->bytes + i) : load_le32(p->bytes + i);
        char symbol[NAMES_LONGEST];

        fprintf(out, "    %016llx  %0*llx  %s\n", (ull)(p->address + i), (int)bytes * 2, (ull)word,
                names_format(names, word, symbol, sizeof symbol) ? symbol : "");
    }
}

static void code(FILE *out, const struct data_piece *p, enum cpu_mode mode)
{
    char text[160];
    unsigned length = disassemble(text, sizeof text, p->bytes, p->size, p->address, mode);

    fprintf(out, "    %016llx ", (ull)p->address);
    for (u32 i = 0; i < p->size && i < (length ? length : 15); i++)
        fprintf(out, " %02x", p->bytes[i]);
    fprintf(out, "  %s\n", length ? text : "(not a whole instruction)");
}

static void walk_lines(FILE *out, const struct data_piece *p)
{
    struct fault_step step = {.pieces = 1};

    step.piece[0] = (struct fault_piece){DATA_WALK, p->address, p->size, (u8 *)p->bytes};
    fault_page_walk(out, &step);
}

static void processor(FILE *out, const struct data_piece *p)
{
    static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    struct fault_registers r;

    if (p->size != sizeof r) {
        fprintf(out, "    (of another version: %u bytes)\n", p->size);
        return;
    }
    memcpy(&r, p->bytes, sizeof r);
    for (unsigned i = 0; i < 16; i++)
        fprintf(out, "    %-4s %016llx%s", names[i], (ull)r.gpr[i], i % 4 == 3 ? "\n" : "");
    fprintf(out, "    cr0 %llx  cr2 %llx  cr3 %llx  cr4 %llx  efer %llx\n", (ull)r.cr0, (ull)r.cr2, (ull)r.cr3,
            (ull)r.cr4, (ull)r.efer);
    fprintf(out, "    gdtr %llx, limit %x   idtr %llx, limit %x\n", (ull)r.gdtr_base, r.gdtr_limit, (ull)r.idtr_base,
            r.idtr_limit);
}

static void print_piece(FILE *out, const struct names *names, const struct data_piece *p, const struct event_record *e)
{
    bool long_mode = e->to_mode == MODE_LONG || e->to_mode == MODE_COMPAT32 || e->to_mode == MODE_COMPAT16;
    unsigned word = long_mode ? 8 : 4;

    switch ((enum data_kind)p->kind) {
    case DATA_MEMORY_IN:
        fprintf(out, "\n  memory at the entry, %u bytes\n", p->size);
        dump(out, p);
        break;
    case DATA_MEMORY_OUT:
        fprintf(out, "\n  memory at the return, %u bytes\n", p->size);
        dump(out, p);
        break;
    case DATA_GATE:
        fprintf(out, "\n  gate in the IDT\n");
        descriptor_print_fields(out, names, p->address, p->bytes, p->size, long_mode);
        break;
    case DATA_DESCRIPTOR:
        fprintf(out, "\n  descriptor\n");
        descriptor_print_fields(out, names, p->address, p->bytes, p->size, long_mode);
        break;
    case DATA_STACK:
        fprintf(out, "\n  stack\n");
        word_lines(out, names, p, word);
        break;
    case DATA_FRAME:
        fprintf(out, "\n  memory where the frame was to stand, as it was found\n");
        word_lines(out, names, p, word);
        break;
    case DATA_TSS:
        fprintf(out, "\n  TSS, the words used\n");
        word_lines(out, names, p, word);
        break;
    case DATA_BACKTRACE:
        if (p->size <= 8) /* the instruction itself: its callers are not known */
            break;
        fprintf(out, "\n  functions, innermost first\n");
        backtrace(out, names, p);
        break;
    case DATA_CODE:
        fprintf(out, "\n  instruction\n");
        code(out, p, (enum cpu_mode)e->from_mode);
        break;
    case DATA_SIGNAL:
        fprintf(out, "\n  signal frame: RIP and RAX of what it interrupted\n");
        word_lines(out, names, p, 8);
        break;
    case DATA_WALK:
        fprintf(out, "\n  page walk of %llx\n", (ull)p->address);
        walk_lines(out, p);
        break;
    case DATA_REGISTERS:
        fprintf(out, "\n  processor\n");
        processor(out, p);
        break;
    default:
        fprintf(out, "\n  data of kind %u, %u bytes\n", p->kind, p->size);
        dump(out, p);
        break;
    }
}

void show_data(FILE *out, struct trace_reader *r, u64 id, const struct event_record *e)
{
    const struct names *names = trace_reader_names(r);
    struct pieces pieces = {0};

    show_collect(r, id, &pieces);
    for (size_t i = 0; i < pieces.count; i++) {
        struct data_piece p = pieces_get(&pieces, i);

        print_piece(out, names, &p, e);
    }
    pieces_free(&pieces);
}
