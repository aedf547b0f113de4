/* SPDX-License-Identifier: MIT
 * Double-fault classes: rules NX-01 to NX-04, NX-08, and the shutdown state (NX-09).
 */
#include "ring_fixture.h"

static enum nesting nest(enum mechanism mechanism, u8 first, u8 second)
{
    struct interrupt_event event = {.mechanism = mechanism, .vector = first};
    struct fault fault = {.vector = second};

    return fault_nesting(&event, &fault);
}

static void contributory_pairs(void **state)
{
    static const u8 contributory[] = {VEC_DE, VEC_TS, VEC_NP, VEC_SS, VEC_GP, VEC_CP};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(contributory); i++) {
        for (unsigned k = 0; k < ARRAY_LEN(contributory); k++)
            assert_int_equal(nest(MECH_FAULT, contributory[i], contributory[k]), NEST_DOUBLE_FAULT);
        assert_int_equal(nest(MECH_FAULT, contributory[i], VEC_PF), NEST_SERIAL);
        assert_int_equal(nest(MECH_FAULT, VEC_PF, contributory[i]), NEST_DOUBLE_FAULT);
        assert_int_equal(nest(MECH_FAULT, VEC_VE, contributory[i]), NEST_DOUBLE_FAULT);
        assert_int_equal(nest(MECH_FAULT, VEC_UD, contributory[i]), NEST_SERIAL);
        assert_int_equal(nest(MECH_ABORT, VEC_DF, contributory[i]), NEST_SHUTDOWN);
    }
    assert_int_equal(nest(MECH_FAULT, VEC_PF, VEC_PF), NEST_DOUBLE_FAULT);
    assert_int_equal(nest(MECH_ABORT, VEC_DF, VEC_PF), NEST_SHUTDOWN);
    assert_int_equal(nest(MECH_ABORT, VEC_DF, VEC_DB), NEST_SERIAL);
    assert_int_equal(nest(MECH_ABORT, VEC_MC, VEC_GP), NEST_SERIAL);
}

/* NX-08: the vector of an interrupt says nothing. */
static void interrupts_are_benign(void **state)
{
    static const enum mechanism benign[] = {MECH_INT_N, MECH_INT3, MECH_INTO, MECH_INT1,
                                            MECH_IRQ,   MECH_NMI,  MECH_BOUND};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(benign); i++) {
        assert_int_equal(nest(benign[i], VEC_GP, VEC_GP), NEST_SERIAL);
        assert_int_equal(nest(benign[i], VEC_PF, VEC_PF), NEST_SERIAL);
        assert_int_equal(nest(benign[i], VEC_DF, VEC_NP), NEST_SERIAL);
    }
}

static void shutdown_is_shown(void **state)
{
    struct ring_fixture *f = fixture_protected(VENDOR_INTEL);

    (void)state;
    ring_shutdown(f->cpu);
    assert_int_equal(f->cpu->arch.activity, SHUTDOWN);
    assert_int_equal(f->transitions, 1);
    assert_int_equal(f->last.mechanism, MECH_SHUTDOWN);
    assert_int_equal(f->cpu->d.next_rip, AT_CODE);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contributory_pairs),
        cmocka_unit_test(interrupts_are_benign),
        cmocka_unit_test(shutdown_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
