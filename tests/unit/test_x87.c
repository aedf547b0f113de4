/* SPDX-License-Identifier: MIT
 * x87 where no host can be asked: pending exceptions by CR0.NE, faults of memory operands, last-instruction pointers,
 * the environment in real mode, and processors without an FPU.
 */
#include "unit/isa_fixture.h"

#include "cpu/isa/x87.h"

#define M(opcode, digit) opcode, 0x04 | (digit) << 3, 0x25, 0x00, 0x00, 0x03, 0x00 /* [FIXTURE_DATA], 64-bit code */
#define HOLE(opcode, digit) opcode, (u8)(0x04 | (digit) << 3), 0x25, 0x00, 0x00, 0x04, 0x00

static void open_64(struct fixture *fx)
{
    fixture_open(fx, FIXTURE_64);
    fx->cpu->arch.cr0 |= CR0_NE;
    fx->cpu->arch.rip = FIXTURE_CODE;
    assert_int_equal(RUN(fx, 0xDB, 0xE3), -1); /* fninit */
}

/* Leave an unmasked, pending zero-divide: 1 / 0. */
static void divide_by_zero(struct fixture *fx)
{
    const u16 control = 0x037B;

    fixture_write(fx, FIXTURE_DATA, &control, 2);
    assert_int_equal(RUN(fx, M(0xD9, 5)), -1);
    assert_int_equal(RUN(fx, 0xD9, 0xEE), -1); /* fldz */
    assert_int_equal(RUN(fx, 0xD9, 0xE8), -1); /* fld1 */
    assert_int_equal(RUN(fx, 0xD8, 0xF1), -1); /* fdiv st, st1: pending now */
    assert_int_equal(fx->cpu->arch.x87_status & (X87_SUMMARY | X87_ZE), X87_SUMMARY | X87_ZE);
}

static void test_pending_exception_waits_for_a_waiting_instruction(void **state)
{
    struct fixture fx;

    (void)state;
    open_64(&fx);
    divide_by_zero(&fx);
    assert_int_equal(RUN(&fx, 0xDF, 0xE0), -1);           /* fnstsw ax */
    assert_int_equal(RUN(&fx, M(0xD9, 7)), -1);           /* fnstcw */
    assert_int_equal(RUN(&fx, 0x9B), VEC_MF);             /* fwait */
    assert_int_equal(RUN(&fx, 0xD9, 0xE8), VEC_MF);       /* fld1 */
    assert_int_equal(RUN(&fx, M(0xD9, 5)), VEC_MF);       /* fldcw */
    assert_int_equal(RUN(&fx, HOLE(0xD9, 0)), VEC_MF);    /* before the page fault of fld */
    assert_int_equal(RUN(&fx, 0x0F, 0x6F, 0xC1), VEC_MF); /* movq mm0, mm1 */
    assert_int_equal(RUN(&fx, 0xDB, 0xE2), -1);           /* fnclex */
    assert_int_equal(RUN(&fx, 0x9B), -1);
    assert_int_equal(fx.cpu->arch.x87[x87_physical(fx.cpu, 0)].sign_exponent, 0x3FFF); /* nothing was stored */
    fixture_close(&fx);
}

/* ---- CR0.NE = 0 */
struct ferr_pin {
    bool asserted, ignore;
};

static bool on_ferr(void *context, bool asserted)
{
    struct ferr_pin *pin = context;

    pin->asserted = asserted;
    return pin->ignore;
}

/* CR0.NE is clear, and an unmasked division by zero waits. */
static void open_with_ferr(struct fixture *fx, struct ferr_pin *pin)
{
    open_64(fx);
    fx->cpu->arch.cr0 &= ~CR0_NE;
    fx->cpu->host.ports.context = pin;
    fx->cpu->host.ports.ferr = on_ferr;
    divide_by_zero(fx);
}

