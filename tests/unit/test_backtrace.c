/* SPDX-License-Identifier: MIT
 * Call chains: which words of a kernel stack are taken for return addresses, and which are not.
 */
#include "guest_fixture.h"

#define OUTER AT_TEXT
#define MIDDLE (AT_TEXT + 0x100)
#define INNER (AT_TEXT + 0x200)
#define OTHER (AT_TEXT + 0x300)
#define FORK (AT_TEXT + 0x400)
#define THUNK (AT_TEXT + 0x500)
#define LAST (AT_TEXT + 0x600)
#define FRAMES 16u

static u64 frame[FRAMES];

/* opcode rel32 at a place. returns: the place behind it */
static u64 put_branch(struct guest_fixture *f, u64 at, u8 opcode, u64 target)
{
    poke(f, at, opcode, 1);
    poke(f, at + 1, (u32)(target - at - 5), 4);
    return at + 5;
}
static u64 put_call(struct guest_fixture *f, u64 at, u64 target) { return put_branch(f, at, 0xE8, target); }

/* FF /2 through RAX. */
static u64 put_indirect_call(struct guest_fixture *f, u64 at)
{
    poke(f, at, 0xD0FF, 2);
    return at + 2;
}

/* Word i of the stack, counted from the stack pointer. */
static void put_word(struct guest_fixture *f, unsigned i, u64 value)
{
    poke_pointer(f, AT_STACK + i * (f->kernel.is64 ? 8 : 4), value);
}

static struct guest_fixture *chain_new(bool is64)
{
    struct guest_fixture *f = guest_fixture_new(is64, true);

    look(f);
    f->cpu->arch.rip = run(f, INNER + 8);
    f->cpu->arch.gpr[RSP] = run(f, AT_STACK);
    f->cpu->arch.gpr[RBP] = 0;
    return f;
}

/* The chain is RIP and these places, and no more. */
static void assert_chain(struct guest_fixture *f, unsigned count, const u64 *places)
{
    size_t n = guest_backtrace(f->guest, f->cpu, frame, FRAMES);

    assert_int_equal(frame[0], f->cpu->arch.rip);
    for (unsigned i = 0; i < count && i + 1 < n; i++)
        assert_int_equal(frame[i + 1], run(f, places[i]));
    assert_int_equal(n, count + 1);
}
#define ASSERT_CHAIN(f, ...)                                                                                           \
    assert_chain((f), sizeof((const u64[]){__VA_ARGS__}) / sizeof(u64), (const u64[]){__VA_ARGS__})

static void direct_calls(bool is64)
{
    struct guest_fixture *f = chain_new(is64);
    u64 inner = put_call(f, MIDDLE + 0x10, INNER), middle = put_call(f, OUTER + 0x20, MIDDLE);
    u64 stale = put_call(f, OTHER + 0x10, LAST), fork = put_indirect_call(f, FORK + 8);

    put_word(f, 0, run(f, stale));        /* leads elsewhere */
    put_word(f, 1, run(f, OTHER + 0x40)); /* no call stands there */
    put_word(f, 2, 0x1234);
    put_word(f, 3, run(f, inner));
    put_word(f, 4, run(f, stale));
    put_word(f, 5, run(f, middle));
    put_word(f, 6, run(f, fork));
    put_word(f, 7, run(f, inner)); /* behind the end */
    ASSERT_CHAIN(f, inner, middle, fork);
    assert_int_equal(guest_backtrace(f->guest, f->cpu, frame, 2), 2);
    assert_int_equal(guest_backtrace(f->guest, f->cpu, frame, 0), 0);
    guest_fixture_free(f);
}

static void direct_calls_64(void **state)
{
    (void)state;
    direct_calls(true);
}

static void direct_calls_32(void **state)
{
    (void)state;
    direct_calls(false);
}

/* A function that is left by a jump has no return address: the jump stands for it. */
static void a_tail_call_is_shown(void **state)
{
    struct guest_fixture *f = chain_new(true);
    u64 middle = put_call(f, OUTER + 0x20, MIDDLE);

    (void)state;
    put_branch(f, MIDDLE + 0x30, 0xE9, INNER);
    put_word(f, 2, run(f, middle));
    ASSERT_CHAIN(f, MIDDLE + 0x30, middle);
    poke(f, MIDDLE + 0x30, 0x90, 1); /* without the jump nothing leads here */
    assert_int_equal(guest_backtrace(f->guest, f->cpu, frame, FRAMES), 1);
    poke(f, MIDDLE + 0x30, 0x0F, 1); /* a conditional one, near */
    put_branch(f, MIDDLE + 0x31, 0x84, INNER + 0x20);
    ASSERT_CHAIN(f, MIDDLE + 0x31, middle);
    guest_fixture_free(f);
}

/* The caller of an indirect call must be found by a direct one, when nothing else speaks for it. */
static void indirect_calls_need_a_witness(void **state)
{
    static const u8 forms[][8] = {{2, 0xFF, 0xD0},
                                  {3, 0x41, 0xFF, 0xD3},
                                  {3, 0xFF, 0x50, 0x18},
                                  {4, 0xFF, 0x54, 0x24, 0x08},
                                  {6, 0xFF, 0x90, 0, 1, 0, 0},
                                  {6, 0xFF, 0x15, 0, 1, 0, 0},
                                  {7, 0xFF, 0x14, 0xC5, 0, 1, 0, 0}};
    struct guest_fixture *f = chain_new(true);
    u64 middle = put_call(f, OUTER + 0x20, MIDDLE);

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(forms); i++) {
        u64 inner = MIDDLE + 0x20;

        physmem_write(f->pm, inner - forms[i][0], forms[i] + 1, forms[i][0], INITIATOR_LOADER);
        put_word(f, 1, run(f, inner));
        put_word(f, 2, run(f, middle));
        ASSERT_CHAIN(f, inner, middle);
        put_word(f, 2, 0);
        assert_int_equal(guest_backtrace(f->guest, f->cpu, frame, FRAMES), 1);
    }
    put_word(f, 1, run(f, put_call(f, MIDDLE + 0x40, THUNK)));
    put_word(f, 2, run(f, middle));
    ASSERT_CHAIN(f, MIDDLE + 0x45, middle);
    poke(f, MIDDLE + 0x40, 0x90, 1);
    poke(f, MIDDLE + 0x42, 0x30FF, 2); /* PUSH, not CALL */
    assert_int_equal(guest_backtrace(f->guest, f->cpu, frame, FRAMES), 1);
    guest_fixture_free(f);
}

