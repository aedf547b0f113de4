/* SPDX-License-Identifier: MIT
 * Integer instructions that the host cannot show: decimal arithmetic, stack forms, near branches, bit strings in
 * memory, BOUND, and what a fault leaves behind.
 */
#include "isa_fixture.h"

static u64 *gpr(struct fixture *fx) { return fx->cpu->arch.gpr; }

static int open64(void **state)
{
    static struct fixture fx;

    fixture_open(&fx, FIXTURE_64);
    fx.cpu->arch.rip = FIXTURE_CODE;
    *state = &fx;
    return 0;
}

static int open32(void **state)
{
    static struct fixture fx;

    fixture_open(&fx, FIXTURE_32);
    fx.cpu->arch.rip = FIXTURE_CODE;
    *state = &fx;
    return 0;
}

static int open16(void **state)
{
    static struct fixture fx;

    fixture_open(&fx, FIXTURE_16);
    fx.cpu->arch.rip = 0x1000;
    *state = &fx;
    return 0;
}

static int close_fixture(void **state)
{
    fixture_close(*state);
    return 0;
}

/* ---- decimal: vectors of the manuals' algorithms */

struct decimal_case {
    u8 opcode;
    u16 ax;
    u64 flags;
    u16 want_ax;
    u64 want_cf_af;
};

static void test_decimal(void **state)
{
    static const struct decimal_case cases[] = {
        {0x27, 0x00AE, 0, 0x0014, FLAG_CF | FLAG_AF}, /* the manual's example: 79h + 35h = AEh, DAA 14h */
        {0x2F, 0x00EE, FLAG_CF | FLAG_AF, 0x0088, FLAG_CF | FLAG_AF}, /* 35h - 47h = EEh, DAS 88h */
        {0x27, 0x009A, 0, 0x0000, FLAG_CF | FLAG_AF},
        {0x27, 0x0042, 0, 0x0042, 0},
        {0x27, 0x0005, FLAG_CF, 0x0065, FLAG_CF},
        {0x2F, 0x0003, FLAG_AF, 0x00FD, FLAG_CF | FLAG_AF}, /* the borrow of the first step alone sets CF */
        {0x2F, 0x0010, FLAG_AF, 0x000A, FLAG_AF},
        {0x37, 0x000B, 0, 0x0101, FLAG_CF | FLAG_AF},
        {0x37, 0x00FA, 0, 0x0200, FLAG_CF | FLAG_AF}, /* 286 and later: AX + 106h */
        {0x37, 0x0035, 0, 0x0005, 0},
        {0x3F, 0x020C, 0, 0x0106, FLAG_CF | FLAG_AF},
        {0x3F, 0x0200, FLAG_AF, 0x000A, FLAG_CF | FLAG_AF}, /* AX - 6 borrows from AH, then AH - 1 */
        {0x3F, 0x0239, 0, 0x0209, 0},
    };
    struct fixture *fx = *state;

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        gpr(fx)[RAX] = cases[i].ax;
        flags_put(fx->cpu, cases[i].flags);
        assert_int_equal(RUN(fx, cases[i].opcode), -1);
        assert_int_equal(gpr(fx)[RAX], cases[i].want_ax);
        assert_int_equal(flags_get(fx->cpu) & (FLAG_CF | FLAG_AF), cases[i].want_cf_af);
        assert_int_equal(flag_zf(fx->cpu), (u8)cases[i].want_ax == 0);
        assert_int_equal(flag_sf(fx->cpu), ((u8)cases[i].want_ax & 0x80) != 0);
    }
}

static void test_salc(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RAX] = 0x1234;
    flags_put(fx->cpu, FLAG_CF);
    assert_int_equal(RUN(fx, 0xD6), -1);
    assert_int_equal(gpr(fx)[RAX], 0x12FF);
    flags_put(fx->cpu, FLAG_ZF);
    assert_int_equal(RUN(fx, 0xD6), -1);
    assert_int_equal(gpr(fx)[RAX], 0x1200);
    assert_int_equal(flags_arithmetic(fx->cpu), FLAG_ZF);
}

