/* SPDX-License-Identifier: MIT
 * A processor with descriptor tables in 1 MiB of memory, for tests of segments, far transfers and tasks.
 */
#ifndef RINGSIDE_TESTS_SEGMENT_FIXTURE_H
#define RINGSIDE_TESTS_SEGMENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "cpu/fault.h"
#include "cpu/flags.h"
#include "cpu/ring/descriptor.h"
#include "cpu/ring/mechanisms.h"

#define GDT_AT 0x1000u
#define LDT_AT 0x3000u
#define TSS_AT 0x4000u
#define TSS2_AT 0x5000u

/* Access byte: P, S set; the rest by name. */
#define ACCESS(dpl, type) (0x90u | (dpl) << 5 | (type))
#define SYSTEM(dpl, type) (0x80u | (dpl) << 5 | (type))
#define TYPE_DATA SEG_WRITABLE
#define TYPE_CODE (SEG_CODE | SEG_READABLE)
/* Flags nibble (G, D/B, L, AVL). */
#define FLAT32 0xCu
#define FLAT64 0xAu
#define BYTES16 0x0u

/* Selectors of the standard table. */
enum {
    CODE0 = 0x08,
    DATA0 = 0x10,
    CODE3 = 0x1B,
    DATA3 = 0x23,
    TSS_SEL = 0x28,
    LDT_SEL = 0x30,
    CONFORM0 = 0x38,
    CODE64 = 0x40,
    CODE64_3 = 0x4B,
    TSS2_SEL = 0x50,
    CODE16 = 0x58,
    DATA16 = 0x60,
    STACK16_3 = 0x6B,
    FREE = 0x80,
};

struct fixture {
    struct cpu *cpu;
    struct physmem *pm;
    struct clock clock;
    struct ports *io;
    struct cpu_observer observer;
    unsigned transitions;
    struct transition last;
};

static inline void fixture_observe(void *context, struct cpu *cpu, const struct transition *t)
{
    struct fixture *f = context;

    (void)cpu;
    f->transitions++;
    f->last = *t;
}

static inline u64 make_descriptor(u32 base, u32 limit, unsigned access, unsigned flags)
{
    return (limit & 0xFFFF) | (u64)(base & 0xFFFFFF) << 16 | (u64)access << 40 | (u64)(limit >> 16 & 0xF) << 48 |
           (u64)flags << 52 | (u64)(base >> 24) << 56;
}
static inline u64 make_gate(u16 selector, u32 offset, unsigned access, unsigned parameters)
{
    return (offset & 0xFFFF) | (u64)selector << 16 | (u64)parameters << 32 | (u64)access << 40 |
           (u64)(offset >> 16) << 48;
}

static inline void put(struct fixture *f, paddr_t at, u64 value, unsigned size)
{
    physmem_write(f->pm, at, &value, size, INITIATOR_LOADER);
}
static inline u64 get(struct fixture *f, paddr_t at, unsigned size)
{
    u64 value = 0;

    physmem_read(f->pm, at, &value, size, INITIATOR_LOADER);
    return value;
}
static inline void gdt_put(struct fixture *f, u16 selector, u64 raw) { put(f, GDT_AT + (selector & 0xFFF8u), raw, 8); }
static inline u64 gdt_get(struct fixture *f, u16 selector) { return get(f, GDT_AT + (selector & 0xFFF8u), 8); }

/* Put the processor at a level with these segments, through the door. */
static inline void enter(struct fixture *f, u16 cs, u16 ss, u64 rip, u64 rsp)
{
    struct transition t = transition_begin(f->cpu, MECH_RESTORE);
    struct descriptor d = descriptor_parse(gdt_get(f, cs));

    t.new_cpl = selector_rpl(cs);
    t.cs = descriptor_segment(&d, cs);
    d = descriptor_parse(gdt_get(f, ss));
    t.ss = descriptor_segment(&d, ss);
    t.rip = rip;
    t.rsp = rsp;
    t.stage = STAGE_SS | STAGE_RSP;
    ring_commit(f->cpu, &t);
    f->cpu->arch.rip = rip;
    f->cpu->d.next_rip = rip + 7;
    f->transitions = 0;
}