static void test_ferr(void **state)
{
    struct ferr_pin pin = {.asserted = false};
    struct fixture fx;

    (void)state;
    open_with_ferr(&fx, &pin);
    assert_false(pin.asserted);                 /* not before an instruction waits */
    assert_int_equal(RUN(&fx, 0xD9, 0xE8), -1); /* fld1 waits */
    assert_true(pin.asserted);
    assert_true(fx.cpu->d.next_rip == FIXTURE_CODE && fx.cpu->d.in_rep);
    assert_int_equal(x87_physical(fx.cpu, 0), 6);
    fx.cpu->d.in_rep = false;
    pin.ignore = true; /* the handler wrote port F0h: IGNNE# */
    assert_int_equal(RUN(&fx, 0xD9, 0xE8), -1);
    assert_int_equal(x87_physical(fx.cpu, 0), 5);
    assert_int_equal(RUN(&fx, 0xDB, 0xE2), -1); /* fnclex */
    assert_false(pin.asserted);
    fixture_close(&fx);
}

/* MMX waits for FERR# as x87 instructions do: nothing is written until IGNNE#. */
static void test_ferr_at_mmx(void **state)
{
    struct ferr_pin pin = {.asserted = false};
    struct fixture fx;

    (void)state;
    open_with_ferr(&fx, &pin);
    fx.cpu->arch.x87[0].mantissa = 1;
    fx.cpu->arch.x87[1].mantissa = 2;
    assert_int_equal(RUN(&fx, 0x0F, 0x6F, 0xC1), -1); /* movq mm0, mm1 waits */
    assert_true(pin.asserted && fx.cpu->d.next_rip == FIXTURE_CODE);
    assert_int_equal(RUN(&fx, 0x0F, 0xFC, 0xC1), -1); /* paddb mm0, mm1 */
    assert_int_equal(fx.cpu->arch.x87[0].mantissa, 1);
    fx.cpu->d.in_rep = false;
    pin.ignore = true;
    assert_int_equal(RUN(&fx, 0x0F, 0xFC, 0xC1), -1);
    assert_int_equal(fx.cpu->arch.x87[0].mantissa, 3);
    fixture_close(&fx);
}

/* A state without an exception ends FERR#, whichever instruction loads it: a later error must ask again. */
static void test_ferr_ends_with_the_loaded_state(void **state)
{
    struct ferr_pin pin = {.asserted = false};
    struct fixture fx;

    (void)state;
    for (unsigned fxrstor = 0; fxrstor < 2; fxrstor++) {
        open_with_ferr(&fx, &pin);
        pin.ignore = false;
        assert_int_equal(RUN(&fx, 0x9B), -1); /* wait */
        assert_true(pin.asserted);
        fx.cpu->d.in_rep = false;
        pin.ignore = true;
        fx.cpu->arch.gpr[RBX] = FIXTURE_DATA; /* zeros */
        if (fxrstor)
            assert_int_equal(RUN(&fx, 0x0F, 0xAE, 0x0B), -1); /* fxrstor [rbx] */
        else
            assert_int_equal(RUN(&fx, 0xD9, 0x23), -1); /* fldenv [rbx] */
        assert_int_equal(fx.cpu->arch.x87_status, 0);
        assert_false(pin.asserted);
        fixture_close(&fx);
    }
}

/* ---- faults of the operand leave the unit as it was */
static void test_page_faults_change_nothing(void **state)
{
    static const u8 opcodes[][2] = {{0xD9, 0}, {0xD9, 3}, {0xDD, 0}, {0xDD, 3}, {0xDB, 5}, {0xDB, 7}, {0xDF, 5},
                                    {0xDF, 7}, {0xDF, 4}, {0xDF, 6}, {0xD8, 0}, {0xDC, 6}, {0xDA, 1}, {0xDE, 2},
                                    {0xD9, 4}, {0xD9, 6}, {0xDD, 4}, {0xDD, 6}, {0xDD, 1}, {0xD9, 5}};
    struct fixture fx;

    (void)state;
    open_64(&fx);
    assert_int_equal(RUN(&fx, 0xD9, 0xEB), -1); /* fldpi */
    fx.cpu->arch.x87_control = 0x0340;          /* everything unmasked */
    for (unsigned i = 0; i < ARRAY_LEN(opcodes); i++) {
        const u8 bytes[] = {HOLE(opcodes[i][0], opcodes[i][1])};
        u64 before = cpu_state_hash(fx.cpu);

        assert_int_equal(fixture_run(&fx, bytes, sizeof bytes), VEC_PF);
        assert_true(cpu_state_hash(fx.cpu) == before);
    }
    fixture_close(&fx);
}