static void test_aam_aad(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RAX] = 0x1143;
    assert_int_equal(RUN(fx, 0xD4, 10), -1);
    assert_int_equal(gpr(fx)[RAX], 0x0607);
    assert_int_equal(RUN(fx, 0xD5, 10), -1);
    assert_int_equal(gpr(fx)[RAX], 67);
    assert_int_equal(RUN(fx, 0xD4, 0), VEC_DE);
    assert_int_equal(gpr(fx)[RAX], 67);
}

/* ---- division */

static void test_divide_errors(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RAX] = 5;
    gpr(fx)[RDX] = 7;
    gpr(fx)[RBX] = 0;
    assert_int_equal(RUN(fx, 0xF7, 0xF3), VEC_DE); /* div ebx */
    gpr(fx)[RBX] = 7;
    assert_int_equal(RUN(fx, 0xF7, 0xF3), VEC_DE); /* EDX = divisor: the quotient is one too many bits */
    gpr(fx)[RBX] = 8;
    assert_int_equal(RUN(fx, 0xF7, 0xF3), -1);
    gpr(fx)[RAX] = 0;
    gpr(fx)[RDX] = BIT(63);
    gpr(fx)[RBX] = ~0ull;
    assert_int_equal(RUN(fx, 0x48, 0xF7, 0xFB), VEC_DE); /* idiv rbx: -2^127 / -1 */
    assert_int_equal(fx->cpu->host.fault.rule, RULE_IN_01);
    gpr(fx)[RDX] = 0xFFFFFFFFFFFFFFFF;
    gpr(fx)[RAX] = BIT(63);
    assert_int_equal(RUN(fx, 0x48, 0xF7, 0xFB), VEC_DE); /* -2^63 / -1 */
    assert_true(gpr(fx)[RAX] == BIT(63));
}

/* ---- stack */

static void test_push_restarts(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RSP] = FIXTURE_HOLE + 0x1000;
    gpr(fx)[RBX] = 0x1122334455667788;
    assert_int_equal(RUN(fx, 0x53), VEC_PF); /* push rbx */
    assert_int_equal(gpr(fx)[RSP], FIXTURE_HOLE + 0x1000);
    assert_int_equal(fx->cpu->host.fault.cr2, FIXTURE_HOLE + 0xFF8);
    gpr(fx)[RSP] = FIXTURE_HOLE + 0x1008;
    assert_int_equal(RUN(fx, 0x53), -1);
    assert_int_equal(gpr(fx)[RSP], FIXTURE_HOLE + 0x1000);
    assert_true(fixture_read(fx, FIXTURE_HOLE + 0x1000, 8) == 0x1122334455667788);
}

static void test_push_pop_rsp(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(RUN(fx, 0x54), -1); /* push rsp: the old value */
    assert_int_equal(fixture_read(fx, FIXTURE_STACK - 8, 8), FIXTURE_STACK);
    gpr(fx)[RSP] = FIXTURE_STACK - 8;
    fixture_write64(fx, FIXTURE_STACK - 8, 0x1234);
    assert_int_equal(RUN(fx, 0x5C), -1); /* pop rsp: what was popped */
    assert_int_equal(gpr(fx)[RSP], 0x1234);
    gpr(fx)[RSP] = FIXTURE_STACK - 8;
    assert_int_equal(RUN(fx, 0x8F, 0x04, 0x24), -1); /* pop [rsp]: the incremented address */
    assert_int_equal(fixture_read(fx, FIXTURE_STACK, 8), 0x1234);
    assert_int_equal(gpr(fx)[RSP], FIXTURE_STACK);
    gpr(fx)[RBX] = FIXTURE_HOLE;
    assert_int_equal(RUN(fx, 0x8F, 0x03), VEC_PF); /* pop [rbx] */
    assert_int_equal(gpr(fx)[RSP], FIXTURE_STACK);
}

