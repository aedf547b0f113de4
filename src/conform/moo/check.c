/* SPDX-License-Identifier: MIT
 * A capture on the emulated processor: run, compare, and look for the reason of a difference.
 */
#include "conform/moo/check.h"

#include "base/bits.h"
#include "cpu/registers.h"

#define STRAYS 8u

/* What is compared of each register of a set. CR0: the bits that the 386 has; DR6 and DR7 without those that are fixed,
 * which the 386 stores otherwise. */
static u32 comparable(const struct moo_test *test, enum moo_cpu captured, enum moo_register r)
{
    u32 mask;

    switch (r) {
    case MOO_CR0: mask = CR0_PE | CR0_MP | CR0_EM | CR0_TS; break;
    case MOO_DR6: mask = 0xE00F; break;
    case MOO_DR7: mask = 0xFFFF23FF; break;
    case MOO_EFLAGS: mask = captured >= MOO_286 ? 0x7FD5 : 0x0FD5; break;
    case MOO_CS:
    case MOO_DS:
    case MOO_ES:
    case MOO_FS:
    case MOO_GS:
    case MOO_SS: mask = 0xFFFF; break;
    default: mask = test->initial.wide ? ~0u : 0xFFFF; break;
    }
    return test->initial.present >> r & 1 ? mask & test->mask[r] : 0;
}

static u32 expected_register(const struct moo_test *test, enum moo_cpu captured, enum moo_register r)
{
    u32 value = (test->final.present >> r & 1 ? &test->final : &test->initial)->value[r];

    return r == MOO_EFLAGS && !(test->final.present >> r & 1) ? moo_machine_flags(captured, value) : value;
}

static void compare_registers(struct moo_machine *m, struct moo_run *run)
{
    for (enum moo_register r = 0; r < MOO_REGISTERS; r++) {
        u32 bits = (expected_register(run->test, run->captured, r) ^ moo_machine_register(m, r)) &
                   comparable(run->test, run->captured, r);

        if (bits == 0)
            continue;
        if (r == MOO_EFLAGS)
            run->flags = bits;
        else
            run->registers |= 1u << r;
    }
}

/* Where FLAGS were pushed: by PUSHF, or third from the end of the frame of an exception or interrupt. The chunk EXCP
 * has that address too, but one too low when SP is odd. returns: false: they were not */
static bool pushed_flags_at(const struct moo_run *run, u32 *address)
{
    const struct moo_test *test = run->test;
    u32 ss = expected_register(test, run->captured, MOO_SS) & 0xFFFF;
    u32 sp = expected_register(test, run->captured, MOO_ESP), down = (u16)(test->initial.value[MOO_ESP] - sp);

    if (run->opcode == 0x9C && !test->exception)
        *address = (ss << 4) + (u16)sp;
    else if (test->exception || (run->captured < MOO_286 && down == 6))
        *address = (ss << 4) + (u16)(sp + 4);
    else
        return false;
    return true;
}

/* Bits of the pushed FLAGS that nobody compares: those that are masked in the register, and on the older processors
 * bits 12 to 15, which they push as ones. Then what is different in the others. */
static void compare_frame(struct moo_machine *m, struct moo_run *run)
{
    u32 address;
    u16 hidden;

    if (!pushed_flags_at(run, &address))
        return;
    hidden = (u16) ~(comparable(run->test, run->captured, MOO_EFLAGS) | FLAG_FIXED1);
    if (run->captured >= MOO_286)
        hidden &= 0x0FFF;
    moo_machine_forgive(m, address, (u8)hidden);
    moo_machine_forgive(m, address + 1, (u8)(hidden >> 8));
    for (unsigned i = 0; i < 2; i++)
        run->pushed_flags |= (u16)(moo_machine_differs(m, address + i) << 8 * i);
    moo_machine_forgive(m, address, 0xFF); /* told by run->pushed_flags from here on */
    moo_machine_forgive(m, address + 1, 0xFF);
}

/* ---- what is executed */

static bool is_prefix(const struct moo_run *run, u8 byte)
{
    switch (byte) {
    case 0x26:
    case 0x2E:
    case 0x36:
    case 0x3E:
    case 0xF0:
    case 0xF2:
    case 0xF3: return true;
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67: return run->captured == MOO_386;
    case 0xF1: return run->captured < MOO_286;
    default: return false;
    }
}

