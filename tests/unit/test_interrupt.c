/* SPDX-License-Identifier: MIT
 * Delivery through the IDT and the IVT: rules ID-01 to ID-28, RM-01, VM-01, IO-01.
 */
#include "ring_fixture.h"

#define HANDLER 0x30000u
#define VEC 0x80

static struct interrupt_event fault_event(const struct ring_fixture *f, u8 vector, u32 error)
{
    return (struct interrupt_event){.mechanism = MECH_FAULT,
                                    .vector = vector,
                                    .has_error = true,
                                    .error = error,
                                    .cr2 = 0xDEAD0000,
                                    .return_rip = f->cpu->arch.rip};
}

static void user32(struct ring_fixture *f, u64 rflags)
{
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1 | rflags);
}

static void inner_stack_32(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;
    u32 frame = AT_KERNEL_STACK - 20;

    (void)state;
    put_gate(f, VEC, 14, 3, SEL_CODE32, HANDLER, 0, false);
    user32(f, FLAG_IF | FLAG_TF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_CF);
    ASSERT_COMPLETES(f, interrupt_software(f->cpu, MECH_INT_N, VEC));
    assert_int_equal(a->cpl, 0);
    assert_int_equal(f->cpu->d.next_rip, HANDLER);
    assert_int_equal(a->seg[CS].selector, SEL_CODE32);
    assert_int_equal(a->seg[SS].selector, SEL_DATA32);
    assert_int_equal(a->gpr[RSP], frame);
    assert_int_equal(get(f, frame, 4), AT_CODE + 2);
    assert_int_equal(get(f, frame + 4, 4), SEL_UCODE32 | 3);
    assert_int_equal(get(f, frame + 8, 4), FLAG_FIXED1 | FLAG_IF | FLAG_TF | FLAG_NT | FLAG_AC | FLAG_CF);
    assert_int_equal(get(f, frame + 12, 4), AT_USER_STACK);
    assert_int_equal(get(f, frame + 16, 4), SEL_UDATA32 | 3);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_AC | FLAG_CF);
    assert_int_equal(get(f, AT_GDT + SEL_CODE32 + 5, 1), 0x9B); /* accessed */
    assert_int_equal(f->last.mechanism, MECH_INT_N);
    assert_int_equal(f->last.gate, GATE_INTERRUPT32);
    assert_int_equal(f->last.stack_source, STACK_TSS_SS_ESP);
    assert_int_equal(f->last.frame, frame);
    assert_int_equal(f->last.from.cpl, 3);
    fixture_free(f);
}

static void page_fault_same_ring_32(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    struct interrupt_event event = fault_event(f, VEC_PF, 2);
    u32 frame = AT_KERNEL_STACK - 0x100 - 16;

    (void)state;
    put_gate(f, VEC_PF, 15, 0, SEL_CODE32, HANDLER, 0, false);
    fixture_enter(f, SEL_CODE32, SEL_DATA32, AT_CODE, AT_KERNEL_STACK - 0x100, FLAG_FIXED1 | FLAG_IF);
    ASSERT_COMPLETES(f, interrupt_deliver(f->cpu, &event));
    assert_int_equal(f->cpu->arch.cr2, 0xDEAD0000);
    assert_int_equal(f->cpu->arch.gpr[RSP], frame);
    assert_int_equal(get(f, frame, 4), 2);
    assert_int_equal(get(f, frame + 4, 4), AT_CODE);
    assert_int_equal(get(f, frame + 12, 4), FLAG_FIXED1 | FLAG_IF | FLAG_RF); /* ID-14 */
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_IF);               /* a trap gate keeps IF */
    fixture_free(f);
}

