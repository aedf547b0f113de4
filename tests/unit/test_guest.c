/* SPDX-License-Identifier: MIT
 * Awareness of a running kernel: slide, task, page-table isolation, layout by structure, modules, and what a hostile
 * memory does.
 */
#include "guest_fixture.h"

/* ---- the slide */

static void the_anchors_agree(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);
    u64 slide = 0;

    (void)state;
    assert_int_equal(look(f), GUEST_SLIDE | GUEST_TASK);
    assert_true(guest_slide(f->guest, &slide));
    assert_int_equal(slide, SLIDE);
    assert_string_equal(guest_slide_how(f->guest), "slide 400000: LSTAR=entry_SYSCALL_64, IDT 0,13,14, banner");
    assert_int_equal(look(f), 0);
    guest_fixture_free(f);
}

/* One anchor is none, whatever it is; a second one of any kind makes it a slide. */
static void one_anchor_is_not_enough(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);
    u64 slide = 0;

    (void)state;
    poke(f, AT_BANNER, 0, 8);
    for (unsigned vector = 0; vector < 15; vector++)
        put_gate(f, vector, 0);
    assert_int_equal(look(f), 0);
    assert_false(guest_slide(f->guest, &slide));
    assert_false(guest_task(f->guest)->known);
    put_gate(f, 14, run(f, AT_ENTRY + 0x280));
    for (unsigned i = 0; i < 200 && !guest_slide(f->guest, &slide); i++) /* it is asked again by and by */
        look(f);
    assert_int_equal(slide, SLIDE);
    guest_fixture_free(f);
}

/* LSTAR leads to a trampoline elsewhere, as with page-table isolation before 4.20: the IDT outvotes it. */
static void the_most_agree(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);
    u64 slide = 0;

    (void)state;
    f->cpu->arch.msr.lstar = run(f, AT_ENTRY + 0x80) + 0x200000;
    look(f);
    assert_true(guest_slide(f->guest, &slide));
    assert_int_equal(slide, SLIDE);
    assert_null(strstr(guest_slide_how(f->guest), "LSTAR"));
    guest_fixture_free(f);
}

static void a_tie_is_no_answer(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);
    u64 slide;

    (void)state;
    poke(f, AT_BANNER, 0, 8);
    put_gate(f, 0, 0);
    put_gate(f, 13, run(f, AT_ENTRY + 0x240) + 0x200000);
    f->cpu->arch.msr.lstar = run(f, AT_ENTRY + 0x80) + 0x200000;
    f->cpu->arch.msr.sysenter_eip = 0;
    put_gate(f, 0, run(f, AT_ENTRY + 0x200));
    look(f);
    assert_false(guest_slide(f->guest, &slide)); /* two for each */
    guest_fixture_free(f);
}

/* While it boots all gates lead to one array. */
static void early_stubs_are_an_anchor(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);
    u64 slide = 0;

    (void)state;
    f->cpu->arch.msr.lstar = 0;
    for (unsigned vector = 0; vector < 32; vector++)
        put_gate(f, vector, run(f, AT_ENTRY + 0x1000 + 9 * vector));
    look(f);
    assert_true(guest_slide(f->guest, &slide));
    assert_int_equal(slide, SLIDE);
    put_gate(f, 20, run(f, AT_ENTRY + 0x1000)); /* not one array any more */
    guest_reset(f->guest);
    look(f);
    assert_false(guest_slide(f->guest, &slide));
    guest_fixture_free(f);
}

/* The kernel is gone (a reset, a kexec), then there again. */
static void a_lost_kernel_is_said_to_be_lost(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);
    u64 slide, idt;

    (void)state;
    look(f);
    ASSERT_TASK(f, 0, 0, "swapper/0");
    idt = f->cpu->arch.idtr.base;
    f->cpu->arch.idtr.base = 0;
    f->cpu->arch.msr.lstar = 0;
    assert_int_equal(look(f), GUEST_SLIDE | GUEST_TASK);
    assert_false(guest_slide(f->guest, &slide));
    assert_false(guest_task(f->guest)->known);
    f->cpu->arch.idtr.base = idt;
    assert_int_equal(look(f), GUEST_SLIDE | GUEST_TASK);
    ASSERT_TASK(f, 0, 0, "swapper/0");
    guest_fixture_free(f);
}

