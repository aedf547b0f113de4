/* SPDX-License-Identifier: MIT
 * A processor on 16 MiB of memory that holds as much of a Linux kernel as guest/guest.h looks at, built by hand.
 *
 * Link addresses are LINK + x, run addresses LINK + SLIDE + x. amd64: LINK + p is mapped to physical p by 2 MiB pages,
 * by two sets of tables, as with page-table isolation: the user's map the page of the entry stubs and the IDT alone.
 * i386: the same at 3 GiB by 4 MiB pages, one set of tables.
 */
#ifndef RINGSIDE_TESTS_GUEST_FIXTURE_H
#define RINGSIDE_TESTS_GUEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/ring/transition.h"
#include "guest/guest.h"

#define LINK64 0xFFFFFFFF80000000ull
#define LINK32 0xC0000000ull
#define SLIDE 0x400000u
#define KERNEL_CR3 0x2000u /* the user's tables are in the page behind */
#define USER_CR3 0x3000u

#define ORC_COUNT 3u

/* Physical places; run address = link + place, link address = that less the slide. */
enum {
    AT_GDT = 0x10000,
    AT_ENTRY = 0x800000, /* a 2 MiB page of its own: stubs */
    AT_IDT = 0x810000,
    AT_TEXT = 0xA00000,
    AT_BANNER = 0xB00000,
    AT_PERCPU = 0xB10000,
    AT_TASKS = 0xB20000, /* one every 4 KiB */
    AT_ORC = 0xB70000,   /* unwind table of ORC_COUNT entries: zeros, which stand for no address of the text */
    AT_MODULES = 0xB80000,
    AT_MODULE = 0xB81000, /* one every 4 KiB */
    AT_STACK = 0xC00000,
    AT_OTHER_PERCPU = 0xC10000,
};

/* Offsets inside the structures. */
enum {
    TASK_LIST = 0x40,
    TASK_PID = 0x80,
    TASK_TGID = 0x84,
    TASK_COMM = 0x100,
    MODULE_LIST = 8,
    MODULE_NAME = 24,
    MODULE_BASE = 0x80,
    MODULE_SIZE = 0x88,
    MODULE_KALLSYMS = 0x90,
    PERCPU_CURRENT = 0x100,
    PERCPU_THIS_OFF = 0x180,
};

struct guest_fixture {
    struct cpu *cpu;
    struct physmem *pm;
    struct clock clock;
    struct kernel kernel;
    struct guest *guest;
    u64 link; /* of physical 0, plus the slide: a run address is link + place */
};

static inline void poke(struct guest_fixture *f, u64 at, u64 value, unsigned size)
{
    physmem_write(f->pm, at, &value, size, INITIATOR_LOADER);
}

static inline u64 run(const struct guest_fixture *f, u64 place) { return f->link + place; }

/* A pointer of the kernel's width. */
static inline void poke_pointer(struct guest_fixture *f, u64 at, u64 value)
{
    poke(f, at, value, f->kernel.is64 ? 8 : 4);
}

static inline void add_symbol(struct guest_fixture *f, const char *name, char type, u64 place)
{
    symbols_add(f->kernel.symbols, run(f, place) - SLIDE, type, name, strlen(name));
}

static inline void put_gate(struct guest_fixture *f, unsigned vector, u64 target)
{
    unsigned size = f->kernel.is64 ? 16 : 8;
    u64 at = AT_IDT + vector * size;

    poke(f, at, (target & 0xFFFF) | 0x10 << 16 | (u64)0x8E00 << 32 | (target >> 16 & 0xFFFF) << 48, 8);
    if (size == 16)
        poke(f, at + 8, target >> 32, 8);
}

static inline void put_task(struct guest_fixture *f, unsigned i, u32 pid, u32 tgid, const char *comm)
{
    u64 at = AT_TASKS + i * PAGE_SIZE;
    char name[GUEST_COMM] = {0};

    memcpy(name, comm, strlen(comm));
    poke(f, at + TASK_PID, pid, 4);
    poke(f, at + TASK_TGID, tgid, 4);
    physmem_write(f->pm, at + TASK_COMM, name, sizeof name, INITIATOR_LOADER);
}