/* ID-01 to ID-07, ID-22: each check of the gate and of its code segment, with EXT by the kind of event. */
static void gate_checks(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    struct interrupt_event irq = {.mechanism = MECH_IRQ, .vector = VEC, .return_rip = AT_CODE};

    (void)state;
    user32(f, FLAG_IF);
    f->cpu->arch.idtr.limit = VEC * 8 + 6;
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_GP, VEC * 8 + 2, RULE_ID_01);
    ASSERT_FAULT(f, interrupt_deliver(f->cpu, &irq), VEC_GP, VEC * 8 + 3, RULE_ID_01);
    f->cpu->arch.idtr.limit = 0xFFF;
    put_gate(f, VEC, 12, 0, SEL_CODE32, HANDLER, 0, false); /* a call gate, DPL 0: the type is tested first */
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_GP, VEC * 8 + 2, RULE_ID_03);
    put_gate(f, VEC, 14, 0, SEL_ABSENT_CODE, HANDLER, 0, false);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_GP, VEC * 8 + 2, RULE_ID_02);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT1, VEC), VEC_NP, SEL_ABSENT_CODE + 1, RULE_ID_05);
    put(f, AT_IDT + VEC * 8 + 5, 0x6E, 1); /* DPL 3, not present */
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_NP, VEC * 8 + 2, RULE_ID_04);
    put_gate(f, VEC, 14, 3, 3, HANDLER, 0, false);
    ASSERT_FAULT(f, interrupt_deliver(f->cpu, &irq), VEC_GP, 1, RULE_ID_05);
    put_gate(f, VEC, 14, 3, SEL_DATA32, HANDLER, 0, false);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_GP, SEL_DATA32, RULE_ID_05);
    fixture_enter(f, SEL_CODE32, SEL_DATA32, AT_CODE, AT_KERNEL_STACK, FLAG_FIXED1);
    put_gate(f, VEC, 14, 3, SEL_UCODE32, HANDLER, 0, false);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_GP, SEL_UCODE32, RULE_ID_07);
    put_gate(f, VEC, 14, 3, SEL_SMALL_UCODE, HANDLER, 0, false);
    put_descriptor(f, SEL_SMALL_UCODE, 0, 0xFFF, 0x49A);
    ASSERT_FAULT(f, interrupt_deliver(f->cpu, &irq), VEC_GP, 1, RULE_ID_23);
    assert_int_equal(f->transitions, 0);
    fixture_free(f);
}

/* ID-09, ID-24, ID-19: the stack in the TSS. */
static void inner_stack_checks(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    put_gate(f, VEC, 14, 3, SEL_CODE32, HANDLER, 0, false);
    user32(f, 0);
    a->tr.limit = 8;
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_TS, SEL_TSS, RULE_ID_09);
    a->tr.limit = 0x67;
    put(f, AT_TSS + 8, 0, 4);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_TS, 0, RULE_ID_09);
    put(f, AT_TSS + 8, SEL_UDATA32, 4);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_TS, SEL_UDATA32, RULE_ID_09);
    put(f, AT_TSS + 8, SEL_DATA32, 4);
    put_descriptor(f, SEL_DATA32, 0, 0xFFFFF, 0xC12);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_SS, SEL_DATA32, RULE_ID_09);
    put_descriptor(f, SEL_DATA32, 0, 0xFFFE, 0x492); /* one byte short of the stack top */
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_SS, SEL_DATA32, RULE_ID_24);
    assert_int_equal(a->cpl, 3);
    assert_int_equal(a->gpr[RSP], AT_USER_STACK);
    assert_int_equal(f->transitions, 0);
    fixture_free(f);
}

static void conforming_and_16_bit(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);

    (void)state;
    put_gate(f, VEC, 14, 3, SEL_CONFORMING, HANDLER, 0, false); /* ID-08 */
    user32(f, 0);
    ASSERT_COMPLETES(f, interrupt_software(f->cpu, MECH_INT_N, VEC));
    assert_int_equal(f->cpu->arch.cpl, 3);
    assert_int_equal(f->cpu->arch.seg[CS].selector, SEL_CONFORMING | 3);
    assert_int_equal(f->cpu->arch.gpr[RSP], AT_USER_STACK - 12);

    put_gate(f, VEC, 7, 3, SEL_CODE32, 0xABCD1234, 0, false); /* ID-17 */
    user32(f, 0);
    ASSERT_COMPLETES(f, interrupt_software(f->cpu, MECH_INT_N, VEC));
    assert_int_equal(f->cpu->d.next_rip, 0x1234);
    assert_int_equal(f->cpu->arch.gpr[RSP], AT_KERNEL_STACK - 10);
    assert_int_equal(get(f, AT_KERNEL_STACK - 10, 2), (AT_CODE + 2) & 0xFFFF);
    assert_int_equal(f->last.gate, GATE_TRAP16);
    fixture_free(f);
}

