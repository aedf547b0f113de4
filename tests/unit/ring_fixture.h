/* SPDX-License-Identifier: MIT
 * A processor on a small memory with flat descriptor tables, for tests that call the ring mechanisms directly.
 */
#ifndef RINGSIDE_TESTS_UNIT_RING_FIXTURE_H
#define RINGSIDE_TESTS_UNIT_RING_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/fault.h"
#include "cpu/flags.h"
#include "cpu/ring/descriptor.h"
#include "cpu/ring/mechanisms.h"

/* A test calls setjmp() for each call that may raise, and changes no local between the two returns of one setjmp(). */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wclobbered"
#endif

/* Where things lie in the 2 MiB of memory (linear = physical). */
enum {
    AT_PAGING = 0x1000,
    AT_GDT = 0x8000,
    AT_IDT = 0x9000,
    AT_TSS = 0xA000,
    AT_KERNEL_STACK = 0x10000,
    AT_IST1 = 0x12000,
    AT_USER_STACK = 0x14000,
    AT_CODE = 0x20000
};

/* Selectors of the GDT below, RPL 0. */
enum {
    SEL_CODE32 = 0x08,
    SEL_DATA32 = 0x10,
    SEL_UCODE32 = 0x18,
    SEL_UDATA32 = 0x20,
    SEL_CODE64 = 0x28,
    SEL_UCODE64 = 0x30,
    SEL_CONFORMING = 0x38,
    SEL_TSS = 0x40,
    SEL_UDATA16 = 0x50,
    SEL_CODE_LD = 0x58,
    SEL_ABSENT_CODE = 0x60,
    SEL_ABSENT_UDATA = 0x68,
    SEL_CODE1 = 0x70,
    SEL_SMALL_UCODE = 0x78,
    SEL_END = 0x80
};

struct fixture_insn {
    u64 rip, retired;
    unsigned length;
};

struct ring_fixture {
    struct cpu *cpu;
    struct physmem *pm;
    struct clock clock;
    struct cpu_observer observer;
    struct transition last; /* what the observer saw last */
    struct side_event side;
    unsigned transitions, sides;
    struct fixture_insn insn[16]; /* for a test that observes instructions */
    unsigned insns;
};

static inline void fixture_transition(void *context, struct cpu *cpu, const struct transition *t)
{
    struct ring_fixture *f = context;

    (void)cpu;
    f->last = *t;
    f->transitions++;
}

static inline void fixture_side(void *context, struct cpu *cpu, const struct side_event *event)
{
    struct ring_fixture *f = context;

    (void)cpu;
    f->side = *event;
    f->sides++;
}

/* True when the call raised; the fault is then in cpu->host.fault. */
#define RAISES(f, call) (setjmp((f)->cpu->host.unwind) != 0 || ((call), false))

#define ASSERT_FAULT(f, call, vec, code, rule_id)                                                                      \
    do {                                                                                                               \
        assert_true(RAISES(f, call));                                                                                  \
        assert_int_equal((f)->cpu->host.fault.vector, (vec));                                                          \
        assert_int_equal((f)->cpu->host.fault.error, (code));                                                          \
        assert_int_equal((f)->cpu->host.fault.rule, (rule_id));                                                        \
    } while (0)
#define ASSERT_COMPLETES(f, call) assert_false(RAISES(f, call))

static inline void put(struct ring_fixture *f, paddr_t at, u64 value, unsigned size)
{
    physmem_write(f->pm, at, &value, size, INITIATOR_LOADER);
}

static inline u64 get(struct ring_fixture *f, paddr_t at, unsigned size)
{
    u64 value = 0;

    physmem_read(f->pm, at, &value, size, INITIATOR_LOADER);
    return value;
}

