/* SPDX-License-Identifier: MIT
 * x87 loads, stores, exchanges and conditional moves.
 * SDM 2A, "FLD", "FILD", "FBLD", "FST/FSTP", "FIST/FISTP", "FISTTP", "FBSTP", "FXCH", "FCMOVcc", "FLD1/FLDL2T/...".
 */
#include "cpu/isa/x87_host.h"

/* ---- ten bytes in memory */

/* They are accessed as eight and two, each of which wraps at the address size by itself. */
static u64 last_two(const struct cpu *cpu, const struct insn *insn)
{
    return (effective_address(cpu, insn) + 8) & width_mask((enum width)insn->address_width);
}

static void load_ten(struct cpu *cpu, const struct insn *insn, struct x87_reg *value)
{
    value->mantissa = memory_read(cpu, insn, W64);
    value->sign_exponent = (u16)mem_read(cpu, (enum seg)insn->seg, last_two(cpu, insn), W16);
}

/* The faults of a store that does not take place. */
static void probe_store(struct cpu *cpu, const struct insn *insn, unsigned size)
{
    mem_probe(cpu, (enum seg)insn->seg, effective_address(cpu, insn), size == 10 ? 8 : size, true);
    if (size == 10)
        mem_probe(cpu, (enum seg)insn->seg, last_two(cpu, insn), 2, true);
}

static void store_ten(struct cpu *cpu, const struct insn *insn, const struct x87_reg *value)
{
    probe_store(cpu, insn, 10);
    memory_write(cpu, insn, value->mantissa, W64);
    mem_write(cpu, (enum seg)insn->seg, last_two(cpu, insn), value->sign_exponent, W16);
}

/* ---- loads: the operand has been read, nothing can fault any more */

/* Push, when the top of the stack is free. */
static void push_value(struct cpu *cpu, const struct x87_reg *value)
{
    const struct x87_reg indefinite = X87_INDEFINITE;

    if (LIKELY(x87_empty(cpu, 7))) {
        cpu->arch.x87_status &= (u16)~X87_C1;
        x87_push(cpu, value);
    } else if (x87_stack_fault(cpu, X87_OVERFLOW)) {
        x87_push(cpu, &indefinite);
    }
}

/* An unmasked DE does not keep the value from being loaded. */
#define LOAD_CONVERTED(body, host, text, type, width)                                                                  \
    HOST_LOAD(host, text " %[in]", type)                                                                               \
    BODY_PLAIN(body)                                                                                                   \
    {                                                                                                                  \
        struct x87_reg value = {.mantissa = 0};                                                                        \
        type operand;                                                                                                  \
                                                                                                                       \
        if (!x87_begin(cpu))                                                                                           \
            return;                                                                                                    \
        operand = (type)memory_read(cpu, insn, width);                                                                 \
        x87_note_memory(cpu, insn);                                                                                    \
        if (!x87_empty(cpu, 7) || x87_report(cpu, host(x87_mode(cpu), &value, &operand), X87_IE))                      \
            push_value(cpu, &value);                                                                                   \
    }
LOAD_CONVERTED(op_fld_m32, host_fld_m32, "flds", u32, W32)
LOAD_CONVERTED(op_fld_m64, host_fld_m64, "fldl", u64, W64)

#define LOAD_INTEGER(body, width)                                                                                      \
    BODY_PLAIN(body)                                                                                                   \
    {                                                                                                                  \
        struct x87_reg value;                                                                                          \
                                                                                                                       \
        if (!x87_begin(cpu))                                                                                           \
            return;                                                                                                    \
        value = x87_from_integer((i64)sign_extend(memory_read(cpu, insn, width), width));                              \
        x87_note_memory(cpu, insn);                                                                                    \
        push_value(cpu, &value);                                                                                       \
    }
LOAD_INTEGER(op_fild_m16, W16)
LOAD_INTEGER(op_fild_m32, W32)
LOAD_INTEGER(op_fild_m64, W64)

BODY_PLAIN(op_fld_m80)
{
    struct x87_reg value = {.mantissa = 0};

    if (!x87_begin(cpu))
        return;
    load_ten(cpu, insn, &value);
    x87_note_memory(cpu, insn);
    push_value(cpu, &value);
}

HOST_LOAD(host_fbld, "fbld %[in]", struct x87_reg)

BODY_PLAIN(op_fbld)
{
    struct x87_reg value = {.mantissa = 0}, decimal = {.mantissa = 0};

    if (!x87_begin(cpu))
        return;
    load_ten(cpu, insn, &decimal);
    x87_note_memory(cpu, insn);
    (void)host_fbld(x87_mode(cpu), &value, &decimal);
    push_value(cpu, &value);
}

BODY_PLAIN(op_fld_st)
{
    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (x87_empty(cpu, insn->dst)) {
        const struct x87_reg indefinite = X87_INDEFINITE;

        if (x87_stack_fault(cpu, X87_UNDERFLOW))
            x87_push(cpu, &indefinite);
    } else {
        struct x87_reg value = *x87_st(cpu, insn->dst);

        push_value(cpu, &value);
    }
}