/* ---- the task */

static void a_task_changes(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);

    (void)state;
    put_task(f, 1, 77, 70, "worker");
    look(f);
    run_task(f, 1);
    assert_int_equal(look(f), GUEST_TASK);
    ASSERT_TASK(f, 77, 70, "worker");
    assert_int_equal(guest_task(f->guest)->task, task_address(f, 1));
    put_task(f, 1, 77, 70, "exactly15chars."); /* it changes its name */
    assert_int_equal(look(f), GUEST_TASK);
    ASSERT_TASK(f, 77, 70, "exactly15chars.");
    put_task(f, 1, 78, 78, "exactly15chars."); /* its structure is used again */
    assert_int_equal(look(f), GUEST_TASK);
    ASSERT_TASK(f, 78, 78, "exactly15chars.");
    assert_int_equal(look(f), 0);
    guest_fixture_free(f);
}

/* amd64 since 6.15: per-CPU variables are linked into the kernel, and move with it before the base of GS is added. */
static void the_area_is_part_of_the_kernel(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);
    struct symbols *symbols = symbols_new();
    const u64 moved = 0x10000; /* the area stands so far below where it is linked to */

    (void)state;
    for (size_t i = 0; i < symbols_count(f->kernel.symbols); i++) {
        struct symbol s = symbols_at(f->kernel.symbols, i);

        if (strcmp(s.name, "this_cpu_off") != 0)
            symbols_add(symbols, s.address, s.type, s.name, strlen(s.name));
    }
    symbols_add(symbols, run(f, AT_PERCPU + PERCPU_THIS_OFF) - SLIDE + moved, 'D', "this_cpu_off", 12);
    symbols_sort(symbols);
    symbols_free(f->kernel.symbols);
    f->kernel.symbols = symbols;
    f->kernel.current_task = run(f, AT_PERCPU + PERCPU_CURRENT) - SLIDE + moved;
    guest_free(f->guest);
    f->guest = guest_new(&f->kernel);
    f->cpu->arch.seg[GS].base = -moved;
    poke(f, AT_PERCPU + PERCPU_THIS_OFF, -moved, 8);
    put_task(f, 1, 77, 70, "worker");
    run_task(f, 1);
    for (unsigned i = 0; i < 200 && !guest_task(f->guest)->known; i++) /* the slide first, then the task by and by */
        look(f);
    ASSERT_TASK(f, 77, 70, "worker");
    guest_fixture_free(f);
}

/* In ring 3, and before SWAPGS, the kernel's base is in the other register; another base in both is another area. */
static void the_area_moves(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    put_task(f, 1, 5, 5, "five");
    put_task(f, 2, 6, 6, "six");
    look(f);
    a->msr.kernel_gs_base = a->seg[GS].base;
    a->seg[GS].base = 0x7000;
    assert_int_equal(look_at_user(f), 0);
    run_task(f, 1);
    assert_int_equal(look(f), GUEST_TASK);
    ASSERT_TASK(f, 5, 5, "five");
    poke(f, AT_OTHER_PERCPU + PERCPU_THIS_OFF, run(f, AT_OTHER_PERCPU), 8);
    poke(f, AT_OTHER_PERCPU + PERCPU_CURRENT, task_address(f, 2), 8);
    a->msr.kernel_gs_base = run(f, AT_OTHER_PERCPU);
    assert_int_equal(look(f), GUEST_TASK);
    ASSERT_TASK(f, 6, 6, "six");
    a->msr.kernel_gs_base = run(f, AT_OTHER_PERCPU) + 64; /* its own word does not say that it is here */
    assert_int_equal(look(f), GUEST_TASK);
    assert_false(guest_task(f->guest)->known);
    guest_fixture_free(f);
}

