/* SPDX-License-Identifier: MIT
 * What was kept of the guest's memory beside an event: gate, descriptor and TSS by their fields, the rest as bytes.
 */
#include "trace/show_data.h"

#include "trace/descriptor_fields.h"
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

static void code(FILE *out, const struct data_piece *p)
{
    fprintf(out, "    %016llx ", (ull)p->address);
    for (u32 i = 0; i < p->size && i < 16; i++)
        fprintf(out, " %02x", p->bytes[i]);
    fputc('\n', out);
}

static void print_piece(FILE *out, const struct names *names, const struct data_piece *p, bool long_mode)
{
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
    case DATA_TSS:
        fprintf(out, "\n  TSS, the words used\n");
        word_lines(out, names, p, long_mode ? 8 : 4);
        break;
    case DATA_STACK:
        fprintf(out, "\n  stack\n");
        word_lines(out, names, p, long_mode ? 8 : 4);
        break;
    case DATA_BACKTRACE:
        fprintf(out, "\n  called from, innermost first\n");
        backtrace(out, names, p);
        break;
    case DATA_CODE:
        fprintf(out, "\n  instruction bytes\n");
        code(out, p);
        break;
    case DATA_SIGNAL:
        fprintf(out, "\n  signal frame: the interrupted call\n");
        word_lines(out, names, p, 8);
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
    bool long_mode = e->to_mode == MODE_LONG || e->to_mode == MODE_COMPAT32 || e->to_mode == MODE_COMPAT16;
    struct pieces pieces = {0};

    show_collect(r, id, &pieces);
    for (size_t i = 0; i < pieces.count; i++) {
        struct data_piece p = pieces_get(&pieces, i);

        print_piece(out, names, &p, long_mode);
    }
    pieces_free(&pieces);
}