/* An empty stack with everything unmasked: nothing is stored, but the operand's own faults come first. */
static void test_unmasked_invalid_does_not_store(void **state)
{
    struct fixture fx;
    const u32 before = 0x12345678;

    (void)state;
    open_64(&fx);
    fx.cpu->arch.x87_control = 0x0340;
    fixture_write(&fx, FIXTURE_DATA, &before, 4);
    assert_int_equal(RUN(&fx, HOLE(0xD9, 3)), VEC_PF); /* fstp m32 */
    assert_int_equal(fx.cpu->arch.x87_status, 0);
    assert_int_equal(RUN(&fx, M(0xD9, 3)), -1);
    assert_int_equal(fx.cpu->arch.x87_status, X87_SUMMARY | X87_SF | X87_IE);
    assert_int_equal(fixture_read(&fx, FIXTURE_DATA, 4), before);
    fixture_close(&fx);
}

/* ---- last-instruction pointers */
static void test_pointers(void **state)
{
    struct fixture fx;
    struct cpu_arch *a;

    (void)state;
    open_64(&fx);
    a = &fx.cpu->arch;
    a->rip = 0x7FFF12345678;
    assert_int_equal(RUN(&fx, M(0xDD, 0)), -1); /* fld m64 */
    assert_true(a->x87_ip == 0x7FFF12345678 && a->x87_dp == FIXTURE_DATA);
    assert_int_equal(a->x87_cs, 8);
    assert_int_equal(a->x87_ds, 0x10);
    assert_int_equal(a->x87_opcode, 0x504);
    a->rip = 0x2000;
    assert_int_equal(RUN(&fx, M(0xD9, 7)), -1); /* fnstcw: a control instruction */
    assert_int_equal(RUN(&fx, M(0xD9, 5)), -1); /* fldcw */
    assert_int_equal(RUN(&fx, 0x9B), -1);
    assert_true(a->x87_ip == 0x7FFF12345678);
    assert_int_equal(RUN(&fx, 0xD9, 0xE0), -1); /* fchs: no memory operand */
    assert_true(a->x87_ip == 0x2000 && a->x87_dp == FIXTURE_DATA);
    assert_int_equal(a->x87_opcode, 0x1E0);
    fixture_close(&fx);
}

/* ---- real mode: linear pointers */
static void open_real(struct fixture *fx)
{
    fixture_open(fx, FIXTURE_16);
    fx->cpu->arch.cr0 &= ~CR0_PE;
    fx->cpu->arch.cr0 |= CR0_NE;
    fx->cpu->arch.seg[CS].selector = 0x1234;
    for (unsigned s = SS; s <= DS; s++)
        fx->cpu->arch.seg[s].selector = 0x2000;
    fx->cpu->arch.seg[DS].base = 0x20000;
    cpu_update_derived(fx->cpu);
    assert_int_equal(RUN(fx, 0xDB, 0xE3), -1);
    fx->cpu->arch.rip = 0xFFF0;
    assert_int_equal(RUN(fx, 0xD9, 0x06, 0xF0, 0xFE), -1); /* fld dword [FEF0]: FIP 22330, FDP 2FEF0, opcode 106 */
}