/* Constants are kept more precise than the format and rounded by RC. */
#define LOAD_CONSTANT(body, host, text)                                                                                \
    HOST_LOAD(host, text, u16)                                                                                         \
    BODY_PLAIN(body)                                                                                                   \
    {                                                                                                                  \
        struct x87_reg value = {.mantissa = 0};                                                                        \
                                                                                                                       \
        if (!x87_begin(cpu))                                                                                           \
            return;                                                                                                    \
        x87_note(cpu, insn);                                                                                           \
        (void)host(x87_mode(cpu), &value, &cpu->arch.x87_control);                                                     \
        push_value(cpu, &value);                                                                                       \
    }
LOAD_CONSTANT(op_fld1, host_fld1, "fld1")
LOAD_CONSTANT(op_fldl2t, host_fldl2t, "fldl2t")
LOAD_CONSTANT(op_fldl2e, host_fldl2e, "fldl2e")
LOAD_CONSTANT(op_fldpi, host_fldpi, "fldpi")
LOAD_CONSTANT(op_fldlg2, host_fldlg2, "fldlg2")
LOAD_CONSTANT(op_fldln2, host_fldln2, "fldln2")
LOAD_CONSTANT(op_fldz, host_fldz, "fldz")

/* ---- stores: computed first, so that a fault of the write finds the unit unchanged */

/* Store to memory; blocking: unmasked exceptions that keep the memory as it was. An empty register is the same case for
 * all: what the format has for "no answer" is stored when the exception is masked. */
#define STORE_CONVERTED(body, host, type, indefinite, blocking, pops)                                                  \
    BODY_PLAIN(body)                                                                                                   \
    {                                                                                                                  \
        type result = (type)(indefinite);                                                                              \
        bool empty;                                                                                                    \
        u16 status = X87_IE;                                                                                           \
                                                                                                                       \
        if (!x87_begin(cpu))                                                                                           \
            return;                                                                                                    \
        empty = x87_empty(cpu, 0);                                                                                     \
        if (LIKELY(!empty))                                                                                            \
            status = host(x87_mode(cpu), x87_st(cpu, 0), &result);                                                     \
        store_result(cpu, insn, &result, sizeof result, status, blocking, empty, pops);                                \
    }

ALWAYS_INLINE void store_result(struct cpu *cpu, const struct insn *insn, const void *result, unsigned size, u16 status,
                                u16 blocking, bool empty, bool pops)
{
    bool stored = !(status & (u16)~cpu->arch.x87_control & blocking);

    if (UNLIKELY(!stored)) /* the operand's faults come first all the same */
        probe_store(cpu, insn, size);
    else if (size == 10)
        store_ten(cpu, insn, result);
    else
        vec_store(cpu, insn, result, size, 1);
    x87_note_memory(cpu, insn);
    if (UNLIKELY(empty))
        (void)x87_stack_fault(cpu, X87_UNDERFLOW);
    else
        (void)x87_report(cpu, status, blocking);
    if (pops && stored)
        x87_pop(cpu);
}

#define REAL_BLOCKING (X87_PRE | X87_OE | X87_UE)
HOST_STORE(host_fst_m32, "fsts %[out]", u32)
HOST_STORE(host_fst_m64, "fstl %[out]", u64)
STORE_CONVERTED(op_fst_m32, host_fst_m32, u32, 0xFFC00000u, REAL_BLOCKING, false)
STORE_CONVERTED(op_fst_m64, host_fst_m64, u64, 0xFFF8000000000000ull, REAL_BLOCKING, false)
STORE_CONVERTED(op_fstp_m32, host_fst_m32, u32, 0xFFC00000u, REAL_BLOCKING, true)
STORE_CONVERTED(op_fstp_m64, host_fst_m64, u64, 0xFFF8000000000000ull, REAL_BLOCKING, true)

HOST_STORE_POP(host_fist_m16, "fistps %[out]", u16)
HOST_STORE_POP(host_fist_m32, "fistpl %[out]", u32)
HOST_STORE_POP(host_fist_m64, "fistpll %[out]", u64)
STORE_CONVERTED(op_fist_m16, host_fist_m16, u16, 0x8000u, X87_IE, false)
STORE_CONVERTED(op_fist_m32, host_fist_m32, u32, 0x80000000u, X87_IE, false)
STORE_CONVERTED(op_fistp_m16, host_fist_m16, u16, 0x8000u, X87_IE, true)
STORE_CONVERTED(op_fistp_m32, host_fist_m32, u32, 0x80000000u, X87_IE, true)
STORE_CONVERTED(op_fistp_m64, host_fist_m64, u64, 0x8000000000000000ull, X87_IE, true)

