/* SPDX-License-Identifier: MIT
 * What rows declare to raise: examples against the manual, and random instructions in every mode, none of which may
 * raise anything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conform/rules/preset.h"
#include "cpu/engine/state.h"
#include "cpu/flags.h"
#include "cpu/isa/raises.h"
#include "cpu/isa/table.h"

#define ROUNDS 400u /* instructions in each mode on each vendor; RINGSIDE_RAISES_ROUNDS says another number */
#define V(name) (1u << VEC_##name)

/* ---- examples */

static const struct cpu_model *max_model(void)
{
    static struct cpu_model model;
    struct error err;

    assert_true(cpu_model_parse(&model, "max", &err));
    return &model;
}

static struct insn decode(const u8 *bytes, unsigned size)
{
    u8 padded[15] = {0};
    struct insn insn;

    memcpy(padded, bytes, size);
    assert_int_equal(insn_decode(&insn, padded, sizeof padded, 1 | KEY_OSFXSR | KEY_OSXSAVE, max_model()), DECODE_OK);
    return insn;
}

static void test_examples(void **state)
{
    static const struct {
        u8 bytes[4];
        u8 size;
        u32 vectors;
    } examples[] = {
        {{0x90}, 1, 0},                                                                    /* nop */
        {{0x0F, 0x1F, 0x00}, 3, 0},                                                        /* nop [eax] */
        {{0x8D, 0x00}, 2, 0},                                                              /* lea */
        {{0x40}, 1, 0},                                                                    /* inc eax */
        {{0x8A, 0x00}, 2, V(SS) | V(GP) | V(PF)},                                          /* mov al, [eax] */
        {{0x8B, 0x00}, 2, V(SS) | V(GP) | V(PF) | V(AC)},                                  /* mov eax, [eax] */
        {{0xA1}, 1, V(SS) | V(GP) | V(PF) | V(AC)},                                        /* mov eax, moffs */
        {{0xF7, 0x30}, 2, V(DE) | V(SS) | V(GP) | V(PF) | V(AC)},                          /* div [eax] */
        {{0x62, 0x00}, 2, V(BR) | V(SS) | V(GP) | V(PF) | V(AC)},                          /* bound */
        {{0xEB}, 1, V(GP)},                                                                /* jmp */
        {{0x50}, 1, V(SS) | V(PF) | V(AC)},                                                /* push eax */
        {{0xA4}, 1, V(SS) | V(GP) | V(PF)},                                                /* movsb */
        {{0xA5}, 1, V(SS) | V(GP) | V(PF) | V(AC)},                                        /* movsd */
        {{0xF4}, 1, V(GP)},                                                                /* hlt */
        {{0x0F, 0x01, 0x38}, 3, V(GP)},                                                    /* invlpg */
        {{0x0F, 0x0B}, 2, V(UD)},                                                          /* ud2 */
        {{0x0F, 0x04}, 2, V(UD)},                                                          /* nothing */
        {{0x0F, 0x05}, 2, V(UD)},                                                          /* syscall */
        {{0x0F, 0x28, 0x00}, 3, V(UD) | V(NM) | V(SS) | V(GP) | V(PF)},                    /* movaps */
        {{0x0F, 0x58, 0x00}, 3, V(UD) | V(NM) | V(SS) | V(GP) | V(PF) | V(XM)},            /* addps */
        {{0xF3, 0x0F, 0x58, 0}, 4, V(UD) | V(NM) | V(SS) | V(GP) | V(PF) | V(AC) | V(XM)}, /* addss */
        {{0x0F, 0x77}, 2, V(UD) | V(NM) | V(MF)},                                          /* emms */
        {{0xD9, 0xE8}, 2, V(NM) | V(MF)},                                                  /* fld1 */
        {{0xDB, 0xE3}, 2, V(NM)},                                                          /* fninit */
        {{0x9B}, 1, V(NM) | V(MF)},                                                        /* fwait */
        {{0xCC}, 1, V(BP) | V(GP) | V(NP) | V(SS) | V(TS) | V(PF) | V(AC)},                /* int3 */
        {{0x0F, 0x00, 0xD0}, 3, V(UD) | V(GP) | V(NP) | V(PF) | V(SS)},                    /* lldt */
        {{0x0F, 0x21, 0xC0}, 3, V(UD) | V(GP) | V(DB)},                                    /* mov eax, dr0 */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(examples); i++) {
        struct insn insn = decode(examples[i].bytes, examples[i].size);
        u32 declared = insn_may_raise(&insn_rows[insn.row]);

        if (declared != examples[i].vectors)
            fail_msg("%s (example %u): declared %x, expected %x", insn_rows[insn.row].mnemonic, i, declared,
                     examples[i].vectors);
    }
}