static void test_environment_in_real_mode(void **state)
{
    struct fixture fx;

    (void)state;
    open_real(&fx);
    assert_int_equal(RUN(&fx, 0xD9, 0x36, 0x00, 0x01), -1); /* fnstenv [100]: 14 bytes */
    assert_int_equal(fixture_read(&fx, 0x20100, 2), 0x037F);
    assert_int_equal(fixture_read(&fx, 0x20102, 2), 0x3800);
    assert_int_equal(fixture_read(&fx, 0x20104, 2), 0x7FFF); /* ST(0) is a zero */
    assert_int_equal(fixture_read(&fx, 0x20106, 2), 0x2330);
    assert_int_equal(fixture_read(&fx, 0x20108, 2), 0x2106);
    assert_int_equal(fixture_read(&fx, 0x2010A, 2), 0xFEF0);
    assert_int_equal(fixture_read(&fx, 0x2010C, 2), 0x2000);
    assert_int_equal(fixture_read(&fx, 0x2010E, 2), 0);
    assert_int_equal(RUN(&fx, 0x66, 0xD9, 0x36, 0x00, 0x02), -1); /* 28 bytes */
    assert_int_equal(fixture_read(&fx, 0x2020C, 4), 0xFFFF2330);
    assert_int_equal(fixture_read(&fx, 0x20210, 4), 0x00002106);
    assert_int_equal(fixture_read(&fx, 0x20214, 4), 0xFFFFFEF0);
    assert_int_equal(fixture_read(&fx, 0x20218, 4), 0x00002000);
    assert_int_equal(RUN(&fx, 0xDB, 0xE3), -1);
    assert_int_equal(RUN(&fx, 0x66, 0xD9, 0x26, 0x00, 0x02), -1); /* and back */
    assert_true(fx.cpu->arch.x87_ip == 0x22330 && fx.cpu->arch.x87_dp == 0x2FEF0);
    assert_int_equal(fx.cpu->arch.x87_opcode, 0x106);
    assert_int_equal(RUN(&fx, 0xDD, 0x36, 0x00, 0x03), -1); /* fnsave: 94 bytes */
    assert_int_equal(fixture_read(&fx, 0x20308, 2), 0x2106);
    assert_int_equal(fx.cpu->arch.x87_tag, 0xFFFF);
    fixture_close(&fx);
}

/* ---- availability */
static void test_no_fpu(void **state)
{
    struct fixture fx;

    (void)state;
    open_64(&fx);
    fx.cpu->model.feature[FEAT_FPU] = false;
    assert_int_equal(RUN(&fx, 0xDB, 0xE3), VEC_UD);
    assert_int_equal(RUN(&fx, 0xD9, 0xE8), VEC_UD);
    assert_int_equal(RUN(&fx, 0x9B), -1);
    fx.cpu->arch.cr0 |= CR0_EM;
    cpu_update_derived(fx.cpu);
    assert_int_equal(RUN(&fx, 0xDB, 0xE3), VEC_NM);
    assert_int_equal(RUN(&fx, 0x9B), -1);
    fixture_close(&fx);
}

static void test_not_available(void **state)
{
    struct fixture fx;

    (void)state;
    open_64(&fx);
    fx.cpu->arch.cr0 |= CR0_TS;
    cpu_update_derived(fx.cpu);
    assert_int_equal(RUN(&fx, 0xD9, 0xE8), VEC_NM);
    assert_int_equal(RUN(&fx, 0xDB, 0xE3), VEC_NM); /* control instructions too */
    assert_int_equal(RUN(&fx, 0x9B), -1);
    fx.cpu->arch.cr0 |= CR0_MP;
    cpu_update_derived(fx.cpu);
    assert_int_equal(RUN(&fx, 0x9B), VEC_NM);
    fixture_close(&fx);
}

/* FISTTP came with SSE3, FCOMI and FCMOV with CMOV. */
static void test_features(void **state)
{
    struct fixture fx;

    (void)state;
    open_64(&fx);
    assert_int_equal(RUN(&fx, 0xD9, 0xE8), -1);
    assert_int_equal(RUN(&fx, 0xDB, 0xF0), -1); /* fcomi */
    assert_int_equal(RUN(&fx, M(0xDB, 1)), -1); /* fisttp */
    fx.cpu->model.feature[FEAT_SSE3] = fx.cpu->model.feature[FEAT_CMOV] = false;
    assert_int_equal(RUN(&fx, 0xDB, 0xF0), VEC_UD);
    assert_int_equal(RUN(&fx, 0xDA, 0xC1), VEC_UD); /* fcmovb */
    assert_int_equal(RUN(&fx, 0xDB, 0x0E), VEC_UD); /* fisttp [rsi] */
    fixture_close(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pending_exception_waits_for_a_waiting_instruction),
        cmocka_unit_test(test_ferr),
        cmocka_unit_test(test_ferr_at_mmx),
        cmocka_unit_test(test_ferr_ends_with_the_loaded_state),
        cmocka_unit_test(test_page_faults_change_nothing),
        cmocka_unit_test(test_unmasked_invalid_does_not_store),
        cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_environment_in_real_mode),
        cmocka_unit_test(test_no_fpu),
        cmocka_unit_test(test_not_available),
        cmocka_unit_test(test_features),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
