/* SPDX-License-Identifier: MIT
 * The hardware task switch: causes, busy bits, links, what belongs to the old task and what to the new one.
 */
#include "segment_fixture.h"

#include "cpu/ring/task.h"

#define NEW_EIP 0x22222u
#define RETURN_RIP 0x10007u

/* Fill the second TSS with a ring-3 task. */
static void second_task(struct fixture *f)
{
    for (unsigned at = 0; at < 0x68; at += 4)
        put(f, TSS2_AT + at, 0, 4);
    put(f, TSS2_AT + 0x20, NEW_EIP, 4);
    put(f, TSS2_AT + 0x24, FLAG_IF | FLAG_CF | BIT(15), 4); /* bit 15 does not exist */
    for (unsigned i = 0; i < 8; i++)
        put(f, TSS2_AT + 0x28 + 4 * i, 0xA0000 + i, 4);
    put(f, TSS2_AT + 0x38, 0x6000, 4); /* ESP */
    put(f, TSS2_AT + 0x48, DATA3, 4);
    put(f, TSS2_AT + 0x4C, CODE3, 4);
    put(f, TSS2_AT + 0x50, DATA3, 4);
    put(f, TSS2_AT + 0x54, DATA3, 4);
}

static struct fixture *two_tasks(void)
{
    struct fixture *f = fixture_new(VENDOR_INTEL);

    second_task(f);
    f->cpu->arch.gpr[RAX] = 0x12345678;
    f->cpu->arch.dr[7] = 0x7FF;
    return f;
}

static unsigned type_of(struct fixture *f, u16 selector) { return gdt_get(f, selector) >> 40 & 0xF; }

static void call_nests(void **state)
{
    (void)state;
    struct fixture *f = two_tasks();
    struct cpu_arch *a = &f->cpu->arch;

    EXPECT_OK(f, far_call(f->cpu, TSS2_SEL, 0, W32));
    assert_int_equal(type_of(f, TSS_SEL), SYS_TSS_BUSY); /* TS-01 */
    assert_int_equal(type_of(f, TSS2_SEL), SYS_TSS_BUSY);
    assert_int_equal(get(f, TSS2_AT, 2), TSS_SEL);
    assert_int_equal(get(f, TSS_AT + 0x20, 4), RETURN_RIP);
    assert_int_equal(get(f, TSS_AT + 0x28, 4), 0x12345678);
    assert_int_equal(get(f, TSS_AT + 0x38, 4), 0x8000);
    assert_int_equal(get(f, TSS_AT + 0x4C, 2), CODE0);
    assert_int_equal(a->cpl, 3);
    assert_int_equal(a->rip, NEW_EIP);
    assert_int_equal(f->cpu->d.next_rip, NEW_EIP);
    assert_int_equal(flags_get(f->cpu), FLAG_IF | FLAG_CF | FLAG_NT | FLAG_FIXED1);
    assert_int_equal(a->gpr[RAX], 0xA0000);
    assert_int_equal(a->gpr[RDI], 0xA0007);
    assert_int_equal(a->gpr[RSP], 0x6000);
    assert_int_equal(a->seg[SS].selector, DATA3);
    assert_int_equal(a->seg[DS].selector, DATA3);
    assert_true(a->seg[FS].attr & SEG_UNUSABLE);
    assert_int_equal(a->tr.selector, TSS2_SEL);
    assert_true(a->cr0 & CR0_TS); /* TS-03 */
    assert_int_equal(a->dr[7], 0x7FF & ~0x155);
    assert_int_equal(a->pending_debug, 0);
    assert_int_equal(f->transitions, 1);
    assert_int_equal(f->last.mechanism, MECH_TASK_SWITCH);
    assert_int_equal(f->last.from.cpl, 0);
    assert_int_equal(f->last.from.rsp, 0x8000);

    /* IRET comes back by the link */
    f->cpu->d.next_rip = NEW_EIP + 1;
    EXPECT_OK(f, task_return(f->cpu));
    assert_int_equal(type_of(f, TSS2_SEL), SYS_TSS);
    assert_int_equal(type_of(f, TSS_SEL), SYS_TSS_BUSY);
    assert_int_equal(get(f, TSS2_AT + 0x24, 4) & FLAG_NT, 0);
    assert_int_equal(get(f, TSS2_AT + 0x20, 4), NEW_EIP + 1);
    assert_int_equal(a->cpl, 0);
    assert_int_equal(a->rip, RETURN_RIP);
    assert_int_equal(a->gpr[RAX], 0x12345678);
    assert_int_equal(f->last.mechanism, MECH_IRET_TASK);
    fixture_free(f);
}