static void test_push_immediate(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(RUN(fx, 0x6A, 0xFE), -1);
    assert_true(fixture_read(fx, FIXTURE_STACK - 8, 8) == ~1ull);
    assert_int_equal(RUN(fx, 0x66, 0x68, 0x34, 0x12), -1);
    assert_int_equal(gpr(fx)[RSP], FIXTURE_STACK - 10);
    assert_int_equal(fixture_read(fx, FIXTURE_STACK - 10, 2), 0x1234);
}

static void test_pusha_popa(void **state)
{
    struct fixture *fx = *state;

    for (unsigned n = 0; n < 8; n++)
        if (n != RSP)
            gpr(fx)[n] = 0x1000 + n;
    assert_int_equal(RUN(fx, 0x60), -1);
    assert_int_equal(gpr(fx)[RSP], FIXTURE_STACK - 32);
    for (unsigned n = 0; n < 8; n++)
        assert_int_equal(fixture_read(fx, FIXTURE_STACK - 4 * (n + 1), 4), n == RSP ? FIXTURE_STACK : 0x1000 + n);
    for (unsigned n = 0; n < 8; n++)
        if (n != RSP)
            gpr(fx)[n] = 0;
    assert_int_equal(RUN(fx, 0x61), -1);
    for (unsigned n = 0; n < 8; n++)
        assert_int_equal(gpr(fx)[n], n == RSP ? FIXTURE_STACK : 0x1000 + n);
}

static void test_enter_leave(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RBP] = FIXTURE_DATA;
    fixture_write64(fx, FIXTURE_DATA - 8, 0xAAAA);
    fixture_write64(fx, FIXTURE_DATA - 16, 0xBBBB);
    assert_int_equal(RUN(fx, 0xC8, 0x20, 0x00, 0x03), -1); /* enter 32, 3 */
    assert_int_equal(gpr(fx)[RBP], FIXTURE_STACK - 8);
    assert_int_equal(gpr(fx)[RSP], FIXTURE_STACK - 8 * 4 - 32);
    assert_int_equal(fixture_read(fx, FIXTURE_STACK - 8, 8), FIXTURE_DATA);
    assert_int_equal(fixture_read(fx, FIXTURE_STACK - 16, 8), 0xAAAA);
    assert_int_equal(fixture_read(fx, FIXTURE_STACK - 24, 8), 0xBBBB);
    assert_int_equal(fixture_read(fx, FIXTURE_STACK - 32, 8), FIXTURE_STACK - 8);
    assert_int_equal(RUN(fx, 0xC9), -1);
    assert_int_equal(gpr(fx)[RSP], FIXTURE_STACK);
    assert_int_equal(gpr(fx)[RBP], FIXTURE_DATA);
    gpr(fx)[RSP] = FIXTURE_HOLE + 0x1000 + 16;
    assert_int_equal(RUN(fx, 0xC8, 0x20, 0x00, 0x00), VEC_PF); /* the final stack pointer must be writable */
    assert_int_equal(gpr(fx)[RSP], FIXTURE_HOLE + 0x1000 + 16);
    assert_int_equal(gpr(fx)[RBP], FIXTURE_DATA);
}

static void test_stack_16(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RSP] = 0xABCD0000; /* SP wraps, the upper half of ESP stays */
    gpr(fx)[RBX] = 0x5678;
    assert_int_equal(RUN(fx, 0x53), -1);
    assert_int_equal(gpr(fx)[RSP], 0xABCDFFFE);
    assert_int_equal(fixture_read(fx, 0xFFFE, 2), 0x5678);
    gpr(fx)[RSP] = 1;
    assert_int_equal(RUN(fx, 0x53), VEC_SS); /* a word at FFFFh is past the limit */
    assert_int_equal(gpr(fx)[RSP], 1);
}

/* ---- branches */