static inline void put_descriptor(struct ring_fixture *f, u16 selector, u64 base, u32 limit, u16 attr)
{
    u64 raw = (limit & 0xFFFFu) | (base & 0xFFFFFF) << 16 | (u64)(attr & 0xFF) << 40 | (u64)(limit >> 16 & 0xF) << 48 |
              (u64)(attr >> 8 & 0xF) << 52 | (base >> 24 & 0xFF) << 56;

    put(f, AT_GDT + (selector & 0xFFF8u), raw, 8);
}

/* A gate of the given type and DPL, present. wide: 16 bytes. */
static inline void put_gate(struct ring_fixture *f, u8 vector, unsigned type, u8 dpl, u16 selector, u64 offset, u8 ist,
                            bool wide)
{
    u64 low = (offset & 0xFFFF) | (u64)selector << 16 | (u64)ist << 32 | (u64)(0x80u | dpl << 5 | type) << 40 |
              (offset >> 16 & 0xFFFF) << 48;

    put(f, AT_IDT + vector * (wide ? 16u : 8u), low, 8);
    if (wide)
        put(f, AT_IDT + vector * 16u + 8, offset >> 32, 8);
}

static inline void fixture_tables(struct ring_fixture *f, bool long_mode)
{
    struct cpu_arch *a = &f->cpu->arch;

    put_descriptor(f, SEL_CODE32, 0, 0xFFFFF, 0xC9A);
    put_descriptor(f, SEL_DATA32, 0, 0xFFFFF, 0xC92);
    put_descriptor(f, SEL_UCODE32, 0, 0xFFFFF, 0xCFA);
    put_descriptor(f, SEL_UDATA32, 0, 0xFFFFF, 0xCF2);
    put_descriptor(f, SEL_CODE64, 0, 0xFFFFF, 0xA9A);
    put_descriptor(f, SEL_UCODE64, 0, 0xFFFFF, 0xAFA);
    put_descriptor(f, SEL_CONFORMING, 0, 0xFFFFF, long_mode ? 0xA9E : 0xC9E);
    put_descriptor(f, SEL_TSS, AT_TSS, 0x67, 0x8B);
    put(f, AT_GDT + SEL_TSS + 8, 0, 8);
    put_descriptor(f, SEL_UDATA16, 0, 0xFFFF, 0x0F2);
    put_descriptor(f, SEL_CODE_LD, 0, 0xFFFFF, 0xE9A);
    put_descriptor(f, SEL_ABSENT_CODE, 0, 0xFFFFF, long_mode ? 0xA1A : 0xC1A);
    put_descriptor(f, SEL_ABSENT_UDATA, 0, 0xFFFFF, 0xC72);
    put_descriptor(f, SEL_CODE1, 0, 0xFFFFF, 0xCBA);
    put_descriptor(f, SEL_SMALL_UCODE, 0, 0xFFF, 0x4FA);
    a->gdtr = (struct table_register){.base = AT_GDT, .limit = SEL_END - 1};
    a->idtr = (struct table_register){.base = AT_IDT, .limit = 0xFFF};
    a->tr = (struct segment){.selector = SEL_TSS, .attr = 0x8B, .limit = 0x67, .base = AT_TSS};
    if (long_mode) {
        put(f, AT_TSS + 4, AT_KERNEL_STACK, 8);
        put(f, AT_TSS + 0x24, AT_IST1, 8);
    } else {
        put(f, AT_TSS + 4, AT_KERNEL_STACK, 4);
        put(f, AT_TSS + 8, SEL_DATA32, 4);
    }
}

/* Load CS and SS from the GDT and enter a privilege level, through the door. */
static inline void fixture_enter(struct ring_fixture *f, u16 cs, u16 ss, u64 rip, u64 rsp, u64 rflags)
{
    struct transition t = transition_begin(f->cpu, MECH_RESTORE);
    struct descriptor d = {0};

    t.new_cpl = cs & 3;
    assert_true(descriptor_fetch(f->cpu, cs, &d));
    t.cs = descriptor_segment(&d, cs);
    if (selector_is_null(ss)) {
        t.ss = segment_null(ss, t.new_cpl);
    } else {
        assert_true(descriptor_fetch(f->cpu, ss, &d));
        t.ss = descriptor_segment(&d, ss);
    }
    t.rip = rip;
    t.rsp = rsp;
    t.rflags = rflags;
    t.stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    ring_commit(f->cpu, &t);
    f->cpu->arch.rip = rip;
    f->cpu->d.next_rip = rip + 2;
    f->transitions = f->sides = 0;
}