static void from_vm86(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;
    u32 frame = AT_KERNEL_STACK - 36;

    (void)state;
    put_gate(f, VEC, 14, 3, SEL_CODE32, HANDLER, 0, false);
    fixture_vm86(f, FLAG_FIXED1 | FLAG_IOPL | FLAG_IF);
    ASSERT_COMPLETES(f, interrupt_software(f->cpu, MECH_INT_N, VEC));
    assert_int_equal(f->cpu->d.mode, MODE_PM32);
    assert_int_equal(a->cpl, 0);
    assert_int_equal(a->gpr[RSP], frame);
    assert_int_equal(get(f, frame, 4), 0x12);
    assert_int_equal(get(f, frame + 4, 4), 0x2000);
    assert_int_equal(get(f, frame + 8, 4), FLAG_FIXED1 | FLAG_IOPL | FLAG_IF | FLAG_VM);
    assert_int_equal(get(f, frame + 12, 4), 0x100);
    assert_int_equal(get(f, frame + 16, 4), 0x1400);
    assert_int_equal(get(f, frame + 20, 4), 0x3000 + ES);
    assert_int_equal(get(f, frame + 24, 4), 0x3000 + DS);
    assert_int_equal(get(f, frame + 28, 4), 0x3000 + FS);
    assert_int_equal(get(f, frame + 32, 4), 0x3000 + GS);
    assert_true(a->seg[DS].attr & SEG_UNUSABLE);

    put_gate(f, VEC, 14, 3, SEL_CONFORMING, HANDLER, 0, false);
    fixture_vm86(f, FLAG_FIXED1 | FLAG_IOPL);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_GP, SEL_CONFORMING, RULE_ID_18);
    put_gate(f, VEC, 14, 3, SEL_CODE1, HANDLER, 0, false);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_GP, SEL_CODE1, RULE_ID_18);
    fixture_vm86(f, FLAG_FIXED1);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_GP, 0, RULE_IO_01);
    fixture_free(f);
}

/* VM-01: VME's redirection bit 0 serves INT n through the IVT without leaving VM86. */
static void vme_redirection(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    a->cr4 = CR4_VME;
    a->tr.limit = 0x200;
    put(f, AT_TSS + 0x66, 0x88, 2);
    put(f, VEC * 4, 0x40005678, 4);
    fixture_vm86(f, FLAG_FIXED1 | FLAG_VIF | FLAG_TF);
    ASSERT_COMPLETES(f, interrupt_software(f->cpu, MECH_INT_N, VEC));
    assert_int_equal(f->cpu->d.mode, MODE_VM86);
    assert_int_equal(a->cpl, 3);
    assert_int_equal(a->seg[CS].base, 0x40000);
    assert_int_equal(f->cpu->d.next_rip, 0x5678);
    assert_int_equal(get(f, 0x14000 + 0xFE, 2), (FLAG_FIXED1 | FLAG_TF | FLAG_IF | FLAG_IOPL) & 0xFFFF);
    assert_int_equal(get(f, 0x14000 + 0xFC, 2), 0x2000);
    assert_int_equal(get(f, 0x14000 + 0xFA, 2), 0x12);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_VM);
    put(f, AT_TSS + 0x88 - 32 + VEC / 8, 1, 1);
    fixture_vm86(f, FLAG_FIXED1);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_GP, 0, RULE_VM_01);
    fixture_free(f);
}

static void real_mode(void **state)
{
    struct ring_fixture *f = fixture_new(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    put(f, 0x10 * 4, 0x12345678, 4);
    a->gpr[RSP] = 0x8000;
    flags_put(f->cpu, FLAG_IF | FLAG_TF | FLAG_AC | FLAG_CF);
    f->cpu->d.next_rip = 0xFFF2;
    a->idtr.limit = 0x3FF;
    ASSERT_COMPLETES(f, interrupt_software(f->cpu, MECH_INT_N, 0x10));
    assert_int_equal(a->seg[CS].selector, 0x1234);
    assert_int_equal(a->seg[CS].base, 0x12340);
    assert_int_equal(f->cpu->d.next_rip, 0x5678);
    assert_int_equal(a->gpr[RSP], 0x7FFA);
    assert_int_equal(get(f, 0x7FFA, 2), 0xFFF2);
    assert_int_equal(get(f, 0x7FFC, 2), 0xF000);
    assert_int_equal(get(f, 0x7FFE, 2), FLAG_FIXED1 | FLAG_IF | FLAG_TF | FLAG_CF);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_CF);
    assert_int_equal(f->last.gate, GATE_IVT);
    a->idtr.limit = 0x10 * 4 + 2;
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, 0x10), VEC_GP, 0, RULE_RM_01);
    assert_false(f->cpu->host.fault.has_error);
    fixture_free(f);
}

