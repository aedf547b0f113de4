/* SPDX-License-Identifier: MIT
 * A processor in 64-bit mode with a small identity map, for tests that decode and execute single instructions.
 *
 * Linear 0-2 MiB is mapped in 4 KiB pages to itself, except FIXTURE_HOLE; FIXTURE_WINDOW is a 2 MiB page.
 */
#ifndef RINGSIDE_TESTS_ISA_FIXTURE_H
#define RINGSIDE_TESTS_ISA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/fault.h"
#include "cpu/flags.h"
#include "cpu/isa/insn.h"

#define FIXTURE_CODE 0x10000u
#define FIXTURE_STACK 0x20000u
#define FIXTURE_DATA 0x30000u
#define FIXTURE_HOLE 0x40000u /* not present, one page */
#define FIXTURE_WINDOW 0x20000000u
#define FIXTURE_WINDOW_PHYSICAL 0x200000u

struct fixture {
    struct cpu *cpu;
    struct clock clock;
    struct physmem *pm;
    struct ports *io;
    struct insn insn;
};

enum fixture_kind { FIXTURE_64, FIXTURE_32, FIXTURE_16 };

static inline void fixture_write(struct fixture *fx, paddr_t at, const void *bytes, size_t size)
{
    physmem_write(fx->pm, at, bytes, size, INITIATOR_LOADER);
}

static inline void fixture_write64(struct fixture *fx, paddr_t at, u64 value)
{
    fixture_write(fx, at, &value, sizeof value);
}

static inline u64 fixture_read(struct fixture *fx, paddr_t at, unsigned size)
{
    u64 value = 0;

    physmem_read(fx->pm, at, &value, size, INITIATOR_LOADER);
    return value;
}

static inline void fixture_pages(struct fixture *fx)
{
    enum { PML4 = 0x1000, PDPT = 0x2000, PD = 0x3000, PT = 0x4000, RW = 3, LARGE = 0x83 };

    fixture_write64(fx, PML4, PDPT | RW);
    fixture_write64(fx, PDPT, PD | RW);
    fixture_write64(fx, PD, PT | RW);
    fixture_write64(fx, PD + 8 * (FIXTURE_WINDOW >> 21), FIXTURE_WINDOW_PHYSICAL | LARGE);
    for (u64 page = 0; page < 512; page++)
        fixture_write64(fx, PT + 8 * page, page == FIXTURE_HOLE >> 12 ? 0 : (page << 12) | RW);
    fx->cpu->arch.cr3 = PML4;
}

/* 64-bit mode, or protected mode without paging and 32- or 16-bit code and stack. */
static inline void fixture_open(struct fixture *fx, enum fixture_kind kind)
{
    struct cpu_model model = {.vendor = VENDOR_INTEL,
                              .family = 6,
                              .physical_bits = 36,
                              .linear_bits = 48,
                              .has_cpuid = true,
                              .generation = 6};
    struct error err = {0};
    struct cpu_arch *arch;
    u16 size = kind == FIXTURE_64 ? SEG_L : kind == FIXTURE_32 ? SEG_DB : 0;
    u16 data = SEG_PRESENT | SEG_S | SEG_WRITABLE | SEG_ACCESSED;

    memset(model.feature, true, sizeof model.feature);
    model.feature[FEAT_LA57] = false;
    memset(fx, 0, sizeof *fx);
    clock_init(&fx->clock);
    fx->pm = physmem_new(16u << 20, &err);
    assert_non_null(fx->pm);
    fx->io = NULL;
    fx->cpu = cpu_new(&model, 0, &fx->clock, fx->pm, fx->io);
    arch = &fx->cpu->arch;
    for (unsigned s = ES; s <= GS; s++)
        arch->seg[s] = (struct segment){.selector = 0x10,
                                        .limit = kind == FIXTURE_16 ? 0xFFFF : 0xFFFFFFFF,
                                        .attr = (u16)(data | (kind == FIXTURE_16 ? 0 : SEG_DB | SEG_G))};
    arch->seg[CS].selector = 8;
    arch->seg[CS].attr = (u16)(SEG_PRESENT | SEG_S | SEG_CODE | SEG_READABLE | SEG_ACCESSED | size);
    arch->cr0 = CR0_PE | CR0_ET;
    if (kind == FIXTURE_64) {
        fixture_pages(fx);
        arch->cr0 |= CR0_PG | CR0_WP;
        arch->cr4 = CR4_PAE;
        arch->msr.efer = EFER_LME | EFER_LMA | EFER_NXE;
    }
    cpu_update_paging(fx->cpu);
    cpu_update_derived(fx->cpu);
    arch->gpr[RSP] = kind == FIXTURE_16 ? 0x8000 : FIXTURE_STACK;
    flags_put(fx->cpu, FLAG_FIXED1);
}

static inline void fixture_close(struct fixture *fx)
{
    cpu_free(fx->cpu);
    physmem_free(fx->pm);
}

/* Decode these bytes and execute them once at RIP.
 * returns: the vector raised, or -1. Afterwards cpu->d.next_rip says where execution goes. */
static inline int fixture_run(struct fixture *fx, const void *bytes, unsigned size)
{
    struct cpu *cpu = fx->cpu;

    assert_int_equal(insn_decode(&fx->insn, bytes, size, cpu->d.decode_key, &cpu->model), DECODE_OK);
    assert_int_equal(fx->insn.length, size);
    cpu->d.next_rip = cpu->arch.rip + size;
    if (cpu->d.stop_tick == 0)
        cpu->d.stop_tick = CLOCK_NEVER;
    if (setjmp(cpu->host.unwind) != 0)
        return cpu->host.fault.vector;
    insn_execute(cpu, &fx->insn);
    return -1;
}

#define RUN(fx, ...) fixture_run((fx), (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

#endif