static void jump_leaves_no_link(void **state)
{
    (void)state;
    struct fixture *f = two_tasks();

    gdt_put(f, FREE, make_gate(TSS2_SEL, 0, SYSTEM(0u, SYS_TASK_GATE), 0));
    EXPECT_OK(f, far_jump(f->cpu, FREE, 0, W32));
    assert_int_equal(type_of(f, TSS_SEL), SYS_TSS);
    assert_int_equal(type_of(f, TSS2_SEL), SYS_TSS_BUSY);
    assert_int_equal(get(f, TSS2_AT, 2), 0);
    assert_false(flags_get(f->cpu) & FLAG_NT);
    assert_int_equal(f->last.gate, GATE_TASK);
    fixture_free(f);
}

static void checks_of_the_tss(void **state)
{
    (void)state;
    struct fixture *f = two_tasks();

    EXPECT_FAULT(f, far_jump(f->cpu, TSS_SEL, 0, W32), VEC_GP, TSS_SEL, RULE_TS_07); /* busy */
    EXPECT_FAULT(f, far_jump(f->cpu, TSS2_SEL | 3, 0, W32), VEC_GP, TSS2_SEL, RULE_CG_01);
    gdt_put(f, FREE, make_descriptor(TSS2_AT, 0x66, SYSTEM(0u, SYS_TSS), 0));
    EXPECT_FAULT(f, far_jump(f->cpu, FREE, 0, W32), VEC_TS, FREE, RULE_TS_07);
    gdt_put(f, FREE, make_descriptor(TSS2_AT, 0x2A, SYSTEM(0u, SYS_TSS16), 0));
    EXPECT_FAULT(f, far_jump(f->cpu, FREE, 0, W32), VEC_TS, FREE, RULE_TS_07);
    gdt_put(f, FREE, make_descriptor(TSS2_AT, 0x67, SYS_TSS, 0));
    EXPECT_FAULT(f, far_jump(f->cpu, FREE, 0, W32), VEC_NP, FREE, RULE_TS_07);
    gdt_put(f, FREE, make_gate(TSS2_SEL | 4, 0, SYSTEM(0u, SYS_TASK_GATE), 0));
    EXPECT_FAULT(f, far_jump(f->cpu, FREE, 0, W32), VEC_GP, TSS2_SEL | 4, RULE_TS_07);
    put(f, TSS_AT, TSS2_SEL, 2);
    EXPECT_FAULT(f, task_return(f->cpu), VEC_TS, TSS2_SEL, RULE_IR_01); /* the link is not busy */
    gdt_put(f, FREE, make_descriptor(TSS2_AT, 0x67, SYS_TSS_BUSY, 0));
    put(f, TSS_AT, FREE, 2);
    EXPECT_FAULT(f, task_return(f->cpu), VEC_NP, FREE, RULE_IR_01);
    assert_int_equal(f->transitions, 0);
    assert_int_equal(f->cpu->arch.rip, 0x10000);
    assert_int_equal(f->cpu->arch.gpr[RAX], 0x12345678);
    fixture_free(f);
}

/* Change one word of the new task's image and expect a fault that is the new task's own (TS-02). */
static void expect_new_task_fault(unsigned offset, u32 value, u8 vector, u32 error)
{
    struct fixture *f = two_tasks();

    put(f, TSS2_AT + offset, value, 4);
    gdt_put(f, FREE, make_descriptor(0, 0xFFFFF, ACCESS(3u, TYPE_CODE) & ~0x80u, FLAT32));
    gdt_put(f, FREE + 8, make_descriptor(0, 0xFFFFF, ACCESS(3u, TYPE_DATA) & ~0x80u, FLAT32));
    EXPECT_FAULT(f, far_jump(f->cpu, TSS2_SEL, 0, W32), vector, error, RULE_TS_08);
    assert_int_equal(f->cpu->arch.tr.selector, TSS2_SEL);
    assert_int_equal(f->cpu->arch.rip, get(f, TSS2_AT + 0x20, 4));
    assert_int_equal(f->cpu->arch.cpl, get(f, TSS2_AT + 0x4C, 4) & 3);
    assert_int_equal(f->cpu->arch.gpr[RAX], 0xA0000);
    assert_int_equal(f->transitions, 1);
    fixture_free(f);
}

static void faults_past_the_commit(void **state)
{
    (void)state;
    expect_new_task_fault(0x60, TSS_SEL, VEC_TS, TSS_SEL); /* LDT */
    expect_new_task_fault(0x60, LDT_SEL | 4, VEC_TS, LDT_SEL | 4);
    expect_new_task_fault(0x4C, 0, VEC_TS, 0); /* CS */
    expect_new_task_fault(0x4C, DATA3, VEC_TS, DATA3 & ~3u);
    expect_new_task_fault(0x4C, CODE0 | 3, VEC_TS, CODE0);
    expect_new_task_fault(0x4C, FREE | 3, VEC_NP, FREE);
    expect_new_task_fault(0x50, 0, VEC_TS, 0); /* SS */
    expect_new_task_fault(0x50, DATA0 | 3, VEC_TS, DATA0);
    expect_new_task_fault(0x50, (FREE + 8) | 3, VEC_SS, FREE + 8);
    expect_new_task_fault(0x54, DATA0, VEC_TS, DATA0);       /* DS */
    expect_new_task_fault(0x48, 0x1000, VEC_TS, 0x1000);     /* ES */
    expect_new_task_fault(0x5C, FREE + 8, VEC_NP, FREE + 8); /* GS */
}