static void long_mode_frame(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;
    u64 frame = AT_KERNEL_STACK - 48;
    struct interrupt_event event;

    (void)state;
    put(f, AT_TSS + 4, AT_KERNEL_STACK + 8, 8); /* misaligned: ID-11 */
    put_gate(f, VEC_GP, 14, 0, SEL_CODE64, 0x1234567800 + HANDLER, 0, true);
    fixture_enter(f, SEL_UCODE64 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK + 4, FLAG_FIXED1 | FLAG_IF);
    event = fault_event(f, VEC_GP, 0x18);
    ASSERT_COMPLETES(f, interrupt_deliver(f->cpu, &event));
    assert_int_equal(a->cpl, 0);
    assert_int_equal(f->cpu->d.next_rip, 0x1234567800 + HANDLER);
    assert_int_equal(a->gpr[RSP], frame);
    assert_int_equal(get(f, frame, 8), 0x18);
    assert_int_equal(get(f, frame + 8, 8), AT_CODE);
    assert_int_equal(get(f, frame + 16, 8), SEL_UCODE64 | 3);
    assert_int_equal(get(f, frame + 24, 8), FLAG_FIXED1 | FLAG_IF | FLAG_RF);
    assert_int_equal(get(f, frame + 32, 8), AT_USER_STACK + 4);
    assert_int_equal(get(f, frame + 40, 8), SEL_UDATA32 | 3);
    assert_int_equal(a->seg[SS].selector, 0);
    assert_true(a->seg[SS].attr & SEG_UNUSABLE);
    assert_int_equal(f->last.stack_source, STACK_TSS_RSP);
    assert_int_equal(a->cr2, 0);
    fixture_free(f);
}

static void long_mode_ist(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_AMD);
    struct interrupt_event nmi = {.mechanism = MECH_NMI, .vector = VEC_NMI, .return_rip = AT_CODE};

    (void)state;
    put_gate(f, VEC_NMI, 14, 0, SEL_CODE64, HANDLER, 1, true);
    ASSERT_COMPLETES(f, interrupt_deliver(f->cpu, &nmi));
    assert_int_equal(f->cpu->arch.gpr[RSP], AT_IST1 - 40);
    assert_int_equal(f->cpu->arch.seg[SS].selector, SEL_DATA32);
    assert_true(f->cpu->arch.nmi_blocked);
    assert_int_equal(f->last.ist, 1);
    assert_int_equal(f->last.stack_source, STACK_IST);
    put(f, AT_TSS + 0x24, 0x0000800000000000, 8);
    ASSERT_FAULT(f, interrupt_deliver(f->cpu, &nmi), VEC_SS, 1, RULE_ID_10);
    fixture_free(f);
}

static void long_mode_checks(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);

    (void)state;
    fixture_enter(f, SEL_UCODE64 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1);
    put_gate(f, 0x20, 14, 0, SEL_CODE64, HANDLER, 0, true);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, 0x20), VEC_GP, 0x102, RULE_ID_02);
    put_gate(f, 0x20, 5, 3, SEL_TSS, 0, 0, true); /* TS-05: no task gates */
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, 0x20), VEC_GP, 0x102, RULE_ID_03);
    put_gate(f, 0x20, 14, 3, SEL_CODE32, HANDLER, 0, true);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, 0x20), VEC_GP, SEL_CODE32, RULE_ID_06);
    put_gate(f, 0x20, 14, 3, SEL_CODE_LD, HANDLER, 0, true);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, 0x20), VEC_GP, SEL_CODE_LD, RULE_ID_06);
    put_gate(f, 0x20, 14, 3, SEL_CODE64, 0x0000800000000000, 0, true);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, 0x20), VEC_GP, 0, RULE_ID_23);
    put_gate(f, 0x20, 14, 3, SEL_CODE64, HANDLER, 0, true);
    put(f, AT_TSS + 4, 0x0000800000000000, 8);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, 0x20), VEC_SS, 0, RULE_ID_10);
    fixture_free(f);
}