/* With the user's tables in CR3 the kernel's memory is found by the tables beside them. */
static void isolated_tables_hide_nothing(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);

    (void)state;
    put_task(f, 1, 9, 9, "nine");
    set_cr3(f, USER_CR3);
    assert_int_equal(look_at_user(f) & GUEST_SLIDE, GUEST_SLIDE);
    ASSERT_TASK(f, 0, 0, "swapper/0");
    run_task(f, 1);
    assert_int_equal(look_at_user(f), GUEST_TASK);
    ASSERT_TASK(f, 9, 9, "nine");
    /* Tables beside these that lead elsewhere are no kernel's. */
    put_task(f, 2, 10, 10, "ten");
    poke(f, 0x4000 + 510 * 8, 0, 8);
    run_task(f, 2);
    assert_int_equal(look_at_user(f), GUEST_TASK);
    assert_false(guest_task(f->guest)->known);
    guest_fixture_free(f);
}

/* A program chooses its name; it may not drive the terminal that shows it. */
static void names_are_plain(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);

    (void)state;
    put_task(f, 0, 1, 1, "a\033[31m\tb");
    look(f);
    ASSERT_TASK(f, 1, 1, "a?[31m?b");
    assert_int_equal(look(f), 0);
    guest_fixture_free(f);
}

static void unreadable_tasks_are_unknown(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);
    static const u64 places[] = {0, 1, 0x1234, 0x00007FFFFFFFF000, 0x8000000000000000, 0xFFFFFFFFFFFFFFF8, ~0ull};

    (void)state;
    look(f);
    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        poke(f, AT_PERCPU + PERCPU_CURRENT, places[i], 8);
        look(f);
        assert_false(guest_task(f->guest)->known);
        look_at_user(f);
    }
    run_task(f, 0);
    look(f);
    ASSERT_TASK(f, 0, 0, "swapper/0");
    physmem_write(f->pm, AT_TASKS + TASK_COMM, "0123456789abcdef", 16, INITIATOR_LOADER); /* no end */
    look(f);
    assert_false(guest_task(f->guest)->known);
    guest_fixture_free(f);
}

/* ---- the layout by structure */

static void link_tasks(struct guest_fixture *f, unsigned count)
{
    unsigned size = f->kernel.is64 ? 8 : 4;

    for (unsigned i = 0; i < count; i++) {
        poke_pointer(f, AT_TASKS + i * PAGE_SIZE + TASK_LIST, task_address(f, (i + 1) % count) + TASK_LIST);
        poke_pointer(f, AT_TASKS + i * PAGE_SIZE + TASK_LIST + size,
                     task_address(f, (i + count - 1) % count) + TASK_LIST);
    }
}

static void four_tasks(struct guest_fixture *f)
{
    put_task(f, 1, 1, 1, "init");
    put_task(f, 2, 2, 2, "kthreadd");
    put_task(f, 3, 17, 17, "kworker/0:1");
    link_tasks(f, 4);
}

static void structure_tells(bool is64)
{
    struct guest_fixture *f = guest_fixture_new(is64, false);

    look(f);
    assert_false(guest_task(f->guest)->known);
    assert_int_equal(guest_task(f->guest)->task, task_address(f, 0));
    four_tasks(f);
    run_task(f, 1);
    assert_int_equal(look_at_user(f), GUEST_TASK);
    ASSERT_TASK(f, 1, 1, "init");
    put_task(f, 5, 300, 299, "thread");
    run_task(f, 5);
    assert_int_equal(look(f), GUEST_TASK);
    ASSERT_TASK(f, 300, 299, "thread");
    guest_fixture_free(f);
}

static void structure_tells_the_layout_64(void **state)
{
    (void)state;
    structure_tells(true);
}

static void structure_tells_the_layout_32(void **state)
{
    (void)state;
    structure_tells(false);
}

/* Looks until the layout would have been found many times over. */
static bool layout_is_found(struct guest_fixture *f)
{
    bool known = false;

    look(f);
    run_task(f, 1);
    for (unsigned i = 0; i < 1000 && !known; i++) {
        look_at_user(f);
        known = guest_task(f->guest)->known;
    }
    return known;
}