static inline void fixture_tables(struct fixture *f)
{
    struct cpu_arch *a = &f->cpu->arch;

    a->gdtr.base = GDT_AT;
    a->gdtr.limit = 0xFF;
    gdt_put(f, CODE0, make_descriptor(0, 0xFFFFF, ACCESS(0u, TYPE_CODE), FLAT32));
    gdt_put(f, DATA0, make_descriptor(0, 0xFFFFF, ACCESS(0u, TYPE_DATA), FLAT32));
    gdt_put(f, CODE3, make_descriptor(0, 0xFFFFF, ACCESS(3u, TYPE_CODE), FLAT32));
    gdt_put(f, DATA3, make_descriptor(0, 0xFFFFF, ACCESS(3u, TYPE_DATA), FLAT32));
    gdt_put(f, TSS_SEL, make_descriptor(TSS_AT, 0x67, SYSTEM(0u, SYS_TSS_BUSY), 0));
    gdt_put(f, LDT_SEL, make_descriptor(LDT_AT, 0x1F, SYSTEM(0u, SYS_LDT), 0));
    gdt_put(f, CONFORM0, make_descriptor(0, 0xFFFFF, ACCESS(0u, TYPE_CODE | SEG_CONFORMING), FLAT32));
    gdt_put(f, CODE64, make_descriptor(0, 0xFFFFF, ACCESS(0u, TYPE_CODE), FLAT64));
    gdt_put(f, CODE64_3, make_descriptor(0, 0xFFFFF, ACCESS(3u, TYPE_CODE), FLAT64));
    gdt_put(f, TSS2_SEL, make_descriptor(TSS2_AT, 0x67, SYSTEM(0u, SYS_TSS), 0));
    gdt_put(f, CODE16, make_descriptor(0, 0xFFFF, ACCESS(0u, TYPE_CODE), BYTES16));
    gdt_put(f, DATA16, make_descriptor(0, 0xFFFF, ACCESS(0u, TYPE_DATA), BYTES16));
    gdt_put(f, STACK16_3, make_descriptor(0, 0xFFFF, ACCESS(3u, TYPE_DATA), BYTES16));
    a->tr = (struct segment){.selector = TSS_SEL, .attr = SYSTEM(0u, SYS_TSS_BUSY), .limit = 0x67, .base = TSS_AT};
    a->ldtr = segment_null(0, 0);
}

/* A 32-bit protected-mode processor at CPL 0, paging off. */
static inline struct fixture *fixture_new(enum cpu_vendor vendor)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct cpu_model model = {.vendor = vendor, .physical_bits = 40, .linear_bits = 48, .generation = 6};
    struct error err;

    f->pm = physmem_new(1 << 20, &err);
    f->io = ports_new();
    clock_init(&f->clock);
    f->cpu = cpu_new(&model, 0, &f->clock, f->pm, f->io);
    f->observer = (struct cpu_observer){.context = f, .transition = fixture_observe};
    f->cpu->host.observer = &f->observer;
    f->cpu->arch.cr0 = CR0_PE | CR0_ET;
    flags_put(f->cpu, FLAG_FIXED1);
    fixture_tables(f);
    enter(f, CODE0, DATA0, 0x10000, 0x8000);
    return f;
}

/* 64-bit mode, linear = physical (the walk is not what is tested here). */
static inline struct fixture *fixture_new64(enum cpu_vendor vendor, u16 cs)
{
    struct fixture *f = fixture_new(vendor);

    f->cpu->arch.msr.efer |= EFER_LME | EFER_LMA;
    f->cpu->arch.cr4 |= CR4_PAE;
    enter(f, cs, (cs & 3) == 3 ? DATA3 : DATA0, 0x10000, 0x8000);
    return f;
}

static inline void fixture_real(struct fixture *f)
{
    struct transition t = transition_begin(f->cpu, MECH_RESTORE);

    f->cpu->arch.cr0 = CR0_ET;
    t.cs = (struct segment){.attr = 0x93, .limit = 0xFFFF};
    t.ss = t.cs;
    t.stage = STAGE_SS;
    ring_commit(f->cpu, &t);
    f->transitions = 0;
}

static inline void fixture_free(struct fixture *f)
{
    cpu_free(f->cpu);
    ports_free(f->io);
    physmem_free(f->pm);
    free(f);
}

/* Run a call that must raise, and check what. */
#define EXPECT_FAULT(f, call, vec, code, rule_id)                                                                      \
    do {                                                                                                               \
        if (setjmp((f)->cpu->host.unwind) == 0) {                                                                      \
            call;                                                                                                      \
            fail_msg("%s did not raise", #call);                                                                       \
        }                                                                                                              \
        assert_int_equal((f)->cpu->host.fault.vector, (vec));                                                          \
        assert_int_equal((f)->cpu->host.fault.error, (code));                                                          \
        assert_string_equal(rule_name((enum rule)(f)->cpu->host.fault.rule), rule_name(rule_id));                      \
    } while (0)

/* Run a call that must not raise. */
#define EXPECT_OK(f, call)                                                                                             \
    do {                                                                                                               \
        if (setjmp((f)->cpu->host.unwind) == 0)                                                                        \
            call;                                                                                                      \
        else                                                                                                           \
            fail_msg("%s raised vector %u error %x rule %s", #call, (f)->cpu->host.fault.vector,                       \
                     (f)->cpu->host.fault.error, rule_name((enum rule)(f)->cpu->host.fault.rule));                     \
    } while (0)

#endif