/* ID-14: RF of the image, by event and vendor. */
static u64 pushed_by(enum cpu_vendor vendor, struct interrupt_event event, u64 rflags)
{
    struct ring_fixture *f = fixture_long(vendor);
    u64 image;

    put_gate(f, event.vector, 14, 0, SEL_CODE64, HANDLER, 0, true);
    fixture_enter(f, SEL_UCODE64 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1 | rflags);
    event.return_rip = AT_CODE;
    f->cpu->d.in_rep = event.in_rep;
    ASSERT_COMPLETES(f, interrupt_deliver(f->cpu, &event));
    assert_false(f->cpu->d.in_rep); /* what comes next interrupts the handler */
    image = get(f, AT_KERNEL_STACK - 24, 8);
    fixture_free(f);
    return image & FLAG_RF;
}

static void resume_flag(void **state)
{
    struct interrupt_event irq = {.mechanism = MECH_IRQ, .vector = 0x40};
    struct interrupt_event breakpoint = {.mechanism = MECH_FAULT, .vector = VEC_DB, .code_breakpoint = true};
    struct interrupt_event undefined = {.mechanism = MECH_FAULT, .vector = VEC_UD};

    (void)state;
    assert_int_equal(pushed_by(VENDOR_INTEL, irq, 0), 0);
    assert_int_equal(pushed_by(VENDOR_INTEL, irq, FLAG_RF), FLAG_RF);
    assert_int_equal(pushed_by(VENDOR_INTEL, breakpoint, 0), 0);
    assert_int_equal(pushed_by(VENDOR_INTEL, undefined, 0), FLAG_RF);
    irq.in_rep = true;
    assert_int_equal(pushed_by(VENDOR_INTEL, irq, 0), FLAG_RF);
    assert_int_equal(pushed_by(VENDOR_AMD, irq, 0), 0);
}

/* ID-25, TS-06, IR-01: a task gate, and IRET with NT = 1 back to the interrupted task. */
static void task_gate_and_back(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);
    const u32 tss = AT_TSS + 0x400;

    (void)state;
    put_descriptor(f, SEL_SMALL_UCODE, tss, 0x67, 0x89);
    put(f, tss + 0x20, HANDLER, 4);
    put(f, tss + 0x24, FLAG_FIXED1, 4);
    put(f, tss + 0x38, AT_IST1, 4);
    put(f, tss + 0x4C, SEL_CODE32, 4);
    put(f, tss + 0x50, SEL_DATA32, 4);
    put_gate(f, VEC, 5, 0, SEL_SMALL_UCODE, 0, 0, false);
    user32(f, FLAG_CF);
    ASSERT_FAULT(f, interrupt_software(f->cpu, MECH_INT_N, VEC), VEC_GP, VEC * 8 + 2, RULE_ID_02);
    put_gate(f, VEC, 5, 3, SEL_SMALL_UCODE, 0, 0, false);
    ASSERT_COMPLETES(f, interrupt_software(f->cpu, MECH_INT_N, VEC));
    assert_int_equal(f->cpu->arch.cpl, 0);
    assert_int_equal(f->cpu->d.next_rip, HANDLER);
    assert_true(f->cpu->arch.rflags & FLAG_NT);
    assert_int_equal(get(f, tss, 2), SEL_TSS);
    assert_int_equal(f->last.mechanism, MECH_TASK_SWITCH);
    assert_int_equal(f->last.from.cpl, 3);

    f->cpu->arch.rip = HANDLER;
    f->cpu->arch.nmi_blocked = 1;
    ASSERT_COMPLETES(f, ring_iret(f->cpu, W32));
    assert_int_equal(f->cpu->arch.cpl, 3);
    assert_int_equal(f->cpu->d.next_rip, AT_CODE + 2);
    assert_int_equal(f->cpu->arch.gpr[RSP], AT_USER_STACK);
    assert_int_equal(flags_get(f->cpu), FLAG_FIXED1 | FLAG_CF);
    assert_false(f->cpu->arch.nmi_blocked);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inner_stack_32),        cmocka_unit_test(page_fault_same_ring_32),
        cmocka_unit_test(gate_checks),           cmocka_unit_test(inner_stack_checks),
        cmocka_unit_test(conforming_and_16_bit), cmocka_unit_test(from_vm86),
        cmocka_unit_test(vme_redirection),       cmocka_unit_test(real_mode),
        cmocka_unit_test(long_mode_frame),       cmocka_unit_test(long_mode_ist),
        cmocka_unit_test(task_gate_and_back),    cmocka_unit_test(long_mode_checks),
        cmocka_unit_test(resume_flag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