static inline void fixture_vm86(struct ring_fixture *f, u64 rflags)
{
    struct transition t = transition_begin(f->cpu, MECH_RESTORE);

    t.new_cpl = 3;
    t.cs = segment_vm86(0x2000);
    t.ss = segment_vm86(0x1400);
    t.rsp = 0x100;
    t.rip = 0x10;
    t.rflags = rflags | FLAG_VM;
    t.stage = STAGE_SS | STAGE_RSP | STAGE_RFLAGS;
    for (enum seg s = ES; s <= GS; s++)
        if (s != CS && s != SS)
            f->cpu->arch.seg[s] = segment_vm86((u16)(0x3000 + s));
    ring_commit(f->cpu, &t);
    f->cpu->arch.rip = 0x10;
    f->cpu->d.next_rip = 0x12;
    f->transitions = f->sides = 0;
}

static inline struct ring_fixture *fixture_new(enum cpu_vendor vendor)
{
    struct ring_fixture *f = calloc(1, sizeof *f);
    struct cpu_model model = {.name = "test",
                              .vendor = vendor,
                              .family = 6,
                              .model = 15,
                              .stepping = 1,
                              .physical_bits = 40,
                              .linear_bits = 48,
                              .has_cpuid = true,
                              .generation = 6};
    struct error err;

    for (unsigned i = 0; i < CPU_FEATURES; i++)
        model.feature[i] = i != FEAT_LA57;
    clock_init(&f->clock);
    f->pm = physmem_new(2 << 20, &err);
    f->cpu = cpu_new(&model, 0, &f->clock, f->pm, NULL);
    f->observer = (struct cpu_observer){.context = f, .transition = fixture_transition, .side = fixture_side};
    f->cpu->host.observer = &f->observer;
    return f;
}

/* 32-bit protected mode without paging, at CPL 0. */
static inline struct ring_fixture *fixture_protected(enum cpu_vendor vendor)
{
    struct ring_fixture *f = fixture_new(vendor);

    f->cpu->arch.cr0 = CR0_PE | CR0_ET;
    fixture_tables(f, false);
    cpu_update_paging(f->cpu);
    fixture_enter(f, SEL_CODE32, SEL_DATA32, AT_CODE, AT_KERNEL_STACK - 0x100, FLAG_FIXED1);
    return f;
}

/* 64-bit mode at CPL 0, the first GiB mapped for everyone by 2 MiB pages. */
static inline struct ring_fixture *fixture_long(enum cpu_vendor vendor)
{
    struct ring_fixture *f = fixture_new(vendor);
    struct cpu_arch *a = &f->cpu->arch;

    put(f, AT_PAGING, (AT_PAGING + 0x1000) | 7, 8);
    put(f, AT_PAGING + 0x1000, (AT_PAGING + 0x2000) | 7, 8);
    put(f, AT_PAGING + 0x2000, 0x87, 8);
    a->cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_WP;
    a->cr4 = CR4_PAE;
    a->cr3 = AT_PAGING;
    a->msr.efer = EFER_LME | EFER_LMA | EFER_SCE | EFER_NXE;
    fixture_tables(f, true);
    cpu_update_paging(f->cpu);
    fixture_enter(f, SEL_CODE64, SEL_DATA32, AT_CODE, AT_KERNEL_STACK - 0x100, FLAG_FIXED1);
    return f;
}

static inline void fixture_free(struct ring_fixture *f)
{
    cpu_free(f->cpu);
    physmem_free(f->pm);
    free(f);
}

#endif