static void test_branch_checks(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RBX] = BIT(47);
    assert_int_equal(RUN(fx, 0xFF, 0xD3), VEC_GP); /* call rbx: checked before the push */
    assert_int_equal(gpr(fx)[RSP], FIXTURE_STACK);
    assert_int_equal(fx->cpu->host.fault.rule, RULE_IN_02);
    gpr(fx)[RBX] = ~0ull << 47;
    assert_int_equal(RUN(fx, 0xFF, 0xD3), -1);
    assert_true(fx->cpu->d.next_rip == ~0ull << 47);
    assert_int_equal(fixture_read(fx, FIXTURE_STACK - 8, 8), FIXTURE_CODE + 2);
    fixture_write64(fx, FIXTURE_STACK - 8, BIT(60));
    assert_int_equal(RUN(fx, 0xC3), VEC_GP);
    assert_int_equal(gpr(fx)[RSP], FIXTURE_STACK - 8);
    fixture_write64(fx, FIXTURE_STACK - 8, 0x12345678);
    assert_int_equal(RUN(fx, 0xC2, 0x10, 0x00), -1);
    assert_int_equal(gpr(fx)[RSP], FIXTURE_STACK + 16);
    assert_int_equal(fx->cpu->d.next_rip, 0x12345678);
}

static void test_66_near_branch(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(RUN(fx, 0x66, 0xE9, 0x10, 0x00, 0x00, 0x00), -1); /* Intel ignores it */
    assert_int_equal(fx->cpu->d.next_rip, FIXTURE_CODE + 6 + 16);
    fx->cpu->model.vendor = VENDOR_AMD;
    assert_int_equal(RUN(fx, 0x66, 0xE9, 0x10, 0x00), -1); /* SG-06 */
    assert_int_equal(fx->cpu->d.next_rip, (FIXTURE_CODE + 4 + 16) & 0xFFFF);
}

static void test_limit_of_branch(void **state)
{
    struct fixture *fx = *state;

    fx->cpu->arch.seg[CS].limit = 0x1100;
    assert_int_equal(RUN(fx, 0xE9, 0x00, 0x10), VEC_GP);
    assert_int_equal(fx->cpu->host.fault.rule, RULE_SG_04);
    assert_int_equal(RUN(fx, 0x75, 0x10), -1); /* jne, taken, inside */
    assert_int_equal(fx->cpu->d.next_rip, 0x1012);
    assert_int_equal(RUN(fx, 0xE9, 0x00, 0xF0), -1); /* 1003h + F000h wraps at 16 bits to 3 */
    assert_int_equal(fx->cpu->d.next_rip, 3);
}

static void test_loops(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RCX] = 0x500000001;
    assert_int_equal(RUN(fx, 0x67, 0xE2, 0x10), -1); /* ECX counts to 0: not taken, and is zero-extended */
    assert_int_equal(fx->cpu->d.next_rip, FIXTURE_CODE + 3);
    assert_int_equal(gpr(fx)[RCX], 0);
    assert_int_equal(RUN(fx, 0xE3, 0x10), -1);
    assert_int_equal(fx->cpu->d.next_rip, FIXTURE_CODE + 2 + 16);
    gpr(fx)[RCX] = 2;
    flags_put(fx->cpu, FLAG_ZF);
    assert_int_equal(RUN(fx, 0xE0, 0x10), -1); /* loopne with ZF */
    assert_int_equal(fx->cpu->d.next_rip, FIXTURE_CODE + 2);
    gpr(fx)[RCX] = 2;
    assert_int_equal(RUN(fx, 0xE1, 0x10), -1);
    assert_int_equal(fx->cpu->d.next_rip, FIXTURE_CODE + 2 + 16);
}

/* ---- bit strings, atomics, BOUND */

static void test_bit_string(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RBX] = FIXTURE_DATA;
    gpr(fx)[RCX] = 1000;
    assert_int_equal(RUN(fx, 0x48, 0x0F, 0xAB, 0x0B), -1); /* bts [rbx], rcx */
    assert_true(fixture_read(fx, FIXTURE_DATA + 1000 / 64 * 8, 8) == BIT(1000 % 64));
    gpr(fx)[RCX] = (u64)-3;
    assert_int_equal(RUN(fx, 0x0F, 0xAB, 0x0B), -1); /* bts [rbx], ecx */
    assert_int_equal(fixture_read(fx, FIXTURE_DATA - 4, 4), BIT(29));
    assert_int_equal(RUN(fx, 0x0F, 0xB3, 0x0B), -1);
    assert_true(flag_cf(fx->cpu));
    assert_int_equal(fixture_read(fx, FIXTURE_DATA - 4, 4), 0);
    gpr(fx)[RBX] = FIXTURE_HOLE;
    assert_int_equal(RUN(fx, 0x0F, 0xBB, 0x0B), -1); /* the operand addressed is before the hole */
}

