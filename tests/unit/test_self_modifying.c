/* SPDX-License-Identifier: MIT
 * Instructions that write over themselves or over the next one in ways that are easy to miss: both engines must do what
 * the processor does. Bare 32-bit code, flat segments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/engine/engine.h"
#include "cpu/ring/mechanisms.h"

#define RAM_BYTES (1u << 20)
#define ENOUGH_TICKS 200u
#define JUMP_TO_SELF "\xEB\xFE"
#define DIRECTORY 0x10000u
#define TABLE 0x11000u

struct box {
    struct clock clock;
    struct physmem *pm;
    struct ports *ports;
    struct cpu *cpu;
};

static u64 device_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    (void)device, (void)offset, (void)size, (void)who;
    return 0;
}

static void device_write(void *device, u64 offset, u64 value, unsigned size, enum initiator who)
{
    (void)device, (void)offset, (void)value, (void)size, (void)who;
}

static void put(struct box *b, paddr_t at, const void *bytes, size_t size)
{
    physmem_write(b->pm, at, bytes, size, INITIATOR_LOADER);
}

static void put32(struct box *b, paddr_t at, u32 value) { put(b, at, &value, sizeof value); }

static void open_box(struct box *b, enum engine_kind engine)
{
    struct cpu_model model;
    struct error err;

    *b = (struct box){0};
    assert_true(cpu_model_parse(&model, "max", &err));
    clock_init(&b->clock);
    b->pm = physmem_new(RAM_BYTES, &err);
    assert_non_null(b->pm);
    b->ports = ports_new();
    b->cpu = cpu_new(&model, 0, &b->clock, b->pm, b->ports);
    engine_attach(b->cpu);
    engine_select(b->cpu, engine);
    ring_reset(b->cpu);
}

static void close_box(struct box *b)
{
    engine_detach(b->cpu);
    cpu_free(b->cpu);
    ports_free(b->ports);
    physmem_free(b->pm);
}

static void run_at(struct box *b, u64 rip, u64 rsp, u64 paging)
{
    const u16 data = SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED | SEG_DB;
    struct ring_state before = ring_state_of(b->cpu, b->cpu->d.next_rip);
    struct cpu *cpu = b->cpu;
    struct transition t;

    cpu->arch.cr0 = CR0_ET | CR0_NE | CR0_PE | paging;
    cpu->arch.cr3 = DIRECTORY;
    cpu_update_paging(cpu);
    ring_commit_mode(cpu, MECH_RESTORE, &before);
    t = transition_begin(cpu, MECH_RESTORE);
    t.new_cpl = 0;
    t.cs = (struct segment){.selector = 8,
                            .limit = 0xFFFFFFFF,
                            .attr = SEG_PRESENT | SEG_S | SEG_CODE | SEG_READABLE | SEG_ACCESSED | SEG_DB};
    t.ss = (struct segment){.selector = 16, .limit = 0xFFFFFFFF, .attr = data};
    t.rip = rip;
    t.rsp = rsp;
    t.rflags = FLAG_FIXED1;
    t.stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    for (unsigned s = ES; s <= GS; s++)
        if (s != CS && s != SS)
            cpu->arch.seg[s] = t.ss;
    ring_commit(cpu, &t);
    cpu->arch.rip = cpu->d.next_rip;
    cpu->arch.activity = ACTIVE;
    assert_int_equal(engine_run(cpu, b->clock.ticks + ENOUGH_TICKS), ENGINE_TICK);
}

/* PUSHA stores over its own bytes, and then reaches a device: it is not begun again with what it stored. */
static void pusha_over_itself_into_a_device(enum engine_kind engine)
{
    static const struct mmio_ops ops = {.read = device_read, .write = device_write};
    static const u8 code[] =
        "\x90\x43\x43\x43\x60\x43\x43\x43\x43\x43\x43" JUMP_TO_SELF; /* nop; 3 inc ebx; pusha; ... */
    struct box b;

    open_box(&b, engine);
    physmem_map_mmio(b.pm, 0x8000, 0x1000, &ops, NULL, "device");
    put(&b, 0x9008, code, sizeof code - 1);
    b.cpu->arch.gpr[RAX] = 0x90909090;
    run_at(&b, 0x9008, 0x9010, 0);
    assert_int_equal(b.cpu->arch.gpr[RSP], 0x9010 - 32);
    close_box(&b);
}

/* The walk of CMP's operand sets the accessed bit in a paging entry whose bytes are the jump's displacement: 03h
 * becomes 23h, and the jump behind CMP goes that far. */
static void accessed_bit_in_the_next_instruction(enum engine_kind engine)
{
    const u32 entry = TABLE + 0x140 * 4; /* of linear page 140h, which CMP reads */
    struct box b;

    open_box(&b, engine);
    put32(&b, DIRECTORY, TABLE | 0x27);
    for (u32 page = 0; page < RAM_BYTES >> PAGE_SHIFT; page++)
        put32(&b, TABLE + 4 * page, page << PAGE_SHIFT | 0x63);
    put(&b, entry - 5, "\x90\x80\x38\x00\x75", 5); /* nop; cmp byte [eax], 0; jne ... */
    put32(&b, entry, 0x00090003);                  /* ... its displacement; present, writable, at 90000h */
    put(&b, 0x90000, "\x01", 1);
    for (unsigned i = 4; i < 0x40; i++)
        put(&b, entry + i, "\x43", 1); /* inc ebx */
    put(&b, entry + 0x40, JUMP_TO_SELF, 2);
    b.cpu->arch.gpr[RAX] = 0x140000;
    run_at(&b, entry - 5, 0x8000, CR0_PG);
    assert_int_equal(b.cpu->arch.gpr[RBX], 0x40 - (1 + 0x23));
    close_box(&b);
}

static void test_pusha(void **state)
{
    (void)state;
    pusha_over_itself_into_a_device(ENGINE_STEP);
    pusha_over_itself_into_a_device(ENGINE_BLOCK);
}

static void test_accessed_bit(void **state)
{
    (void)state;
    accessed_bit_in_the_next_instruction(ENGINE_STEP);
    accessed_bit_in_the_next_instruction(ENGINE_BLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pusha), cmocka_unit_test(test_accessed_bit)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