static inline u64 task_address(const struct guest_fixture *f, unsigned i) { return run(f, AT_TASKS + i * PAGE_SIZE); }

static inline void run_task(struct guest_fixture *f, unsigned i)
{
    poke_pointer(f, AT_PERCPU + PERCPU_CURRENT, task_address(f, i));
}

static inline void set_cr3(struct guest_fixture *f, u64 cr3)
{
    f->cpu->arch.cr3 = cr3;
    cpu_update_paging(f->cpu);
}

static inline void map_64(struct guest_fixture *f)
{
    for (unsigned user = 0; user < 2; user++) {
        u64 pml4 = user ? USER_CR3 : KERNEL_CR3, pdpt = 0x4000 + user * 0x2000, directory = pdpt + 0x1000;

        poke(f, pml4 + 511 * 8, pdpt | 3, 8);
        poke(f, pdpt + 510 * 8, directory | 3, 8);
        for (u64 i = 0; i < 8; i++)
            if (!user || i == AT_ENTRY >> 21)
                poke(f, directory + i * 8, i << 21 | 0x83, 8);
    }
    f->cpu->arch.cr0 = CR0_PE | CR0_PG | CR0_WP | CR0_ET;
    f->cpu->arch.cr4 = CR4_PAE;
    f->cpu->arch.msr.efer = EFER_LME | EFER_LMA | EFER_SCE;
}

static inline void map_32(struct guest_fixture *f)
{
    for (u64 i = 0; i < 4; i++)
        poke(f, KERNEL_CR3 + (768 + i) * 4, i << 22 | 0x83, 4);
    f->cpu->arch.cr0 = CR0_PE | CR0_PG | CR0_WP | CR0_ET;
    f->cpu->arch.cr4 = CR4_PSE;
}

static inline void fixture_symbols(struct guest_fixture *f)
{
    bool is64 = f->kernel.is64;

    add_symbol(f, is64 ? "entry_SYSCALL_64" : "entry_SYSENTER_32", 'T', AT_ENTRY + 0x80);
    add_symbol(f, "asm_exc_divide_error", 'T', AT_ENTRY + 0x200);
    add_symbol(f, "asm_exc_general_protection", 'T', AT_ENTRY + 0x240);
    add_symbol(f, "asm_exc_page_fault", 'T', AT_ENTRY + 0x280);
    add_symbol(f, "early_idt_handler_array", 'T', AT_ENTRY + 0x1000);
    add_symbol(f, "linux_banner", 'D', AT_BANNER);
    add_symbol(f, "outer", 't', AT_TEXT);
    add_symbol(f, "middle", 't', AT_TEXT + 0x100);
    add_symbol(f, "inner", 't', AT_TEXT + 0x200);
    add_symbol(f, "other", 't', AT_TEXT + 0x300);
    add_symbol(f, "ret_from_fork", 'T', AT_TEXT + 0x400);
    add_symbol(f, "__x86_indirect_thunk_rax", 'T', AT_TEXT + 0x500);
    add_symbol(f, "last", 'T', AT_TEXT + 0x600);
    add_symbol(f, "modules", 'D', AT_MODULES);
    add_symbol(f, "__start_orc_unwind_ip", 'D', AT_ORC);
    add_symbol(f, "__stop_orc_unwind_ip", 'D', AT_ORC + 4 * ORC_COUNT);
    add_symbol(f, "__start_orc_unwind", 'D', AT_ORC + 0x100);
    if (is64)
        symbols_add(f->kernel.symbols, PERCPU_THIS_OFF, 'A', "this_cpu_off", 12);
    symbols_sort(f->kernel.symbols);
}