static void an_uncertain_layout_is_unknown(void **state)
{
    (void)state;
    for (unsigned wrong = 0; wrong < 8; wrong++) {
        struct guest_fixture *f = guest_fixture_new(false, false);

        four_tasks(f);
        switch (wrong) {
        case 0: put_task(f, 3, 1, 1, "kworker/0:1"); break;                     /* two have the number 1 */
        case 1: put_task(f, 3, 17, 18, "kworker/0:1"); break;                   /* a process whose numbers differ */
        case 2: put_task(f, 2, 2, 2, "kthread"); break;                         /* nobody is kthreadd */
        case 3: poke(f, AT_TASKS + 2 * PAGE_SIZE + TASK_LIST + 4, 0, 4); break; /* no way back */
        case 4: poke(f, AT_TASKS + 3 * PAGE_SIZE + TASK_LIST, 0x12345678, 4); break; /* not closed */
        case 5:                                                                      /* the numbers stand twice */
            for (unsigned i = 0; i < 4; i++) {
                static const u32 number[] = {0, 1, 2, 17};

                poke(f, AT_TASKS + i * PAGE_SIZE + 0xC0, number[i], 4);
                poke(f, AT_TASKS + i * PAGE_SIZE + 0xC4, number[i], 4);
            }
            break;
        case 6: physmem_write(f->pm, AT_TASKS + 0x180, "swapper/0\0\0\0\0\0\0", 16, INITIATOR_LOADER); break;
        }
        assert_int_equal(layout_is_found(f), wrong == 7); /* with nothing wrong it is found */
        guest_fixture_free(f);
    }
}

/* ---- modules */

static void put_module(struct guest_fixture *f, unsigned i, u32 module_state, const char *name, u32 symbols)
{
    u64 at = AT_MODULE + i * PAGE_SIZE, base = run(f, AT_TEXT) + 0x10000 * (i + 1);
    static const char strings[] = "\0func\0data\0init_only";

    poke(f, at, module_state, 4);
    physmem_write(f->pm, at + MODULE_NAME, name, strlen(name) + 1, INITIATOR_LOADER);
    poke(f, at + MODULE_BASE, base, 8);
    poke(f, at + MODULE_SIZE, 0x2000, 4);
    poke(f, at + MODULE_KALLSYMS, run(f, at + 0x200), 8);
    poke(f, at + 0x200, run(f, at + 0x300), 8); /* mod_kallsyms: symtab, count, strtab */
    poke(f, at + 0x208, symbols, 4);
    poke(f, at + 0x210, run(f, at + 0x280), 8);
    physmem_write(f->pm, at + 0x280, strings, sizeof strings, INITIATOR_LOADER);
    poke(f, at + 0x318, 1 | 0x12ull << 32, 8); /* global function "func" at +10h */
    poke(f, at + 0x320, base + 0x10, 8);
    poke(f, at + 0x330, 6 | 0x01ull << 32, 8); /* local object "data" at +1000h */
    poke(f, at + 0x338, base + 0x1000, 8);
    poke(f, at + 0x348, 11 | 0x02ull << 32, 8); /* outside */
    poke(f, at + 0x350, base + 0x9000, 8);
}

/* The list is the head and the first `count` modules. */
static void link_modules(struct guest_fixture *f, unsigned count)
{
    u64 before = AT_MODULES;

    for (unsigned i = 0; i < count; i++) {
        poke(f, before, run(f, AT_MODULE + i * PAGE_SIZE + MODULE_LIST), 8);
        poke(f, AT_MODULE + i * PAGE_SIZE + MODULE_LIST + 8, run(f, before), 8);
        before = AT_MODULE + i * PAGE_SIZE + MODULE_LIST;
    }
    poke(f, before, run(f, AT_MODULES), 8);
    poke(f, AT_MODULES + 8, run(f, before), 8);
}