static void eip_past_the_limit(void **state)
{
    (void)state;
    struct fixture *f = two_tasks();

    gdt_put(f, FREE, make_descriptor(0, 0xFFF, ACCESS(3u, TYPE_CODE), 4));
    put(f, TSS2_AT + 0x4C, FREE | 3, 4);
    EXPECT_FAULT(f, far_jump(f->cpu, TSS2_SEL, 0, W32), VEC_GP, 0, RULE_TS_08);
    assert_int_equal(f->cpu->arch.rip, NEW_EIP);
    fixture_free(f);
}

static void interrupt_pushes_its_error_code(void **state)
{
    (void)state;
    struct fixture *f = two_tasks();
    struct task_request request = {
        .cause = TASK_INTERRUPT,
        .selector = TSS2_SEL,
        .return_rip = 0x10000,
        .rflags = FLAG_RF | FLAG_FIXED1,
        .ext = 1,
        .has_error = true,
        .error = 0xBEEF,
        .has_vector = true,
        .vector = 14,
        .gate = GATE_TASK,
    };

    EXPECT_OK(f, task_switch(f->cpu, &request));
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x5FFC);
    assert_int_equal(get(f, 0x5FFC, 4), 0xBEEF);
    assert_int_equal(get(f, TSS_AT + 0x20, 4), 0x10000);
    assert_int_equal(get(f, TSS_AT + 0x24, 4), FLAG_RF | FLAG_FIXED1);
    assert_int_equal(f->last.vector, 14);
    fixture_free(f);

    f = two_tasks(); /* no room (TS-04) */
    gdt_put(f, FREE, make_descriptor(0, 0x2FFF, ACCESS(3u, TYPE_DATA), 4));
    put(f, TSS2_AT + 0x50, FREE | 3, 4);
    EXPECT_FAULT(f, task_switch(f->cpu, &request), VEC_SS, 1, RULE_TS_04);
    assert_int_equal(f->cpu->arch.rip, NEW_EIP);
    assert_int_equal(f->cpu->arch.gpr[RSP], 0x6000);
    request.selector = TSS_SEL; /* busy (ID-25) */
    fixture_free(f);

    f = two_tasks();
    EXPECT_FAULT(f, task_switch(f->cpu, &request), VEC_GP, TSS_SEL | 1, RULE_ID_25);
    fixture_free(f);
}

static void trap_bit(void **state)
{
    (void)state;
    struct fixture *f = two_tasks();

    put(f, TSS2_AT + 0x64, 1, 2);
    EXPECT_OK(f, far_jump(f->cpu, TSS2_SEL, 0, W32));
    assert_int_equal(f->cpu->arch.pending_debug, DR6_BT);
    fixture_free(f);
}

static void vm86_image(void **state)
{
    (void)state;
    struct fixture *f = two_tasks();

    put(f, TSS2_AT + 0x24, FLAG_VM | FLAG_IF, 4);
    put(f, TSS2_AT + 0x20, 0x100, 4);
    put(f, TSS2_AT + 0x4C, 0x2000, 4);
    put(f, TSS2_AT + 0x50, 0x3000, 4);
    put(f, TSS2_AT + 0x58, 0xB800, 4);
    EXPECT_OK(f, far_jump(f->cpu, TSS2_SEL, 0, W32));
    assert_int_equal(f->cpu->d.mode, MODE_VM86);
    assert_int_equal(f->cpu->arch.cpl, 3);
    assert_int_equal(f->cpu->arch.seg[CS].base, 0x20000);
    assert_int_equal(f->cpu->arch.seg[FS].base, 0xB8000);
    assert_int_equal(f->cpu->arch.seg[FS].limit, 0xFFFF);
    fixture_free(f);
}