static void test_cmpxchg16b(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RSI] = FIXTURE_DATA + 8;
    assert_int_equal(RUN(fx, 0x48, 0x0F, 0xC7, 0x0E), VEC_GP);
    assert_int_equal(fx->cpu->host.fault.rule, RULE_IN_03);
    gpr(fx)[RSI] = FIXTURE_DATA;
    fixture_write64(fx, FIXTURE_DATA, 1);
    fixture_write64(fx, FIXTURE_DATA + 8, 2);
    gpr(fx)[RAX] = gpr(fx)[RDX] = 0;
    gpr(fx)[RBX] = 3;
    gpr(fx)[RCX] = 4;
    assert_int_equal(RUN(fx, 0xF0, 0x48, 0x0F, 0xC7, 0x0E), -1);
    assert_false(flag_zf(fx->cpu));
    assert_int_equal(gpr(fx)[RAX], 1);
    assert_int_equal(gpr(fx)[RDX], 2);
    assert_int_equal(RUN(fx, 0xF0, 0x48, 0x0F, 0xC7, 0x0E), -1);
    assert_true(flag_zf(fx->cpu));
    assert_int_equal(fixture_read(fx, FIXTURE_DATA, 8), 3);
    assert_int_equal(fixture_read(fx, FIXTURE_DATA + 8, 8), 4);
    gpr(fx)[RAX] = 0xFFFFFFFF00000003; /* the 8-byte form looks at EAX and EDX only */
    gpr(fx)[RDX] = 0;
    gpr(fx)[RBX] = 7;
    gpr(fx)[RCX] = 8;
    assert_int_equal(RUN(fx, 0x0F, 0xC7, 0x0E), -1);
    assert_true(flag_zf(fx->cpu));
    assert_true(fixture_read(fx, FIXTURE_DATA, 8) == (8ull << 32 | 7));
    gpr(fx)[RSI] = FIXTURE_HOLE;
    assert_int_equal(RUN(fx, 0x48, 0x0F, 0xC7, 0x0E), VEC_PF);
    assert_int_equal(fx->cpu->host.fault.error & 2, 2); /* reported as a write */
}

static void test_bound(void **state)
{
    struct fixture *fx = *state;

    fixture_write64(fx, FIXTURE_DATA, 10ull << 32 | 0xFFFFFFFE); /* -2 .. 10 */
    gpr(fx)[RBX] = FIXTURE_DATA;
    gpr(fx)[RAX] = 10;
    assert_int_equal(RUN(fx, 0x62, 0x03), -1);
    gpr(fx)[RAX] = 0xFFFFFFFE;
    assert_int_equal(RUN(fx, 0x62, 0x03), -1);
    gpr(fx)[RAX] = 11;
    assert_int_equal(RUN(fx, 0x62, 0x03), VEC_BR);
    gpr(fx)[RAX] = 0xFFFFFFFD;
    assert_int_equal(RUN(fx, 0x62, 0x03), VEC_BR);
}

