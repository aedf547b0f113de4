/* SPDX-License-Identifier: MIT
 * Writes docs/isa.md to standard output: every row of insn.def, where it exists, what it may raise, and how many cases
 * execute it.
 */
#include <stdio.h>
#include <string.h>

#include "base/types.h"
#include "conform/rows.h"
#include "cpu/isa/raises.h"
#include "cpu/isa/table.h"

static const char *const features[] = {
#define INSN(map, op, prefix, ext, mnemonic, o1, o2, o3, attributes, feature, body, source) #feature,
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
    {LOCK, "LOCK"},     {REPABLE, "REP"},     {D64, "default 64"},
    {F64, "forced 64"}, {AL16, "aligned 16"}, {SERIAL, "serializing"},
};

/* In the order of the vectors. */
static const char *const vector_names[32] = {
    [VEC_DE] = "DE", [VEC_DB] = "DB", [VEC_BP] = "BP", [VEC_OF] = "OF", [VEC_BR] = "BR",
    [VEC_UD] = "UD", [VEC_NM] = "NM", [VEC_TS] = "TS", [VEC_NP] = "NP", [VEC_SS] = "SS",
    [VEC_GP] = "GP", [VEC_PF] = "PF", [VEC_MF] = "MF", [VEC_AC] = "AC", [VEC_XM] = "XM",
};

/* E_v -> Ev; the kinds that end in _ or stand alone lose it too. */
static void print_operand(const char *name)
{
    for (; *name; name++)
        if (*name != '_')
            putchar(*name);
}

static void print_operands(const struct insn_row *row)
{
    printf(" |");
    for (unsigned i = 0; i < 3 && row->operand[i] != ___; i++) {
        printf("%s", i ? ", " : " ");
        print_operand(operand_names[row->operand[i]]);
    }
}

static void print_modes(const struct insn_row *row)
{
    const char *text = "all";

    if (row->attributes & ONLY64)
        text = "64";
    else if (row->attributes & NOREAL)
        text = row->attributes & NO64 ? "PM" : "PM 64";
    else if (row->attributes & NO64)
        text = "R VM PM";
    printf(" | %s | %s", text, row->attributes & CPL0 ? "0" : "");
}

static void print_attributes(const struct insn_row *row)
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

static void print_vectors(const struct insn_row *row)
{
    u32 vectors = insn_may_raise(row);

    printf(" |");
    for (unsigned v = 0; v < 32; v++)
        if (vectors >> v & 1)
            printf(" %s", vector_names[v]);
}

static void print_count(unsigned count)
{
    if (count != 0)
        printf(" | %u", count);
    else
        printf(" |");
}

static void print_row(unsigned number, const struct row_coverage *coverage)
{
    const struct insn_row *row = &insn_rows[number];
    char opcode[ROW_OPCODE_MAX];

    row_opcode(number, opcode);
    printf("| `%s` | %s", opcode, row->mnemonic);
    print_operands(row);
    print_modes(row);
    print_attributes(row);
    printf(" | %s", strcmp(features[number], "ALWAYS") == 0 ? "" : features[number]);
    print_vectors(row);
    print_count(coverage->rules[number]);
    print_count(coverage->hardware[number]);
    printf(" | %s |\n", row->source);
}

static void print_introduction(const struct row_coverage *coverage)
{
    unsigned hardware = 0;

    for (unsigned i = 0; i < insn_row_count; i++)
        hardware += coverage->hardware[i];
    printf(
        "# Instructions\n\n"
        "Generated from `src/cpu/isa/insn.def` by `tools/gen_isa_doc.c`; a test fails when this page is stale.\n"
        "`cmake --build BUILD --target isa_doc` writes it anew.\n\n"
        "- **opcode**: `NP` means that no 66, F2 or F3 may stand; `mem` and `reg` are the forms of ModRM. A row with "
        "a Z\n  operand covers eight opcodes.\n"
        "- **operands**: in the codes of SDM 2D, \"Key to Abbreviations\" (see `src/cpu/isa/table.h`).\n"
        "- **modes**: R real-address mode, VM virtual-8086 mode, PM protected and compatibility mode, 64 64-bit "
        "mode. A\n  row that is not in a mode is #UD there, unless another matches the same bytes.\n"
        "- **CPL**: 0 when the instruction is privileged. What depends on IOPL, CR4 and the like raises #GP all the "
        "same.\n"
        "- **properties**: LOCK: takes the prefix with a memory destination. REP: repeats. Default 64, forced 64: "
        "the\n  operand size of 64-bit mode. Aligned 16: a memory operand must be (#GP).\n"
        "- **feature**: what the processor model must have; without it #UD, unless another row matches.\n"
        "- **raises**: the faults and traps that are the instruction's own (`src/cpu/isa/raises.def`). Every "
        "instruction\n  may raise too: #UD for a LOCK prefix that it does not take, #PF and #GP when it is fetched, "
        "#DB "
        "by breakpoints and\n  TF. INT enters the vector that it names besides. Tests show that nothing else is "
        "raised; "
        "they do not show that all of\n  it can be.\n"
        "- **rules**, **hardware**: how many cases of the rule suite and of the hardware corpora execute the row "
        "(`ringside\n  conform`). The corpora are recorded at CPL 3.\n\n"
        "%u rows; %u cases of the corpora.\n",
        insn_row_count, hardware);
}

int main(void)
{
    static const char *const titles[] = {
        [M1] = "One-byte opcodes", [M2] = "0F opcodes", [M38] = "0F 38 opcodes", [M3A] = "0F 3A opcodes"};
    struct row_coverage coverage;
    struct error err;

    if (!row_coverage_open(&coverage, NULL, &err)) {
        fprintf(stderr, "gen_isa_doc: %s\n", err.text);
        return (int)err.code;
    }
    print_introduction(&coverage);
    for (unsigned map = 0; map < INSN_MAPS; map++) {
        printf("\n## %s\n\n| opcode | mnemonic | operands | modes | CPL | properties | feature | raises | rules | "
               "hardware | source |\n|---|---|---|---|---|---|---|---|--:|--:|---|\n",
               titles[map]);
        for (unsigned opcode = 0; opcode < 256; opcode++)
            for (unsigned i = 0; i < insn_row_count; i++)
                if (insn_rows[i].map == map && insn_rows[i].opcode == opcode)
                    print_row(i, &coverage);
    }
    row_coverage_close(&coverage);
    return 0;
}