static void sixteen_bit_tss(void **state)
{
    (void)state;
    struct fixture *f = two_tasks();
    struct cpu_arch *a = &f->cpu->arch;

    for (unsigned at = 0; at < 0x68; at += 4)
        put(f, TSS2_AT + at, 0, 4);
    put(f, TSS2_AT + 0x0E, 0x1234, 2);
    put(f, TSS2_AT + 0x10, FLAG_IF, 2);
    put(f, TSS2_AT + 0x12, 0x7777, 2);
    put(f, TSS2_AT + 0x1A, 0x6000, 2);
    put(f, TSS2_AT + 0x22, DATA16, 2);
    put(f, TSS2_AT + 0x24, CODE16, 2);
    put(f, TSS2_AT + 0x26, DATA16, 2);
    put(f, TSS2_AT + 0x28, DATA16, 2);
    gdt_put(f, TSS2_SEL, make_descriptor(TSS2_AT, 0x2B, SYSTEM(0u, SYS_TSS16), 0));
    a->cr3 = 0x7000;
    EXPECT_OK(f, far_call(f->cpu, TSS2_SEL, 0, W32));
    assert_int_equal(f->cpu->d.mode, MODE_PM16);
    assert_int_equal(a->rip, 0x1234);
    assert_int_equal(a->gpr[RAX] & 0xFFFF, 0x7777);
    assert_int_equal(a->gpr[RSP] & 0xFFFF, 0x6000);
    assert_int_equal(a->cr3, 0x7000);
    assert_int_equal(a->seg[FS].selector, 0);
    assert_int_equal(type_of(f, TSS2_SEL), SYS_TSS16_BUSY);
    f->cpu->d.next_rip = 0x1235;
    EXPECT_OK(f, task_return(f->cpu));
    assert_int_equal(a->rip, RETURN_RIP);
    assert_int_equal(get(f, TSS2_AT + 0x0E, 2), 0x1235);
    assert_int_equal(get(f, TSS2_AT + 0x2A, 2), 0); /* the LDT field is not written */
    fixture_free(f);
}

/* 32-bit paging: page directories at 20000h (all of memory) and 22000h (without the page of the GDT). */
static void paged(struct fixture *f)
{
    for (unsigned i = 0; i < 2; i++) {
        paddr_t directory = 0x20000 + 0x2000 * i, table = directory + 0x1000;

        put(f, directory, table | 7, 4);
        for (unsigned page = 0; page < 256; page++)
            put(f, table + 4 * page, i == 1 && page == GDT_AT >> 12 ? 0 : page << 12 | 7, 4);
    }
    f->cpu->arch.cr3 = 0x20000;
    f->cpu->arch.cr0 |= CR0_PG;
    cpu_update_paging(f->cpu);
    mmu_flush_all(&f->cpu->mmu);
    enter(f, CODE0, DATA0, 0x10000, 0x8000);
}

static void new_address_space(void **state)
{
    (void)state;
    struct fixture *f = two_tasks();

    paged(f);
    put(f, TSS2_AT + 0x1C, 0x20000 + 0x2000, 4);
    EXPECT_FAULT(f, far_jump(f->cpu, TSS2_SEL, 0, W32), VEC_PF, 0, RULE_TS_02); /* the new CS's descriptor */
    assert_int_equal(f->cpu->host.fault.cr2, GDT_AT + (CODE3 & ~3u));
    assert_int_equal(f->cpu->arch.cr3, 0x22000);
    assert_int_equal(f->cpu->arch.rip, NEW_EIP);
    assert_int_equal(f->cpu->arch.cpl, 3);
    assert_int_equal(f->transitions, 1);
    fixture_free(f);
}

static void nothing_is_stored_before_all_can_be(void **state)
{
    (void)state;
    struct fixture *f = two_tasks();

    paged(f);
    put(f, TSS_AT + 0x20, 0x55AA, 4);
    put(f, 0x21000 + 4 * (TSS2_AT >> 12), 0, 4);
    if (setjmp(f->cpu->host.unwind) == 0) {
        far_call(f->cpu, TSS2_SEL, 0, W32);
        fail_msg("no page fault");
    }
    assert_int_equal(f->cpu->host.fault.vector, VEC_PF);
    assert_int_equal(f->cpu->host.fault.cr2 & PAGE_MASK, TSS2_AT);
    assert_int_equal(get(f, TSS_AT + 0x20, 4), 0x55AA);
    assert_int_equal(type_of(f, TSS_SEL), SYS_TSS_BUSY);
    assert_int_equal(type_of(f, TSS2_SEL), SYS_TSS);
    assert_int_equal(f->transitions, 0);
    assert_int_equal(f->cpu->arch.rip, 0x10000);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_nests),
        cmocka_unit_test(jump_leaves_no_link),
        cmocka_unit_test(checks_of_the_tss),
        cmocka_unit_test(faults_past_the_commit),
        cmocka_unit_test(eip_past_the_limit),
        cmocka_unit_test(interrupt_pushes_its_error_code),
        cmocka_unit_test(trap_bit),
        cmocka_unit_test(vm86_image),
        cmocka_unit_test(sixteen_bit_tss),
        cmocka_unit_test(new_address_space),
        cmocka_unit_test(nothing_is_stored_before_all_can_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