static void test_moves(void **state)
{
    struct fixture *fx = *state;

    fixture_write64(fx, FIXTURE_DATA, 0x1122334455667788);
    gpr(fx)[RBX] = FIXTURE_DATA;
    assert_int_equal(RUN(fx, 0x48, 0x0F, 0x38, 0xF0, 0x03), -1); /* movbe rax, [rbx] */
    assert_true(gpr(fx)[RAX] == 0x8877665544332211);
    assert_int_equal(RUN(fx, 0x66, 0x0F, 0x38, 0xF1, 0x03), -1); /* movbe [rbx], ax */
    assert_int_equal(fixture_read(fx, FIXTURE_DATA, 2), 0x1122);
    assert_int_equal(RUN(fx, 0x48, 0xA1, 0x04, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00), -1); /* mov rax, [moffs] */
    assert_int_equal(gpr(fx)[RAX], 0x11223344);
    gpr(fx)[RAX] = 0x05;
    fixture_write64(fx, FIXTURE_DATA, 0x1122334455667788);
    assert_int_equal(RUN(fx, 0xD7), -1); /* xlat */
    assert_int_equal(gpr(fx)[RAX], 0x33);
    assert_int_equal(RUN(fx, 0x48, 0x8D, 0x05, 0x10, 0x00, 0x00, 0x00), -1); /* lea rax, [rip+16] */
    assert_int_equal(gpr(fx)[RAX], FIXTURE_CODE + 7 + 16);
    gpr(fx)[RBX] = FIXTURE_HOLE;
    flags_put(fx->cpu, 0);
    assert_int_equal(RUN(fx, 0x0F, 0x44, 0x03), VEC_PF); /* cmove reads although the condition is false */
    fx->cpu->model.feature[FEAT_LAHF_LM] = false;
    assert_int_equal(RUN(fx, 0x9F), VEC_UD);
    gpr(fx)[RBX] = 16;
    fx->cpu->model.feature[FEAT_LZCNT] = false;
    assert_int_equal(RUN(fx, 0xF3, 0x0F, 0xBD, 0xC3), -1); /* without the feature: BSR */
    assert_int_equal(gpr(fx)[RAX], 4);
}

/* ---- strings */

static void test_string_page_crossing(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RSI] = FIXTURE_DATA;
    gpr(fx)[RDI] = FIXTURE_HOLE - 20;
    gpr(fx)[RCX] = 10;
    for (unsigned i = 0; i < 10; i++)
        fixture_write(fx, FIXTURE_DATA + 4 * i, &(u32){i + 1}, 4);
    assert_int_equal(RUN(fx, 0xF3, 0xA5), VEC_PF); /* rep movsd: five go, the sixth faults */
    assert_int_equal(fx->cpu->host.fault.cr2, FIXTURE_HOLE);
    assert_int_equal(gpr(fx)[RCX], 5);
    assert_int_equal(gpr(fx)[RSI], FIXTURE_DATA + 20);
    assert_int_equal(gpr(fx)[RDI], FIXTURE_HOLE);
    assert_int_equal(fixture_read(fx, FIXTURE_HOLE - 4, 4), 5);
    gpr(fx)[RDI] = FIXTURE_HOLE - 6;
    gpr(fx)[RCX] = 2;
    gpr(fx)[RAX] = 0x99;
    assert_int_equal(RUN(fx, 0xF3, 0xAB), VEC_PF); /* rep stosd: the second straddles and stores nothing */
    assert_int_equal(gpr(fx)[RCX], 1);
    assert_int_equal(fixture_read(fx, FIXTURE_HOLE - 2, 2), 0);
    flags_put(fx->cpu, FLAG_CF);
    gpr(fx)[RDI] = FIXTURE_HOLE - 1;
    gpr(fx)[RCX] = 2;
    assert_int_equal(RUN(fx, 0xF2, 0xAE), VEC_PF); /* repne scasb: the flags are those before it */
    assert_int_equal(flags_get(fx->cpu) & FLAGS_ARITHMETIC, FLAG_CF);
    assert_int_equal(gpr(fx)[RCX], 1);
}