static void modules_are_found(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);
    const struct guest_module *m;
    u64 address;

    (void)state;
    look_at_user(f);
    put_module(f, 0, 0, "first", 4);
    link_modules(f, 1);
    assert_int_equal(look(f), 0); /* asked at the border only */
    assert_int_equal(look_at_user(f), GUEST_MODULE);
    assert_int_equal(guest_modules(f->guest), 1);
    m = guest_module(f->guest, 0);
    assert_string_equal(m->name, "first");
    assert_int_equal(m->base, run(f, AT_TEXT) + 0x10000);
    assert_int_equal(m->size, 0x2000);
    assert_int_equal(symbols_count(m->symbols), 2);
    assert_true(symbols_find(m->symbols, "func", &address));
    assert_int_equal(address, m->base + 0x10);
    assert_false(symbols_find(m->symbols, "init_only", &address));
    /* One that is being loaded is told when it is complete, though the head does not change then. */
    put_module(f, 1, 3, "second", 4);
    link_modules(f, 2);
    assert_int_equal(look_at_user(f), 0);
    put_module(f, 1, 1, "second", 4);
    assert_int_equal(look_at_user(f), GUEST_MODULE);
    assert_int_equal(look_at_user(f), 0);
    assert_int_equal(guest_modules(f->guest), 2);
    link_modules(f, 0); /* unloaded: they stay */
    assert_int_equal(look_at_user(f), 0);
    assert_int_equal(guest_modules(f->guest), 2);
    assert_null(guest_module(f->guest, 2));
    guest_fixture_free(f);
}

static void hostile_modules_do_no_harm(void **state)
{
    struct guest_fixture *f = guest_fixture_new(true, true);

    (void)state;
    look_at_user(f);
    put_module(f, 0, 0, "endless", 0xFFFFFFFF); /* more symbols than there is memory */
    put_module(f, 1, 0, "huge", 4);
    poke(f, AT_MODULE + PAGE_SIZE + MODULE_SIZE, 0xFFFFFFFF, 4);
    put_module(f, 2, 0, "user", 4);
    poke(f, AT_MODULE + 2 * PAGE_SIZE + MODULE_BASE, 0x400000, 8);
    link_modules(f, 3);
    poke(f, AT_MODULE + 2 * PAGE_SIZE + MODULE_LIST, run(f, AT_MODULE + MODULE_LIST), 8); /* never back to the head */
    assert_int_equal(look_at_user(f), GUEST_MODULE);
    assert_int_equal(guest_modules(f->guest), 1);
    poke(f, AT_MODULES, 0x1000, 8); /* not mapped */
    assert_int_equal(look_at_user(f), 0);
    guest_fixture_free(f);
}

/* Whatever is in memory and in the registers: no crash, no endless search. The same seed in every run. */
static void noise(void **state)
{
    u64 random = 0x9E3779B97F4A7C15ull;

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct guest_fixture *f = guest_fixture_new(round & 1, (round & 2) == 0);
        u64 frame[8];

        look_at_user(f);
        for (unsigned i = 0; i < 4000; i++) {
            u64 place, value;

            random = random * 6364136223846793005ull + 1442695040888963407ull;
            place = AT_BANNER + (random >> 20) % (AT_STACK + 0x4000 - AT_BANNER);
            value = random >> 60 < 8 ? run(f, AT_BANNER + (random >> 8) % 0x110000 / 8 * 8) : random;
            poke(f, place & ~7ull, value, 8);
        }
        four_tasks(f);
        f->cpu->arch.gpr[RSP] = run(f, AT_STACK) + (random >> 50);
        f->cpu->arch.rip = run(f, AT_TEXT + 0x210);
        for (unsigned i = 0; i < 20; i++) {
            look_at_user(f);
            assert_in_range(guest_backtrace(f->guest, f->cpu, frame, ARRAY_LEN(frame)), 1, ARRAY_LEN(frame));
        }
        guest_fixture_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_anchors_agree),
        cmocka_unit_test(one_anchor_is_not_enough),
        cmocka_unit_test(the_most_agree),
        cmocka_unit_test(a_tie_is_no_answer),
        cmocka_unit_test(early_stubs_are_an_anchor),
        cmocka_unit_test(a_lost_kernel_is_said_to_be_lost),
        cmocka_unit_test(a_task_changes),
        cmocka_unit_test(the_area_is_part_of_the_kernel),
        cmocka_unit_test(the_area_moves),
        cmocka_unit_test(isolated_tables_hide_nothing),
        cmocka_unit_test(names_are_plain),
        cmocka_unit_test(unreadable_tasks_are_unknown),
        cmocka_unit_test(structure_tells_the_layout_64),
        cmocka_unit_test(structure_tells_the_layout_32),
        cmocka_unit_test(an_uncertain_layout_is_unknown),
        cmocka_unit_test(modules_are_found),
        cmocka_unit_test(hostile_modules_do_no_harm),
        cmocka_unit_test(noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
