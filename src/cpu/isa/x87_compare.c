/* SPDX-License-Identifier: MIT
 * x87 comparisons and classification.
 * SDM 2A, "FCOM/FCOMP/FCOMPP", "FICOM/FICOMP", "FUCOM/FUCOMP/FUCOMPP", "FCOMI/FCOMIP/FUCOMI/FUCOMIP", "FTST", "FXAM".
 */
#include "cpu/isa/x87_host.h"

HOST_COMPARE(host_fcom, "fcom %%st(1)")
HOST_COMPARE(host_fucom, "fucom %%st(1)")
HOST_COMPARE_MEMORY(host_fcom_m32, "fcoms", u32)
HOST_COMPARE_MEMORY(host_fcom_m64, "fcoml", u64)

typedef u16 compare_fn(struct x87_mode mode, const struct x87_reg *d, const struct x87_reg *s);

/* Either operand is empty: unordered, even when that is unmasked. returns: whether it is masked */
static COLD bool unordered_by_underflow(struct cpu *cpu)
{
    cpu->arch.x87_status |= X87_C0 | X87_C2 | X87_C3;
    return x87_stack_fault(cpu, X87_UNDERFLOW);
}

static void pop_times(struct cpu *cpu, unsigned pops)
{
    for (unsigned i = 0; i < pops; i++)
        x87_pop(cpu);
}

ALWAYS_INLINE void compare_stack(struct cpu *cpu, const struct insn *insn, unsigned s, compare_fn *compare,
                                 unsigned pops)
{
    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0) || x87_empty(cpu, s))) {
        if (!unordered_by_underflow(cpu))
            return;
    } else if (!x87_report_codes(cpu, compare(x87_mode(cpu), x87_st(cpu, 0), x87_st(cpu, s)), X87_PRE, X87_CC)) {
        return;
    }
    pop_times(cpu, pops);
}

BODY_PLAIN(op_fcom) { compare_stack(cpu, insn, insn->dst, host_fcom, 0); }
BODY_PLAIN(op_fcomp) { compare_stack(cpu, insn, insn->dst, host_fcom, 1); }
BODY_PLAIN(op_fcompp) { compare_stack(cpu, insn, 1, host_fcom, 2); }
BODY_PLAIN(op_fucom) { compare_stack(cpu, insn, insn->dst, host_fucom, 0); }
BODY_PLAIN(op_fucomp) { compare_stack(cpu, insn, insn->dst, host_fucom, 1); }
BODY_PLAIN(op_fucompp) { compare_stack(cpu, insn, 1, host_fucom, 2); }

#define COMPARE_MEMORY(body, host, operand, pops)                                                                      \
    BODY_PLAIN(body)                                                                                                   \
    {                                                                                                                  \
        if (!x87_begin(cpu))                                                                                           \
            return;                                                                                                    \
        operand;                                                                                                       \
        x87_note_memory(cpu, insn);                                                                                    \
        if (UNLIKELY(x87_empty(cpu, 0))) {                                                                             \
            if (!unordered_by_underflow(cpu))                                                                          \
                return;                                                                                                \
        } else if (!x87_report_codes(cpu, host(x87_mode(cpu), x87_st(cpu, 0), s), X87_PRE, X87_CC)) {                  \
            return;                                                                                                    \
        }                                                                                                              \
        pop_times(cpu, pops);                                                                                          \
    }
#define REAL_32 u32 s = (u32)memory_read(cpu, insn, W32)
#define REAL_64 u64 s = memory_read(cpu, insn, W64)
#define INTEGER(width)                                                                                                 \
    struct x87_reg integer = x87_from_integer((i64)sign_extend(memory_read(cpu, insn, width), width));                 \
    const struct x87_reg *s = &integer

COMPARE_MEMORY(op_fcom_m32, host_fcom_m32, REAL_32, 0)
COMPARE_MEMORY(op_fcom_m64, host_fcom_m64, REAL_64, 0)
COMPARE_MEMORY(op_fcomp_m32, host_fcom_m32, REAL_32, 1)
COMPARE_MEMORY(op_fcomp_m64, host_fcom_m64, REAL_64, 1)
COMPARE_MEMORY(op_ficom_m16, host_fcom, INTEGER(W16), 0)
COMPARE_MEMORY(op_ficom_m32, host_fcom, INTEGER(W32), 0)
COMPARE_MEMORY(op_ficomp_m16, host_fcom, INTEGER(W16), 1)
COMPARE_MEMORY(op_ficomp_m32, host_fcom, INTEGER(W32), 1)

/* ---- into EFLAGS: C3 C2 C0 as ZF PF CF; OF, SF and AF are cleared. That happens beside an unmasked exception
 * too. The codes of the status word stay, but a stack underflow clears C1. */
static void put_flags(struct cpu *cpu, u16 codes)
{
    flags_put_arithmetic(cpu, (codes & X87_C0 ? FLAG_CF : 0) | (codes & X87_C2 ? FLAG_PF : 0) |
                                  (codes & X87_C3 ? FLAG_ZF : 0));
}

ALWAYS_INLINE void compare_flags(struct cpu *cpu, const struct insn *insn, compare_fn *compare, unsigned pops)
{
    u16 codes = X87_C0 | X87_C2 | X87_C3;
    bool complete;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0) || x87_empty(cpu, insn->src))) {
        complete = x87_stack_fault(cpu, X87_UNDERFLOW);
    } else {
        codes = compare(x87_mode(cpu), x87_st(cpu, 0), x87_st(cpu, insn->src));
        complete = x87_report_codes(cpu, codes, X87_PRE, 0);
    }
    put_flags(cpu, codes);
    if (LIKELY(complete))
        pop_times(cpu, pops);
}

BODY_PLAIN(op_fcomi) { compare_flags(cpu, insn, host_fcom, 0); }
BODY_PLAIN(op_fcomip) { compare_flags(cpu, insn, host_fcom, 1); }
BODY_PLAIN(op_fucomi) { compare_flags(cpu, insn, host_fucom, 0); }
BODY_PLAIN(op_fucomip) { compare_flags(cpu, insn, host_fucom, 1); }

/* ---- ST(0) alone */
BODY_PLAIN(op_ftst)
{
    const struct x87_reg zero = {.mantissa = 0};

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    if (UNLIKELY(x87_empty(cpu, 0)))
        (void)unordered_by_underflow(cpu);
    else
        (void)x87_report_codes(cpu, host_fcom(x87_mode(cpu), x87_st(cpu, 0), &zero), X87_PRE, X87_CC);
}

static u16 class_of(const struct x87_reg *r)
{
    unsigned exponent = r->sign_exponent & 0x7FFF;

    if (exponent == 0)
        return r->mantissa == 0 ? X87_C3 : X87_C3 | X87_C2; /* zero, denormal */
    if (!(r->mantissa >> 63))
        return 0; /* unsupported */
    if (exponent == 0x7FFF)
        return r->mantissa << 1 ? X87_C0 : X87_C2 | X87_C0; /* NaN, infinity */
    return X87_C2;                                          /* normal */
}

/* C1 is the sign, of an empty register too. */
BODY_PLAIN(op_fxam)
{
    const struct x87_reg *r;
    u16 codes;

    if (!x87_begin(cpu))
        return;
    x87_note(cpu, insn);
    r = x87_st(cpu, 0);
    codes = x87_empty(cpu, 0) ? X87_C3 | X87_C0 : class_of(r);
    codes |= r->sign_exponent & 0x8000 ? X87_C1 : 0;
    cpu->arch.x87_status = (u16)((cpu->arch.x87_status & ~X87_CC) | codes);
}
