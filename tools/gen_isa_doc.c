/* SPDX-License-Identifier: MIT
 * Writes docs/isa.md from insn.def to standard output: every instruction, its operands and the checks made for it.
 */
#include <stdio.h>
#include <string.h>

#include "base/types.h"
#include "cpu/isa/table.h"

struct doc_row {
    u8 map, opcode, prefix;
    u16 extension;
    u8 operand[3];
    u32 attributes;
    const char *mnemonic, *feature, *source;
};

static const struct doc_row rows[] = {
#define INSN(map, op, prefix, ext, mnemonic, o1, o2, o3, attributes, feature, body, source)                            \
    {map, op, prefix, ext, {o1, o2, o3}, attributes, mnemonic, #feature, source},
#include "cpu/isa/insn.def"
#undef INSN
};

static const char *const operand_names[OPERAND_KIND_COUNT] = {
#define K(name) [name] = #name,
    OPERAND_KINDS(K)
#undef K
};

static const struct {
    u32 attribute;
    const char *text;
} attribute_texts[] = {
    {LOCK, "LOCK"},
    {CPL0, "CPL 0"},
    {NOREAL, "protected mode"},
    {NO64, "not in 64-bit mode"},
    {ONLY64, "64-bit mode"},
    {D64, "default 64"},
    {F64, "forced 64"},
    {SERIAL, "serializing"},
    {X87, "x87"},
    {MMX, "MMX"},
    {SSE, "SSE"},
    {WAITS, "MP and TS"},
    {AL16, "aligned 16"},
    {REPABLE, "REP"},
    {NEEDS_XSAVE, "OSXSAVE"},
};

static void print_opcode(const struct doc_row *row)
{
    static const char *const maps[] = {[M1] = "", [M2] = "0F ", [M38] = "0F 38 ", [M3A] = "0F 3A "};
    static const char *const prefixes[] = {[P__] = "", [PNP] = "NP ", [P66] = "66 ", [PF3] = "F3 ", [PF2] = "F2 "};

    printf("| `%s%s%02X", prefixes[row->prefix], maps[row->map], row->opcode);
    if (row->extension & 0x800)
        printf(" %02X", row->extension & 0xFF);
    if (row->extension & 0x400)
        printf(" /%u", row->extension & 7);
    if (row->extension & XM)
        printf(" mem");
    if (row->extension & XR)
        printf(" reg");
    printf("` | %s", row->mnemonic);
}

/* E_v -> Ev; the kinds that end in _ or stand alone lose it too. */
static void print_operand(const char *name)
{
    for (; *name; name++)
        if (*name != '_')
            putchar(*name);
}

static void print_operands(const struct doc_row *row)
{
    printf(" |");
    for (unsigned i = 0; i < 3 && row->operand[i] != ___; i++) {
        printf("%s", i ? ", " : " ");
        print_operand(operand_names[row->operand[i]]);
    }
}

static void print_attributes(const struct doc_row *row)
{
    const char *separator = " ";

    printf(" |");
    for (unsigned i = 0; i < ARRAY_LEN(attribute_texts); i++) {
        if (row->attributes & attribute_texts[i].attribute) {
            printf("%s%s", separator, attribute_texts[i].text);
            separator = ", ";
        }
    }
}

static void print_row(const struct doc_row *row)
{
    print_opcode(row);
    print_operands(row);
    print_attributes(row);
    printf(" | %s | %s |\n", strcmp(row->feature, "ALWAYS") == 0 ? "" : row->feature, row->source);
}

int main(void)
{
    static const char *const titles[] = {
        [M1] = "One-byte opcodes", [M2] = "0F opcodes", [M38] = "0F 38 opcodes", [M3A] = "0F 3A opcodes"};

    printf("# Instructions\n\n"
           "Generated from `src/cpu/isa/insn.def` by `tools/gen_isa_doc.c`; a test fails when this page is stale.\n"
           "Operands are in the codes of SDM 2D, \"Key to Abbreviations\" (see `src/cpu/isa/table.h`). \"Checks\" are "
           "made\n"
           "by the decoder before the body runs; \"feature\" is what the CPU model must have. `NP` means that no 66, "
           "F2 or\n"
           "F3 may stand. A row with a Z operand covers eight opcodes.\n\n"
           "%zu rows.\n",
           ARRAY_LEN(rows));
    for (unsigned map = 0; map < INSN_MAPS; map++) {
        printf("\n## %s\n\n| opcode | mnemonic | operands | checks | feature | source |\n|---|---|---|---|---|---|\n",
               titles[map]);
        for (unsigned opcode = 0; opcode < 256; opcode++)
            for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
                if (rows[i].map == map && rows[i].opcode == opcode)
                    print_row(&rows[i]);
    }
    return 0;
}
