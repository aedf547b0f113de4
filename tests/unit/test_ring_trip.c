/* SPDX-License-Identifier: MIT
 * Round trips by guest code through the engine: INT n and IRETQ, SYSCALL and SYSRET, a triple fault; each shown once.
 */
#include "ring_fixture.h"

#include "cpu/engine/engine.h"

#define HANDLER 0x30000u

static struct ring_fixture *user_code(const u8 *code, size_t size)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);

    engine_attach(f->cpu);
    physmem_write(f->pm, AT_CODE, code, size, INITIATOR_LOADER);
    fixture_enter(f, SEL_UCODE64 | 3, SEL_UDATA32 | 3, AT_CODE, AT_USER_STACK, FLAG_FIXED1 | FLAG_IF);
    return f;
}

static void finish(struct ring_fixture *f)
{
    engine_detach(f->cpu);
    fixture_free(f);
}

static void int_and_iret(void **state)
{
    static const u8 code[] = {0xCD, 0x80, 0x90}; /* int 80h; nop */
    static const u8 handler[] = {0x48, 0xCF};    /* iretq */
    struct ring_fixture *f = user_code(code, sizeof code);

    (void)state;
    physmem_write(f->pm, HANDLER, handler, sizeof handler, INITIATOR_LOADER);
    put_gate(f, 0x80, 14, 3, SEL_CODE64, HANDLER, 0, true);
    engine_step(f->cpu);
    assert_int_equal(f->cpu->arch.rip, HANDLER);
    assert_int_equal(f->cpu->arch.cpl, 0);
    assert_int_equal(f->last.mechanism, MECH_INT_N);
    engine_step(f->cpu);
    assert_int_equal(f->cpu->arch.rip, AT_CODE + 2);
    assert_int_equal(f->cpu->arch.cpl, 3);
    assert_int_equal(f->cpu->arch.gpr[RSP], AT_USER_STACK);
    assert_int_equal(f->last.mechanism, MECH_IRET_OUTER);
    assert_int_equal(f->transitions, 2);
    assert_int_equal(clock_retired(&f->clock), 2);
    finish(f);
}

static void syscall_and_sysret(void **state)
{
    static const u8 code[] = {0x0F, 0x05};         /* syscall */
    static const u8 kernel[] = {0x48, 0x0F, 0x07}; /* sysretq */
    struct ring_fixture *f = user_code(code, sizeof code);

    (void)state;
    physmem_write(f->pm, HANDLER, kernel, sizeof kernel, INITIATOR_LOADER);
    f->cpu->arch.msr.star = (u64)0x0023 << 48 | (u64)SEL_CODE64 << 32;
    f->cpu->arch.msr.lstar = HANDLER;
    f->cpu->arch.msr.fmask = FLAG_IF;
    engine_step(f->cpu);
    assert_int_equal(f->cpu->arch.rip, HANDLER);
    assert_int_equal(f->cpu->arch.cpl, 0);
    engine_step(f->cpu);
    assert_int_equal(f->cpu->arch.rip, AT_CODE + 2);
    assert_int_equal(f->cpu->arch.cpl, 3);
    assert_true(f->cpu->arch.rflags & FLAG_IF);
    assert_int_equal(f->transitions, 2);
    finish(f);
}

/* An undefined instruction without any IDT: #UD, #GP, #DF, shutdown (NX-04). */
static void triple_fault(void **state)
{
    static const u8 code[] = {0x0F, 0x0B}; /* ud2 */
    struct ring_fixture *f = user_code(code, sizeof code);

    (void)state;
    f->cpu->arch.idtr.limit = 0;
    assert_int_equal(engine_run(f->cpu, 100), ENGINE_STOPPED);
    assert_int_equal(f->cpu->host.stop, STOP_SHUTDOWN);
    assert_int_equal(f->transitions, 1);
    assert_int_equal(f->last.mechanism, MECH_SHUTDOWN);
    assert_int_equal(f->cpu->arch.rip, AT_CODE);
    assert_int_equal(f->cpu->arch.cpl, 3);
    finish(f);
}

