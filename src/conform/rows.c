/* SPDX-License-Identifier: MIT
 * Coverage of the instruction table by the cases of the suites that execute.
 */
#include "conform/rows.h"

#include <stdlib.h>
#include <string.h>

#include "conform/hardware/row_cases.h"
#include "conform/rules/row_cases.h"
#include "cpu/isa/insn.h"
#include "cpu/isa/table.h"

bool row_coverage_open(struct row_coverage *coverage, const char *corpus, struct error *err)
{
    coverage->rules = calloc(insn_row_count + 1, sizeof *coverage->rules);
    coverage->hardware = calloc(insn_row_count + 1, sizeof *coverage->hardware);
    if (coverage->rules == NULL || coverage->hardware == NULL || !rules_row_cases(coverage->rules)) {
        row_coverage_close(coverage);
        return error_set(err, EXIT_LIMIT, "no memory to count the cases of instructions");
    }
    if (!hardware_row_cases(corpus, coverage->hardware, err)) {
        row_coverage_close(coverage);
        return false;
    }
    return true;
}

void row_coverage_close(struct row_coverage *coverage)
{
    free(coverage->rules);
    free(coverage->hardware);
    *coverage = (struct row_coverage){0};
}

struct uncovered {
    u8 map, opcode, prefix;
    u16 extension;
    const char *reason;
};

static const struct uncovered uncovered[] = {
#define UNCOVERED(map, opcode, prefix, extension, reason) {map, opcode, prefix, extension, reason},
#include "conform/uncovered.def"
#undef UNCOVERED
    {0, 0, 0, 0, NULL},
};

const char *row_uncovered_reason(unsigned row)
{
    const struct insn_row *r = &insn_rows[row];

    for (const struct uncovered *u = uncovered; u->reason != NULL; u++)
        if (u->map == r->map && u->opcode == r->opcode && u->prefix == r->prefix && u->extension == r->extension)
            return u->reason;
    return NULL;
}

void row_opcode(unsigned row, char text[ROW_OPCODE_MAX])
{
    static const char *const maps[] = {[M1] = "", [M2] = "0F ", [M38] = "0F 38 ", [M3A] = "0F 3A "};
    static const char *const prefixes[] = {[P__] = "", [PNP] = "NP ", [P66] = "66 ", [PF3] = "F3 ", [PF2] = "F2 "};
    const struct insn_row *r = &insn_rows[row];
    char extension[16] = "";

    if (r->extension & 0x800)
        snprintf(extension, sizeof extension, " %02X", r->extension & 0xFF);
    else if (r->extension & 0x400)
        snprintf(extension, sizeof extension, " /%u", r->extension & 7);
    snprintf(text, ROW_OPCODE_MAX, "%s%s%02X%s%s%s", prefixes[r->prefix], maps[r->map], r->opcode, extension,
             r->extension & XM ? " mem" : "", r->extension & XR ? " reg" : "");
}

unsigned row_coverage_report(const struct row_coverage *coverage, bool all, FILE *out)
{
    unsigned holes = 0, by_rules = 0, by_hardware = 0, excused = 0;

    for (unsigned row = 0; row < insn_row_count; row++) {
        unsigned rules = coverage->rules[row], hardware = coverage->hardware[row];
        const char *reason = row_uncovered_reason(row);
        bool covered = rules + hardware != 0, wrong = covered == (reason != NULL);
        char opcode[ROW_OPCODE_MAX];

        by_rules += rules != 0;
        by_hardware += hardware != 0;
        excused += !covered && reason != NULL;
        holes += wrong;
        if (!all && !wrong)
            continue;
        row_opcode(row, opcode);
        fprintf(out, "%-20s %-12s %5u rule cases %7u of the corpora%s%s\n", opcode, insn_rows[row].mnemonic, rules,
                hardware,
                reason == NULL ? (covered ? "" : ": executed by no case")
                : covered      ? ": executed, although uncovered.def says: "
                               : ": ",
                reason != NULL ? reason : "");
    }
    fprintf(out, "instructions: %u rows; rule cases execute %u, the corpora %u; %u cannot be covered, %u holes\n",
            insn_row_count, by_rules, by_hardware, excused, holes);
    return holes;
}