/* Behind a call that never returns another function begins. */
static void the_last_call_of_a_function(void **state)
{
    struct guest_fixture *f = chain_new(true);
    u64 inner = put_call(f, MIDDLE + 0xFB, INNER), middle = put_call(f, OUTER + 0x20, MIDDLE);

    (void)state;
    assert_int_equal(inner, INNER);
    put_word(f, 0, run(f, inner));
    put_word(f, 1, run(f, middle));
    ASSERT_CHAIN(f, inner, middle);
    guest_fixture_free(f);
}

/* What an earlier call left fits as well as the truth, and lies nearer; the frame pointer knows better. */
static void the_frame_pointer_decides(void **state)
{
    struct guest_fixture *f = chain_new(false);
    u64 stale = put_call(f, MIDDLE + 0x10, INNER), inner = put_call(f, OTHER + 0x10, INNER);

    (void)state;
    put_word(f, 1, run(f, stale));
    put_word(f, 4, 0); /* the saved EBP */
    put_word(f, 5, run(f, inner));
    ASSERT_CHAIN(f, stale); /* without a prologue the nearest is taken */
    poke(f, INNER, 0xE58955, 3);
    f->cpu->arch.gpr[RBP] = run(f, AT_STACK + 4 * 4);
    ASSERT_CHAIN(f, inner);
    f->cpu->arch.gpr[RBP] = run(f, AT_STACK + 2 * 4); /* no call stands before what is there */
    ASSERT_CHAIN(f, stale);
    f->cpu->arch.gpr[RBP] = run(f, AT_STACK + 4 * 4);
    f->cpu->arch.rip = run(f, INNER + 1); /* EBP is not set yet */
    ASSERT_CHAIN(f, stale);
    guest_fixture_free(f);
}

static void put_orc(struct guest_fixture *f, unsigned i, u64 place, i16 offset, unsigned base)
{
    u64 at = AT_ORC + 4 * i;

    poke(f, at, (u32)(place - at), 4);
    poke(f, AT_ORC + 0x100 + 6 * i, (u16)offset | (u64)base << 32, 6);
}

/* The same by the kernel's own table. */
static void the_unwind_table_decides(void **state)
{
    struct guest_fixture *f = chain_new(true);
    u64 stale = put_call(f, MIDDLE + 0x10, INNER), inner = put_call(f, OTHER + 0x10, INNER);
    u64 other = put_call(f, OUTER + 0x20, OTHER);

    (void)state;
    put_word(f, 1, run(f, stale));
    put_word(f, 5, run(f, inner));
    put_word(f, 7, run(f, other));
    ASSERT_CHAIN(f, stale);
    put_orc(f, 0, OUTER, 8, 5);
    put_orc(f, 1, INNER, 6 * 8, 5); /* RSP + 48 is above the return address */
    put_orc(f, 2, OTHER, 2 * 8, 5);
    ASSERT_CHAIN(f, inner, other);
    put_orc(f, 1, INNER, 16, 4); /* by RBP */
    f->cpu->arch.gpr[RBP] = run(f, AT_STACK + 4 * 8);
    ASSERT_CHAIN(f, inner, other);
    put_orc(f, 1, INNER, 7 * 8, 5); /* wrong: no call there */
    ASSERT_CHAIN(f, stale);
    guest_fixture_free(f);
}

static void where_nothing_is_known(void **state)
{
    struct guest_fixture *f = chain_new(true);
    u64 inner = put_call(f, MIDDLE + 0x10, INNER);

    (void)state;
    put_word(f, 0, run(f, inner));
    ASSERT_CHAIN(f, inner);
    f->cpu->arch.gpr[RSP] = 0x1000; /* not mapped */
    assert_int_equal(guest_backtrace(f->guest, f->cpu, frame, FRAMES), 1);
    f->cpu->arch.gpr[RSP] = ~7ull; /* the last word there is */
    assert_int_equal(guest_backtrace(f->guest, f->cpu, frame, FRAMES), 1);
    f->cpu->arch.gpr[RSP] = run(f, AT_STACK);
    f->cpu->arch.rip = 0x400000; /* no function of the kernel */
    assert_int_equal(guest_backtrace(f->guest, f->cpu, frame, FRAMES), 1);
    f->cpu->arch.rip = run(f, INNER + 8);
    guest_reset(f->guest);
    assert_int_equal(guest_backtrace(f->guest, f->cpu, frame, FRAMES), 1);
    guest_fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct_calls_64),
        cmocka_unit_test(direct_calls_32),
        cmocka_unit_test(a_tail_call_is_shown),
        cmocka_unit_test(indirect_calls_need_a_witness),
        cmocka_unit_test(the_last_call_of_a_function),
        cmocka_unit_test(the_frame_pointer_decides),
        cmocka_unit_test(the_unwind_table_decides),
        cmocka_unit_test(where_nothing_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
