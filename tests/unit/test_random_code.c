/* SPDX-License-Identifier: MIT
 * Random bytes and random instructions as code, with random descriptors, gates and page tables, in every mode and for
 * both vendors: nothing a guest does may harm the host, and the stepping and the block engine give the same state.
 * Worth most under the sanitizers.
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
    struct timer timer;
    bool line; /* an interrupt is requested */
    struct physmem *physmem;
    struct ports *ports;
    struct cpu *cpu;
};

static bool interrupt_pending(void *context) { return ((const struct box *)context)->line; }

static int random_vector(void *context)
{
    struct box *b = context;

    b->line = false;
    return (int)((b->clock.ticks * 37) & 0xFF);
}

/* A request now and then, at ticks that no block ends at on purpose. */
static void request_interrupt(void *context, u64 now)
{
    struct box *b = context;

    b->line = true;
    cpu_attention(b->cpu);
    clock_arm(&b->clock, &b->timer, now + 61 + (now & 31));
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

/* Instructions that mostly work, one after the other: what random bytes seldom are. Their memory operands are wherever
 * the registers point, which is often code. */
static u8 random_instruction(struct rng *r, u8 out[8])
{
    static const u8 with_modrm[] = {0x01, 0x03, 0x09, 0x0B, 0x11, 0x13, 0x19, 0x1B, 0x21, 0x23, 0x29, 0x2B, 0x31, 0x33,
                                    0x39, 0x3B, 0x85, 0x87, 0x89, 0x8B, 0x8D, 0x00, 0x88, 0x8A, 0x86, 0xD1, 0xD3, 0x63};
    static const u8 alone[] = {0x40, 0x41, 0x43, 0x48, 0x4A, 0x4F, 0x50, 0x53, 0x58, 0x5B,
                               0x90, 0x98, 0x99, 0x9C, 0x9D, 0xA1, 0xA3, 0xA4, 0xA5, 0xAA,
                               0xAB, 0xAC, 0xAE, 0xA6, 0xF5, 0xF8, 0xF9, 0xFC, 0xFD, 0xC3};
    static const u8 two_bytes[] = {0xAF, 0xB6, 0xBE, 0x44, 0x4D, 0x92, 0x95, 0xA3, 0xAB, 0xB1, 0xBC, 0xC1, 0xA5, 0xC8};
    u64 v = next(r);
    u8 modrm = (u8)(v >> 24 | ((v >> 40) & 1 ? 0xC0 : 0));

    switch (v & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4: return (u8)(out[0] = with_modrm[(v >> 8) % sizeof with_modrm], out[1] = modrm, 2);
    case 5:
    case 6: return (u8)(out[0] = alone[(v >> 8) % sizeof alone], 1);
    case 7: return (u8)(out[0] = 0xF3, out[1] = (u8)(0xA4 + ((v >> 8) & 1) + ((v >> 9) & 1 ? 6 : 0)), 2);
    case 8: return (u8)(out[0] = 0x0F, out[1] = two_bytes[(v >> 8) % sizeof two_bytes], out[2] = modrm, 3);
    case 9: return (u8)(out[0] = (u8)(0x70 | (v >> 8 & 15)), out[1] = (u8)(v >> 16), 2); /* Jcc, anywhere near */
    case 10: return (u8)(out[0] = (u8)(0x70 | (v >> 8 & 15)), out[1] = (u8)(v >> 16 & 15), 2);
    case 11: return (u8)(out[0] = 0xE2, out[1] = (u8)(0xF0 | v >> 16), 2); /* LOOP */
    case 12:
        return (u8)(out[0] = (v >> 12 & 3) == 0 ? 0xE8 : 0xEB, out[1] = (u8)(v >> 16 & 0x1F), out[2] = 0, out[3] = 0,
                    out[4] = 0, out[0] == 0xE8 ? 5 : 2);
    case 13: return (u8)(out[0] = 0x83, out[1] = modrm | 0xC0, out[2] = (u8)(v >> 16), 3);
    case 14: return (u8)(out[0] = 0xC1, out[1] = modrm | 0xC0, out[2] = (u8)(v >> 16), 3);
    default: /* a prefix: operand size, REX.W, FS or GS */
        out[0] = (const u8[]){0x66, 0x48, 0x64, 0x65}[v >> 12 & 3];
        return 1;
    }
}

static void fill_with_instructions(struct box *b, struct rng *r)
{
    for (paddr_t at = 0; at < 0x10000;) {
        u8 bytes[8];
        u8 size = random_instruction(r, bytes);

        if (at < 0x1000 || at >= 0x3000)
            physmem_write(b->physmem, at, bytes, size, INITIATOR_LOADER);
        at += size;
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
                            .attr = (u16)(SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED |
                                          (t.new_cpl << SEG_DPL_SHIFT) | (next(r) & SEG_DB))};
    t.rip = next(r) & 0xFFFF;
    t.rsp = next(r) & 0xFFFF8;
    t.rflags = (next(r) & (FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_AC | FLAG_NT | FLAG_ID)) | FLAG_FIXED1;
    if (mode == 1 || (next(r) & 15) == 0)
        t.rflags |= next(r) & FLAG_TF;
    t.stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    for (unsigned s = ES; s <= GS; s++)
        if (s != CS && s != SS)
            cpu->arch.seg[s] = t.ss;
    cpu->arch.seg[FS].base = next(r) & 0xFFFF;
    cpu->arch.seg[GS].base = next(r) & 0xFFFF;
    ring_commit(cpu, &t);
    cpu->arch.rip = cpu->d.next_rip;
}

/* Everything that must be equal. */
struct outcome {
    u64 state, memory, ticks, retired, rip;
};

/* in: until  a tick; the run ends there at the latest */
static struct outcome run(u64 seed, enum engine_kind engine, u64 until)
{
    static const char *const models[] = {"max,vendor=intel", "max,vendor=amd", "pentium", "486", "core2"};
    bool instructions = seed % 2 == 0;
    u64 stretch = instructions ? 1000 : 200; /* ticks between two new states */
    struct rng r = {.state = seed};
    struct cpu_model model;
    struct outcome outcome;
    struct error err;
    struct box b = {0};

    assert_true(cpu_model_parse(&model, models[seed % ARRAY_LEN(models)], &err));
    clock_init(&b.clock);
    b.timer = (struct timer){.fire = request_interrupt, .context = &b, .name = "random"};
    b.physmem = physmem_new(RAM_BYTES, &err);
    assert_non_null(b.physmem);
    b.ports = ports_new();
    b.cpu = cpu_new(&model, 0, &b.clock, b.physmem, b.ports);
    b.cpu->host.ports = (struct cpu_ports){
        .context = &b, .interrupt_acknowledge = random_vector, .interrupt_pending = interrupt_pending};
    engine_attach(b.cpu);
    engine_select(b.cpu, engine);
    ring_reset(b.cpu);
    b.cpu->arch.rip = b.cpu->d.next_rip;
    if (seed & 8)
        clock_arm(&b.clock, &b.timer, 100);
    fill_memory(&b, &r);
    if (instructions)
        fill_with_instructions(&b, &r);
    while (b.clock.ticks < until) {
        u64 end = b.clock.ticks + stretch;

        random_state(&b, &r);
        b.cpu->arch.activity = ACTIVE;
        b.cpu->host.stop = STOP_NONE;
        if (engine_run(b.cpu, end < until ? end : until) != ENGINE_TICK)
            b.clock.ticks++; /* halted or stopped: a new state */
    }
    outcome = (struct outcome){cpu_state_hash(b.cpu), physmem_hash(b.physmem), b.clock.ticks, clock_retired(&b.clock),
                               b.cpu->arch.rip};
    engine_detach(b.cpu);
    cpu_free(b.cpu);
    ports_free(b.ports);
    physmem_free(b.physmem);
    return outcome;
}

static bool equal(u64 seed, u64 until)
{
    struct outcome step = run(seed, ENGINE_STEP, until), block = run(seed, ENGINE_BLOCK, until);

    return memcmp(&step, &block, sizeof step) == 0;
}

/* The first tick at which the engines have parted, when the run stops there. */
static void fail_at_first_difference(u64 seed)
{
    struct outcome step, block;
    u64 low = 0, high = RUN_TICKS;

    while (high - low > 1) {
        u64 middle = (low + high) / 2;

        if (equal(seed, middle))
            low = middle;
        else
            high = middle;
    }
    step = run(seed, ENGINE_STEP, high);
    block = run(seed, ENGINE_BLOCK, high);
    fail_msg(
        "seed %llu: equal at tick %llu (rip %llx), different at %llu: state %d, memory %d, ticks %llu %llu, retired "
        "%llu %llu, rip %llx %llx",
        (unsigned long long)seed, (unsigned long long)low, (unsigned long long)run(seed, ENGINE_STEP, low).rip,
        (unsigned long long)high, step.state != block.state, step.memory != block.memory,
        (unsigned long long)step.ticks, (unsigned long long)block.ticks, (unsigned long long)step.retired,
        (unsigned long long)block.retired, (unsigned long long)step.rip, (unsigned long long)block.rip);
}

static void random_code_is_harmless_and_equal_on_both_engines(void **state)
{
    const char *rounds = getenv("RINGSIDE_RANDOM_ROUNDS"), *first = getenv("RINGSIDE_RANDOM_SEED");
    u64 seed = first ? strtoull(first, NULL, 0) : 1, count = rounds ? strtoull(rounds, NULL, 0) : ROUNDS;

    (void)state;
    for (u64 i = 0; i < count; i++, seed++)
        if (!equal(seed, RUN_TICKS))
            fail_at_first_difference(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_code_is_harmless_and_equal_on_both_engines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