/* The second of two page faults leaves its address in CR2 although #DF is what is delivered. SDM 3A, "Interrupt 14". */
static void double_page_fault(void **state)
{
    static const u8 code[] = {0x48, 0x8B, 0x03}; /* mov rax, [rbx] */
    struct ring_fixture *f = user_code(code, sizeof code);

    (void)state;
    put_gate(f, VEC_PF, 14, 0, SEL_CODE64, HANDLER, 0, true);
    put_gate(f, VEC_DF, 14, 0, SEL_CODE64, HANDLER, 1, true);
    put(f, AT_TSS + 4, 0x300800, 8); /* absent, as 200000h */
    f->cpu->arch.gpr[RBX] = 0x200000;
    engine_step(f->cpu);
    engine_step(f->cpu);
    engine_step(f->cpu);
    assert_int_equal(f->last.vector, VEC_DF);
    assert_int_equal(f->cpu->arch.rip, HANDLER);
    assert_int_equal(f->cpu->arch.cr2, 0x3007F8);
    finish(f);
}

/* An instruction that ends past the limit of CS is refused before the page behind the limit is looked at. */
static void fetch_limit_before_the_next_page(void **state)
{
    struct ring_fixture *f = fixture_long(VENDOR_INTEL);
    struct cpu_arch *a = &f->cpu->arch;

    (void)state;
    engine_attach(f->cpu);
    put_descriptor(f, SEL_UCODE32, 0, 0x1FFFFF >> 12, 0xCFA); /* up to the last mapped byte */
    put_gate(f, VEC_GP, 14, 0, SEL_CODE64, HANDLER, 0, true);
    put_gate(f, VEC_PF, 14, 0, SEL_CODE64, HANDLER, 0, true);
    put(f, 0x1FFFFE, 0x00B8, 2); /* mov eax, imm32 */
    fixture_enter(f, SEL_UCODE32 | 3, SEL_UDATA32 | 3, 0x1FFFFE, AT_USER_STACK, FLAG_FIXED1);
    engine_step(f->cpu);
    engine_step(f->cpu);
    assert_int_equal(f->last.vector, VEC_GP);
    assert_int_equal(f->last.from.rip, 0x1FFFFE);
    assert_int_equal(a->cr2, 0);
    finish(f);
}

static void note_insn(void *context, struct cpu *cpu, unsigned length)
{
    struct ring_fixture *f = context;

    assert_true(f->insns < ARRAY_LEN(f->insn));
    f->insn[f->insns++] =
        (struct fixture_insn){.rip = cpu->arch.rip, .retired = clock_retired(cpu->clock), .length = length};
}

/* The hook is called before each stepped instruction, also before one that faults, and sees the whole path. */
static void every_instruction_is_shown(void **state)
{
    static const u8 code[] = {0x48, 0x8B, 0x03, 0x90}; /* mov rax, [rbx]; nop */
    static const u8 handler[] = {0xBB, 0x00, 0x00, 0x02, 0x00, 0x48, 0x83, 0xC4, 0x08, 0x48, 0xCF};
    static const struct fixture_insn expected[] = {
        {AT_CODE, 0, 3},     {HANDLER, 0, 5}, {HANDLER + 5, 1, 4}, /* mov ebx, 20000h; add rsp, 8 */
        {HANDLER + 9, 2, 2}, {AT_CODE, 3, 3}, {AT_CODE + 3, 4, 1},
    };
    struct ring_fixture *f = user_code(code, sizeof code);

    (void)state;
    physmem_write(f->pm, HANDLER, handler, sizeof handler, INITIATOR_LOADER);
    put_gate(f, VEC_PF, 14, 0, SEL_CODE64, HANDLER, 0, true);
    f->cpu->arch.gpr[RBX] = 0x200000;
    f->observer.insn = note_insn;
    engine_select(f->cpu, ENGINE_STEP);
    engine_run(f->cpu, 7); /* five instructions complete; the fault takes a tick, its delivery another */
    assert_int_equal(f->insns, ARRAY_LEN(expected));
    for (unsigned i = 0; i < ARRAY_LEN(expected); i++) {
        assert_int_equal(f->insn[i].rip, expected[i].rip);
        assert_int_equal(f->insn[i].retired, expected[i].retired);
        assert_int_equal(f->insn[i].length, expected[i].length);
    }
    finish(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int_and_iret),
        cmocka_unit_test(syscall_and_sysret),
        cmocka_unit_test(triple_fault),
        cmocka_unit_test(double_page_fault),
        cmocka_unit_test(fetch_limit_before_the_next_page),
        cmocka_unit_test(every_instruction_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