/* Chunks: ticks count iterations, an instruction retires once, and the registers tell how far it is. */
static void test_string_chunks(void **state)
{
    struct fixture *fx = *state;
    u64 start = fx->clock.ticks = 1000;

    fx->clock.unretired = start - 100; /* 100 instructions */
    fx->cpu->d.stop_tick = start + 7;
    gpr(fx)[RDI] = FIXTURE_DATA;
    gpr(fx)[RCX] = 20;
    gpr(fx)[RAX] = 0x5A;
    assert_int_equal(RUN(fx, 0xF3, 0xAA), -1);
    assert_int_equal(gpr(fx)[RCX], 13);
    assert_int_equal(fx->clock.ticks, start + 6); /* the engine adds the last */
    assert_int_equal(clock_retired(&fx->clock), 99);
    assert_int_equal(fx->cpu->d.next_rip, fx->cpu->arch.rip);
    fx->cpu->d.stop_tick = CLOCK_NEVER;
    assert_int_equal(RUN(fx, 0xF3, 0xAA), -1);
    assert_int_equal(gpr(fx)[RCX], 0);
    assert_int_equal(fx->clock.ticks, start + 6 + 12);
    assert_int_equal(fx->cpu->d.next_rip, fx->cpu->arch.rip + 2);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(fixture_read(fx, FIXTURE_DATA + i, 1), 0x5A);
    assert_int_equal(fixture_read(fx, FIXTURE_DATA + 20, 1), 0);
    gpr(fx)[RCX] = 0;
    gpr(fx)[RDI] = FIXTURE_HOLE;
    assert_int_equal(RUN(fx, 0xF3, 0xAA), -1); /* a count of zero touches nothing */
    gpr(fx)[RCX] = 5;
    fx->cpu->arch.rflags |= FLAG_TF; /* DB-05: one iteration at a time */
    gpr(fx)[RDI] = FIXTURE_DATA;
    assert_int_equal(RUN(fx, 0xF3, 0xAA), -1);
    assert_int_equal(gpr(fx)[RCX], 4);
}

/* 16-bit addresses wrap inside the segment, one page or not. */
static void test_string_wrap_16(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RSI] = 0x12342000;
    gpr(fx)[RDI] = 0xFFFE;
    gpr(fx)[RCX] = 4;
    fixture_write(fx, 0x2000, "abcd", 4);
    assert_int_equal(RUN(fx, 0xF3, 0xA4), -1);
    assert_int_equal(gpr(fx)[RDI], 2);
    assert_int_equal(gpr(fx)[RSI], 0x12342004);
    assert_int_equal(fixture_read(fx, 0xFFFE, 2), 'a' | 'b' << 8);
    assert_int_equal(fixture_read(fx, 0, 2), 'c' | 'd' << 8);
}

/* MOVSXD with 66: how much of memory it reads depends on the vendor. */
static void test_movsxd_16(void **state)
{
    struct fixture *fx = *state;

    gpr(fx)[RBX] = FIXTURE_HOLE - 2;
    gpr(fx)[RAX] = 0x1122334455667788;
    fixture_write(fx, FIXTURE_HOLE - 2, "\x01\x80", 2);
    assert_int_equal(RUN(fx, 0x66, 0x63, 0x03), -1);
    assert_true(gpr(fx)[RAX] == 0x1122334455668001);
    fx->cpu->model.vendor = VENDOR_AMD;
    assert_int_equal(RUN(fx, 0x66, 0x63, 0x03), VEC_PF);
    assert_int_equal(fx->cpu->host.fault.cr2, FIXTURE_HOLE);
    gpr(fx)[RBX] = FIXTURE_HOLE - 4;
    assert_int_equal(RUN(fx, 0x66, 0x63, 0x03), -1);
}

#define CASE(test, open) cmocka_unit_test_setup_teardown(test, open, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_decimal, open32),
        CASE(test_aam_aad, open32),
        CASE(test_divide_errors, open64),
        CASE(test_push_restarts, open64),
        CASE(test_push_pop_rsp, open64),
        CASE(test_push_immediate, open64),
        CASE(test_pusha_popa, open32),
        CASE(test_enter_leave, open64),
        CASE(test_stack_16, open16),
        CASE(test_branch_checks, open64),
        CASE(test_66_near_branch, open64),
        CASE(test_limit_of_branch, open16),
        CASE(test_loops, open64),
        CASE(test_bit_string, open64),
        CASE(test_cmpxchg16b, open64),
        CASE(test_salc, open32),
        CASE(test_bound, open32),
        CASE(test_moves, open64),
        CASE(test_movsxd_16, open64),
        CASE(test_string_page_crossing, open64),
        CASE(test_string_chunks, open64),
        CASE(test_string_wrap_16, open16),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