static void look_at_code(struct moo_run *run)
{
    const u8 *code = run->test->code;
    unsigned at = 0, size = run->test->code_size;

    while (at + 1 < size && is_prefix(run, code[at]))
        at++;
    run->opcode = code[at++];
    if (run->opcode == 0x0F && at < size && run->captured >= MOO_286) {
        run->has_0f = true;
        run->extended = code[at++];
    }
    run->modrm = at < size ? code[at] : 0;
    run->length = at;
}

/* ---- telling */

static void tell_head(FILE *out, const struct moo_test *test)
{
    fprintf(out, "test %u: %s (", test->index, test->name);
    for (unsigned i = 0; i < test->code_size; i++)
        fprintf(out, "%s%02X", i != 0 ? " " : "", test->code[i]);
    fputs(")\n", out);
}

static void tell_registers(FILE *out, const struct moo_machine *m, const struct moo_run *run)
{
    for (enum moo_register r = 0; r < MOO_REGISTERS; r++) {
        u32 mask = comparable(run->test, run->captured, r);

        if (run->registers >> r & 1 || (r == MOO_EFLAGS && run->flags != 0))
            fprintf(out, "%s: %s has %X, got %X\n", moo_register_name(r, run->test->initial.wide),
                    moo_cpu_name(run->captured), expected_register(run->test, run->captured, r) & mask,
                    moo_machine_register(m, r) & mask);
    }
    if (run->pushed_flags != 0)
        fprintf(out, "pushed flags differ in bits %X\n", run->pushed_flags);
}

static void tell(FILE *out, const struct moo_machine *m, const struct moo_run *run, enum moo_outcome outcome,
                 const struct moo_stray *stray, unsigned strays)
{
    tell_head(out, run->test);
    if (run->test->exception)
        fprintf(out, "the %s took vector %u\n", moo_cpu_name(run->captured), run->test->vector);
    switch (outcome) {
    case MOO_DONE: break;
    case MOO_SHUTDOWN: fputs("got a shutdown\n", out); break;
    case MOO_UNIMPLEMENTED: fprintf(out, "stopped: %s\n", m->cpu->host.stop_text); break;
    case MOO_ASTRAY: break; /* the vector says it */
    case MOO_ENDLESS: fputs("did not come to the end\n", out); break;
    }
    if (run->raised >= 0)
        fprintf(out, "got vector %d\n", run->raised);
    tell_registers(out, m, run);
    for (unsigned i = 0; i < strays && i < STRAYS; i++)
        fprintf(out, "memory %06X: %s has %02X, got %02X\n", stray[i].address, moo_cpu_name(run->captured),
                stray[i].expected, stray[i].got);
    if (strays > STRAYS)
        fprintf(out, "and %u more bytes of memory\n", strays - STRAYS);
}

enum moo_verdict moo_check(struct moo_machine *m, enum moo_cpu captured, const struct moo_test *test, FILE *out,
                           unsigned *row)
{
    struct moo_run run = {.captured = captured, .test = test};
    struct moo_stray stray[STRAYS];
    enum moo_verdict verdict = MOO_SAME;
    enum moo_outcome outcome;
    unsigned strays;

    look_at_code(&run);
    moo_machine_load(m, test);
    outcome = moo_machine_run(m);
    run.raised = m->raised;
    run.astray = outcome != MOO_DONE;
    compare_registers(m, &run);
    compare_frame(m, &run);
    strays = moo_machine_compare(m, test, stray, STRAYS);
    run.memory = strays != 0;
    if (run.astray || run.registers != 0 || run.flags != 0 || run.pushed_flags != 0 || run.memory) {
        *row = outcome == MOO_UNIMPLEMENTED ? moo_difference_count() : moo_difference_find(&run);
        verdict = *row == moo_difference_count()         ? MOO_WRONG
                  : moo_difference_row(*row)->flags != 0 ? MOO_UNDEFINED
                                                         : MOO_OTHER;
    }
    if (verdict == MOO_WRONG && out != NULL)
        tell(out, m, &run, outcome, stray, strays);
    moo_machine_clear(m, test);
    return verdict;
}