HOST_STORE_POP(host_fisttp_m16, "fisttps %[out]", u16)
HOST_STORE_POP(host_fisttp_m32, "fisttpl %[out]", u32)
HOST_STORE_POP(host_fisttp_m64, "fisttpll %[out]", u64)
STORE_CONVERTED(op_fisttp_m16, host_fisttp_m16, u16, 0x8000u, X87_IE, true)
STORE_CONVERTED(op_fisttp_m32, host_fisttp_m32, u32, 0x80000000u, X87_IE, true)
STORE_CONVERTED(op_fisttp_m64, host_fisttp_m64, u64, 0x8000000000000000ull, X87_IE, true)

HOST_STORE_POP(host_fbstp, "fbstp %[out]", struct x87_reg)

/* Ten bytes: the extended format as it is, or packed decimal. Both use struct x87_reg as a buffer, and the indefinite
 * of both has the same bytes. */
BODY_PLAIN(op_fbstp)
{
    struct x87_reg result = X87_INDEFINITE;
    u16 status = X87_IE;
    bool empty;

    if (!x87_begin(cpu))
        return;
    empty = x87_empty(cpu, 0);
    if (!empty)
        status = host_fbstp(x87_mode(cpu), x87_st(cpu, 0), &result);
    store_result(cpu, insn, &result, 10, status, X87_IE, empty, true);
}

BODY_PLAIN(op_fstp_m80)
{
    struct x87_reg result = X87_INDEFINITE;
    bool empty;

    if (!x87_begin(cpu))
        return;
    empty = x87_empty(cpu, 0);
    if (!empty)
        result = *x87_st(cpu, 0);
    store_result(cpu, insn, &result, 10, empty ? X87_IE : 0, X87_IE, empty, true);
}

/* ---- between registers */
ALWAYS_INLINE void store_register(struct cpu *cpu, const struct insn *insn, bool pops)
{
    struct x87_reg value = X87_INDEFINITE;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0))) {
        if (!x87_stack_fault(cpu, X87_UNDERFLOW))
            return;
    } else {
        cpu->arch.x87_status &= (u16)~X87_C1;
        value = *x87_st(cpu, 0);
    }
    x87_put(cpu, insn->dst, &value);
    if (pops)
        x87_pop(cpu);
}

BODY_PLAIN(op_fst_st) { store_register(cpu, insn, false); }
BODY_PLAIN(op_fstp_st) { store_register(cpu, insn, true); }

/* D9 D8+i: an empty ST(0) is no stack underflow, it is only popped. */
BODY_PLAIN(op_fstp_unchecked)
{
    struct x87_reg value;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    cpu->arch.x87_status &= (u16)~X87_C1;
    if (LIKELY(!x87_empty(cpu, 0))) {
        value = *x87_st(cpu, 0);
        x87_put(cpu, insn->dst, &value);
    }
    x87_pop(cpu);
}

BODY_PLAIN(op_fxch)
{
    struct x87_reg a = X87_INDEFINITE, b = X87_INDEFINITE;
    bool empty_a, empty_b;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    empty_a = x87_empty(cpu, 0);
    empty_b = x87_empty(cpu, insn->dst);
    cpu->arch.x87_status &= (u16)~X87_C1;
    if (UNLIKELY(empty_a || empty_b) && !x87_stack_fault(cpu, X87_UNDERFLOW))
        return;
    if (!empty_a)
        a = *x87_st(cpu, 0);
    if (!empty_b)
        b = *x87_st(cpu, insn->dst);
    x87_put(cpu, insn->dst, &a);
    x87_put(cpu, 0, &b);
}

ALWAYS_INLINE void move_if(struct cpu *cpu, const struct insn *insn, bool condition)
{
    struct x87_reg value = X87_INDEFINITE;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0) || x87_empty(cpu, insn->src))) {
        if (x87_stack_fault(cpu, X87_UNDERFLOW))
            x87_put(cpu, 0, &value);
        return;
    }
    if (condition) {
        value = *x87_st(cpu, insn->src);
        x87_put(cpu, 0, &value);
    }
}

BODY_PLAIN(op_fcmovb) { move_if(cpu, insn, flag_cf(cpu)); }
BODY_PLAIN(op_fcmove) { move_if(cpu, insn, flag_zf(cpu)); }
BODY_PLAIN(op_fcmovbe) { move_if(cpu, insn, flag_cf(cpu) || flag_zf(cpu)); }
BODY_PLAIN(op_fcmovu) { move_if(cpu, insn, flag_pf(cpu)); }
BODY_PLAIN(op_fcmovnb) { move_if(cpu, insn, !flag_cf(cpu)); }
BODY_PLAIN(op_fcmovne) { move_if(cpu, insn, !flag_zf(cpu)); }
BODY_PLAIN(op_fcmovnbe) { move_if(cpu, insn, !flag_cf(cpu) && !flag_zf(cpu)); }
BODY_PLAIN(op_fcmovnu) { move_if(cpu, insn, !flag_pf(cpu)); }