static inline void fixture_layout(struct guest_fixture *f)
{
    f->kernel.layout = (struct kernel_layout){.known = true,
                                              .task_pid = TASK_PID,
                                              .task_tgid = TASK_TGID,
                                              .task_comm = TASK_COMM,
                                              .module_list = MODULE_LIST,
                                              .module_name = MODULE_NAME,
                                              .module_base = MODULE_BASE,
                                              .module_size = MODULE_SIZE,
                                              .module_kallsyms = MODULE_KALLSYMS,
                                              .kallsyms_symtab = 0,
                                              .kallsyms_count = 8,
                                              .kallsyms_strtab = 16};
}

static inline void fixture_area(struct guest_fixture *f)
{
    if (f->kernel.is64) {
        f->kernel.current_task = PERCPU_CURRENT;
        poke(f, AT_PERCPU + PERCPU_THIS_OFF, run(f, AT_PERCPU), 8);
        f->cpu->arch.seg[GS].base = run(f, AT_PERCPU);
    } else {
        /* A link-time address; the segment's base is how far the area was moved from there: not at all. */
        f->kernel.current_task = run(f, AT_PERCPU + PERCPU_CURRENT) - SLIDE;
        poke(f, AT_GDT + 0xD8, 0x00CF92000000FFFFull, 8);
        f->cpu->arch.gdtr = (struct table_register){.base = run(f, AT_GDT), .limit = 0xFF};
    }
}

/* A kernel that can be recognised, its idle task running, with or without a layout from its image. */
static inline struct guest_fixture *guest_fixture_new(bool is64, bool layout)
{
    static const char *const banner = "Linux version 6.1.0-test (made by hand)";
    struct guest_fixture *f = calloc(1, sizeof *f);
    struct cpu_model model;
    struct error err;

    assert_true(cpu_model_parse(&model, "max", &err));
    clock_init(&f->clock);
    f->pm = physmem_new(16 << 20, &err);
    f->cpu = cpu_new(&model, 0, &f->clock, f->pm, NULL);
    f->link = is64 ? LINK64 : LINK32;
    f->kernel = (struct kernel){.is64 = is64, .banner = banner, .release = "", .symbols = symbols_new()};
    if (layout)
        fixture_layout(f);
    if (is64)
        map_64(f);
    else
        map_32(f);
    set_cr3(f, KERNEL_CR3);
    fixture_symbols(f);
    fixture_area(f);
    physmem_write(f->pm, AT_BANNER, banner, strlen(banner), INITIATOR_LOADER);
    f->cpu->arch.idtr = (struct table_register){.base = run(f, AT_IDT), .limit = 0xFFF};
    put_gate(f, 0, run(f, AT_ENTRY + 0x200));
    put_gate(f, 13, run(f, AT_ENTRY + 0x240));
    put_gate(f, 14, run(f, AT_ENTRY + 0x280));
    if (is64)
        f->cpu->arch.msr.lstar = run(f, AT_ENTRY + 0x80);
    put_task(f, 0, 0, 0, "swapper/0");
    run_task(f, 0);
    poke_pointer(f, AT_MODULES, run(f, AT_MODULES));
    poke_pointer(f, AT_MODULES + (is64 ? 8 : 4), run(f, AT_MODULES));
    f->guest = guest_new(&f->kernel);
    return f;
}

static inline void guest_fixture_free(struct guest_fixture *f)
{
    guest_free(f->guest);
    symbols_free(f->kernel.symbols);
    cpu_free(f->cpu);
    physmem_free(f->pm);
    free(f);
}

static inline unsigned look(struct guest_fixture *f) { return guest_look(f->guest, f->cpu, false); }
static inline unsigned look_at_user(struct guest_fixture *f) { return guest_look(f->guest, f->cpu, true); }

#define ASSERT_TASK(f, number, group, name)                                                                            \
    do {                                                                                                               \
        assert_true(guest_task((f)->guest)->known);                                                                    \
        assert_int_equal(guest_task((f)->guest)->pid, (number));                                                       \
        assert_int_equal(guest_task((f)->guest)->tgid, (group));                                                       \
        assert_string_equal(guest_task((f)->guest)->comm, (name));                                                     \
    } while (0)

#endif