static void test_lock_depends_on_the_form(void **state)
{
    const u8 memory[] = {0xF0, 0x01, 0x00}, reg[] = {0xF0, 0x01, 0xC0}, plain[] = {0x01, 0xC0}, nop[] = {0xF0, 0x90};
    struct insn insn = decode(memory, sizeof memory);

    (void)state;
    assert_false(insn_may_raise_vector(&insn, VEC_UD));
    insn = decode(plain, sizeof plain);
    assert_false(insn_may_raise_vector(&insn, VEC_UD));
    insn = decode(reg, sizeof reg);
    assert_true(insn_may_raise_vector(&insn, VEC_UD));
    insn = decode(nop, sizeof nop);
    assert_true(insn_may_raise_vector(&insn, VEC_UD));
}

static void test_int_enters_its_vector(void **state)
{
    const u8 int80[] = {0xCD, 0x80};
    struct insn insn = decode(int80, sizeof int80);

    (void)state;
    assert_true(insn_may_raise_vector(&insn, 0x80));
    assert_false(insn_may_raise_vector(&insn, 0x81));
    assert_false(insn_may_raise_vector(&insn, VEC_BP));
}

/* ---- random instructions */

struct rng {
    u64 state;
};

static u64 next(struct rng *r) /* splitmix64 */
{
    u64 z = r->state += 0x9E3779B97F4A7C15;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

/* Of a random row, with prefixes now and then; the rest is random too. */
static void random_bytes(struct rng *r, u8 bytes[15], bool mode64)
{
    static const u8 prefixes[] = {0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x2E, 0x36, 0x3E, 0x64, 0x65};
    static const u8 mandatory[] = {[P66] = 0x66, [PF3] = 0xF3, [PF2] = 0xF2};
    const struct insn_row *row = &insn_rows[next(r) % insn_row_count];
    bool loads_segment = next(r) % 16 == 0; /* few rows do, and few selectors are of absent segments */
    unsigned at = 0;

    for (unsigned i = 0; i < 15; i++)
        bytes[i] = (u8)next(r);
    if (loads_segment) {
        bytes[0] = 0x8E; /* MOV Sreg */
        return;
    }
    if (next(r) % 4 == 0)
        bytes[at++] = prefixes[next(r) % sizeof prefixes];
    if (row->prefix >= P66)
        bytes[at++] = mandatory[row->prefix];
    if (mode64 && next(r) % 3 == 0)
        bytes[at++] = (u8)(0x40 | (next(r) & 15));
    if (row->map != M1)
        bytes[at++] = 0x0F;
    if (row->map >= M38)
        bytes[at++] = row->map == M38 ? 0x38 : 0x3A;
    bytes[at++] = row->opcode;
    if (row->extension & 0x800)
        bytes[at] = (u8)row->extension;
    else if (row->extension & 0x400)
        bytes[at] = (u8)((bytes[at] & 0xC7) | (row->extension & 7) << 3);
    if (row->extension & XR)
        bytes[at] |= 0xC0;
    if (row->extension & XM)
        bytes[at] &= 0x7F;
}

static u64 random_value(struct rng *r)
{
    u64 v = next(r);

    switch (v & 7) {
    case 0:
    case 1: return AT_USER + (v >> 8) % 0x7000;
    case 2:
    case 3: return AT_USER + ((v >> 8) & 0xFF);
    case 4: return (v >> 8) & 0x3F;
    case 5: return STACK3 - ((v >> 8) & 0xFF);
    case 6: return (v >> 8) % GDT_END; /* a selector */
    default: return next(r);
    }
}

static void random_state(struct preset_machine *m, struct rng *r)
{
    struct cpu_arch *a = &m->cpu->arch;
    u64 v = next(r);

    for (unsigned i = 0; i < 16; i++)
        if (i != RSP || (v & 7) == 0)
            a->gpr[i] = random_value(r);
    for (unsigned i = 0; i < 0x200; i += 2)
        preset_write(m, AT_USER + i, random_value(r), 2);
    for (unsigned i = 0; i < 16; i++)
        a->xmm[i].u64[i & 1] = next(r);
    if (v & 8) { /* alignment is checked at CPL 3 */
        a->cr0 |= CR0_AM;
        a->rflags |= FLAG_AC;
    }
    a->cr0 |= CR0_NE | ((v >> 4 & 15) == 0 ? CR0_TS : 0) | ((v >> 8 & 15) == 0 ? CR0_EM : 0);
    a->cr4 |= CR4_OSFXSR | (v >> 12 & 1 ? CR4_OSXMMEXCPT : 0) | (v >> 13 & 1 ? CR4_OSXSAVE : 0) |
              (v >> 14 & 1 ? CR4_FSGSBASE : 0) | ((v >> 15 & 7) == 0 ? CR4_UMIP | CR4_TSD : 0);
    if (v >> 18 & 1)
        a->mxcsr &= ~0x1F80u;
    if ((v >> 19 & 3) == 0) { /* an x87 exception is pending */
        a->x87_control &= (u16)~1;
        a->x87_status |= 0x8081;
    }
    cpu_update_derived(m->cpu);
    cpu_update_paging(m->cpu);
}

/* One instruction. returns: the vector that it raised, or 32 */
static unsigned try_one(enum preset_index index, enum cpu_vendor vendor, struct rng *r)
{
    struct preset_machine m;
    struct error err;
    struct insn insn;
    unsigned vector = 32;
    u8 bytes[15];
    u64 at;

    assert_true(preset_open(&m, index, vendor, &err));
    engine_select(m.cpu, ENGINE_STEP);
    random_state(&m, r);
    random_bytes(r, bytes, m.cpu->d.mode == MODE_LONG);
    at = m.cpu->arch.rip + (m.cpu->d.mode == MODE_LONG ? 0 : m.cpu->arch.seg[CS].base);
    physmem_write(m.pm, at, bytes, sizeof bytes, INITIATOR_LOADER);
    if (insn_decode(&insn, bytes, sizeof bytes, m.cpu->d.decode_key, &m.cpu->model) == DECODE_OK) {
        engine_run(m.cpu, m.cpu->clock->ticks + 1);
        if (m.cpu->host.engine->pending) {
            const struct interrupt_event *event = &m.cpu->host.engine->event;

            vector = event->vector;
            if (!insn_may_raise_vector(&insn, event->vector))
                fail_msg("%s (%s) raised vector %u by %s in %s: %02X %02X %02X %02X %02X %02X",
                         insn_rows[insn.row].mnemonic, insn_rows[insn.row].source, vector,
                         rule_name((enum rule)event->rule), preset_name(index), bytes[0], bytes[1], bytes[2], bytes[3],
                         bytes[4], bytes[5]);
        }
    }
    preset_close(&m);
    return vector;
}

static void test_random_instructions_raise_only_what_is_declared(void **state)
{
    static const u8 expected[] = {VEC_DE, VEC_UD, VEC_NM, VEC_NP, VEC_SS, VEC_GP, VEC_PF, VEC_MF, VEC_AC, VEC_XM};
    struct rng r = {.state = 1};
    const char *asked = getenv("RINGSIDE_RAISES_ROUNDS");
    unsigned rounds = asked != NULL ? (unsigned)strtoul(asked, NULL, 0) : ROUNDS;
    unsigned seen[256] = {0};

    (void)state;
    for (unsigned preset = 0; preset < PRESET_COUNT; preset++)
        for (unsigned vendor = VENDOR_INTEL; vendor <= VENDOR_AMD; vendor++)
            for (unsigned i = 0; i < rounds; i++)
                seen[try_one((enum preset_index)preset, (enum cpu_vendor)vendor, &r)]++;
    /* The instructions were such that this means something. */
    for (unsigned i = 0; i < sizeof expected; i++)
        if (seen[expected[i]] == 0)
            fail_msg("no instruction raised vector %u", expected[i]);
    assert_true(seen[32] > rounds * PRESET_COUNT / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_lock_depends_on_the_form),
        cmocka_unit_test(test_int_enters_its_vector),
        cmocka_unit_test(test_random_instructions_raise_only_what_is_declared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
