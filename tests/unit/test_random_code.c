/* SPDX-License-Identifier: MIT
 * Random bytes as code, descriptors, gates and page tables, in every mode and for both vendors: nothing a guest does
 * may harm the host, and the same bytes give the same state twice. Worth most under the sanitizers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/engine/engine.h"
#include "cpu/flags.h"
#include "cpu/ring/mechanisms.h"

#define RAM_BYTES (1u << 20)
#define RUN_TICKS 3000u
#define ROUNDS 1500u

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

struct box {
    struct clock clock;
    struct physmem *physmem;
    struct ports *ports;
    struct cpu *cpu;
};

static bool no_interrupt(void *context)
{
    (void)context;
    return false;
}

static bool any_interrupt(void *context)
{
    const struct box *b = context;

    return (b->clock.ticks & 63) == 0;
}

static int random_vector(void *context)
{
    const struct box *b = context;

    return (int)((b->clock.ticks * 37) & 0xFF);
}

static u64 random_word(struct rng *r)
{
    u64 v = next(r);

    switch (v & 7) {
    case 0: return v >> 56;             /* small */
    case 1: return (v >> 44) & 0xFFFFF; /* inside RAM */
    case 2: return ~(v >> 40);          /* just below zero */
    default: return next(r);
    }
}

/* Descriptors and page-table entries that are right more often than chance. */
static void fill_memory(struct box *b, struct rng *r)
{
    for (paddr_t at = 0; at < RAM_BYTES; at += 8) {
        u64 v = next(r);

        if (at >= 0x1000 && at < 0x3000) /* GDT and IDT: mostly present, limits and offsets inside RAM */
            v = (v & ~0x0000FFF00000F000ull) | BIT(47) | (next(r) & 0x00F000000000ull);
        else if (at >= 0x10000 && at < 0x18000) /* page tables: present, inside RAM */
            v = (v & 0xFF867) | 1;
        physmem_write(b->physmem, at, &v, 8, INITIATOR_LOADER);
    }
}

static void random_state(struct box *b, struct rng *r)
{
    struct cpu *cpu = b->cpu;
    u64 mode = next(r) % 5;
    struct ring_state before = ring_state_of(cpu, cpu->arch.rip);
    struct transition t;

    for (unsigned i = 0; i < 16; i++)
        cpu->arch.gpr[i] = random_word(r);
    for (unsigned i = 0; i < 16; i++)
        cpu->arch.xmm[i].u64[i & 1] = random_word(r);
    cpu->arch.gdtr = (struct table_register){.base = 0x1000, .limit = 0xFFF};
    cpu->arch.idtr = (struct table_register){.base = 0x2000, .limit = 0xFFF};
    cpu->arch.msr.efer = EFER_SCE;
    cpu->arch.msr.star = next(r);
    cpu->arch.msr.lstar = cpu->arch.msr.cstar = next(r) & 0xFFFFF;
    cpu->arch.msr.sysenter_cs = next(r) & 0xFFFF;
    cpu->arch.cr3 = 0x10000 + (next(r) & 3) * 0x1000;
    cpu->arch.cr4 =
        CR4_OSFXSR | CR4_OSXMMEXCPT | (next(r) & (CR4_PSE | CR4_VME | CR4_PVI | CR4_DE | CR4_UMIP | CR4_OSXSAVE));
    cpu->arch.cr0 = CR0_ET | CR0_NE | (mode == 0 ? 0 : CR0_PE);
    if (mode >= 3 || (mode == 2 && (next(r) & 1)))
        cpu->arch.cr0 |= CR0_PG | (next(r) & CR0_WP);
    if (mode >= 3) {
        cpu->arch.cr4 |= CR4_PAE;
        cpu->arch.msr.efer |= EFER_LME | EFER_LMA;
    }
    cpu_update_paging(cpu);
    ring_commit_mode(cpu, MECH_RESTORE, &before);
    t = transition_begin(cpu, MECH_RESTORE);
    t.new_cpl = mode == 0 ? 0 : (u8)(next(r) & 3);
    t.cs = (struct segment){.selector = (u16)(8 | t.new_cpl),
                            .limit = next(r) & 1 ? 0xFFFFFFFF : 0xFFFF,
                            .attr = (u16)(SEG_PRESENT | SEG_S | SEG_CODE | SEG_READABLE | SEG_ACCESSED |
                                          (t.new_cpl << SEG_DPL_SHIFT) | (mode == 4 ? SEG_L : next(r) & SEG_DB))};
    t.ss = (struct segment){.selector = (u16)(16 | t.new_cpl),
                            .limit = 0xFFFFFFFF,
                            .attr = (u16)(SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED | (t.new_cpl << SEG_DPL_SHIFT) |
                                          (next(r) & SEG_DB))};
    t.rip = next(r) & 0xFFFF;
    t.rsp = next(r) & 0xFFFF8;
    t.rflags = (next(r) & (FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_AC | FLAG_NT | FLAG_ID)) | FLAG_FIXED1;
    if (mode == 1 || (next(r) & 15) == 0)
        t.rflags |= next(r) & FLAG_TF;
    t.stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    for (unsigned s = ES; s <= GS; s++)
        if (s != CS && s != SS)
            cpu->arch.seg[s] = t.ss;
    ring_commit(cpu, &t);
    cpu->arch.rip = cpu->d.next_rip;
}

static u64 run(u64 seed)
{
    static const char *const models[] = {"max,vendor=intel", "max,vendor=amd", "pentium", "486", "core2"};
    struct rng r = {.state = seed};
    struct cpu_model model;
    struct error err;
    struct box b;
    u64 hash;

    assert_true(cpu_model_parse(&model, models[seed % ARRAY_LEN(models)], &err));
    clock_init(&b.clock);
    b.physmem = physmem_new(RAM_BYTES, &err);
    assert_non_null(b.physmem);
    b.ports = ports_new();
    b.cpu = cpu_new(&model, 0, &b.clock, b.physmem, b.ports);
    b.cpu->host.ports = (struct cpu_ports){.context = &b,
                                           .interrupt_acknowledge = random_vector,
                                           .interrupt_pending = seed & 8 ? any_interrupt : no_interrupt};
    engine_attach(b.cpu);
    ring_reset(b.cpu);
    b.cpu->arch.rip = b.cpu->d.next_rip;
    fill_memory(&b, &r);
    while (b.clock.ticks < RUN_TICKS) {
        random_state(&b, &r);
        b.cpu->arch.activity = ACTIVE;
        b.cpu->host.stop = STOP_NONE;
        if (engine_run(b.cpu, b.clock.ticks + 200) != ENGINE_TICK)
            b.clock.ticks++; /* halted or stopped: a new state */
    }
    hash = cpu_state_hash(b.cpu) ^ physmem_hash(b.physmem) ^ clock_retired(&b.clock);
    engine_detach(b.cpu);
    cpu_free(b.cpu);
    ports_free(b.ports);
    physmem_free(b.physmem);
    return hash;
}

static void random_code_is_harmless_and_repeatable(void **state)
{
    const char *rounds = getenv("RINGSIDE_RANDOM_ROUNDS"), *first = getenv("RINGSIDE_RANDOM_SEED");
    u64 seed = first ? strtoull(first, NULL, 0) : 1, count = rounds ? strtoull(rounds, NULL, 0) : ROUNDS;

    (void)state;
    for (u64 i = 0; i < count; i++, seed++) {
        u64 hash = run(seed);

        if (i % 16 == 0 && run(seed) != hash)
            fail_msg("seed %llu gave two different states", (unsigned long long)seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_code_is_harmless_and_repeatable)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
