/* SPDX-License-Identifier: MIT
 * One operation on the host's x87 unit, under the guest's control word with its masks.
 *
 * Each function finds and leaves the host's register stack empty and its control word at the ABI's value. Unmasked
 * exceptions need no handler: they would be raised by the next *waiting* instruction, and FNSTSW and FNCLEX do not
 * wait. So the unit itself decides what an unmasked exception does to a result. The operands are loaded and stored as
 * m80, which changes nothing and raises nothing.
 *
 * FNCLEX costs more than ten times an addition. The host's flags are sticky, and so are the guest's: what the guest's
 * status word has already need not be cleared before the operation, as long as every exception is masked.
 */
#ifndef RINGSIDE_CPU_ISA_X87_HOST_H
#define RINGSIDE_CPU_ISA_X87_HOST_H

#include "cpu/isa/x87.h"

/* How to compute: sticky holds the flags that may come out although the operation did not raise them. */
struct x87_mode {
    u16 control;
    u16 sticky;
};

ALWAYS_INLINE bool host_all_masked(struct x87_mode mode) { return (mode.control & X87_FLAGS) == X87_FLAGS; }

ALWAYS_INLINE struct x87_mode x87_mode(const struct cpu *cpu)
{
    struct x87_mode mode = {.control = cpu->arch.x87_control};

    mode.sticky = LIKELY(host_all_masked(mode)) ? cpu->arch.x87_status : 0;
    return mode;
}

/* Exactly the flags that the operation raises. */
ALWAYS_INLINE struct x87_mode x87_mode_exact(u16 control) { return (struct x87_mode){.control = control}; }

ALWAYS_INLINE void host_prepare(struct x87_mode mode)
{
    u16 status;

    __asm__ volatile("fnstsw %0" : "=a"(status));
    if (UNLIKELY(status & ~mode.sticky & X87_FLAGS))
        __asm__ volatile("fnclex");
}

/* The parts around the operation's text; with an exception unmasked, it must be gone before a waiting instruction. */
#define HOST_ENTER "fldcw %[control]\n\t"
#define HOST_LEAVE "\n\tfnstsw %[status]\n\tfldcw %[host]\n\t"
#define HOST_LEAVE_UNMASKED "\n\tfnstsw %[status]\n\tfnclex\n\tfldcw %[host]\n\t"
#define HOST_CLOBBERS "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"

static const u16 host_x87_control = X87_CONTROL_INITIAL;

/* One asm statement, in both variants. */
#define HOST_RUN(before, text, after, outputs, inputs)                                                                 \
    const u16 run_control = mode.control; /* alone in memory: the host forwards it from store to load */               \
    host_prepare(mode);                                                                                                \
    if (LIKELY(host_all_masked(mode)))                                                                                 \
        __asm__ volatile(before HOST_ENTER text HOST_LEAVE after:outputs:inputs : HOST_CLOBBERS);                      \
    else                                                                                                               \
        __asm__ volatile(before HOST_ENTER text HOST_LEAVE_UNMASKED after:outputs:inputs : HOST_CLOBBERS)
#define HOST_STATUS [status] "=a"(status)
#define HOST_CONTROL [control] "m"(run_control), [host] "m"(host_x87_control)
#define AND ,

/* d = d op s, both extended. returns: the status word */
#define HOST_BINARY(name, text)                                                                                        \
    ALWAYS_INLINE u16 name(struct x87_mode mode, struct x87_reg *d, const struct x87_reg *s)                           \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        HOST_RUN("fldt %[s]\n\tfldt %[d]\n\t", text, "fstpt %[d]\n\tfstp %%st(0)", HOST_STATUS AND[d] "+m"(*d),        \
                 HOST_CONTROL AND[s] "m"(*s));                                                                         \
        return status;                                                                                                 \
    }

/* d = d op memory operand of this type. */
#define HOST_MEMORY(name, text, type)                                                                                  \
    ALWAYS_INLINE u16 name(struct x87_mode mode, struct x87_reg *d, type s)                                            \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        HOST_RUN("fldt %[d]\n\t", text " %[s]", "fstpt %[d]", HOST_STATUS AND[d] "+m"(*d),                             \
                 HOST_CONTROL AND[s] "m"(s));                                                                          \
        return status;                                                                                                 \
    }

/* d = op d */
#define HOST_UNARY(name, text)                                                                                         \
    ALWAYS_INLINE u16 name(struct x87_mode mode, struct x87_reg *d)                                                    \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        HOST_RUN("fldt %[d]\n\t", text, "fstpt %[d]", HOST_STATUS AND[d] "+m"(*d), HOST_CONTROL);                      \
        return status;                                                                                                 \
    }

/* Store d in another format; *out stays as it was when an unmasked exception forbids the store. */
#define HOST_STORE(name, text, type)                                                                                   \
    ALWAYS_INLINE u16 name(struct x87_mode mode, const struct x87_reg *d, type *out)                                   \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        HOST_RUN("fldt %[d]\n\t", text, "fstp %%st(0)", HOST_STATUS AND[out] "+m"(*out), HOST_CONTROL AND[d] "m"(*d)); \
        return status;                                                                                                 \
    }

/* Stores that only exist with a pop: run with all exceptions masked, so that the pop always happens. */
#define HOST_STORE_POP(name, text, type)                                                                               \
    ALWAYS_INLINE u16 name(struct x87_mode mode, const struct x87_reg *d, type *out)                                   \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        mode.control |= X87_FLAGS;                                                                                     \
        HOST_RUN("fldt %[d]\n\t", text, "", HOST_STATUS AND[out] "+m"(*out), HOST_CONTROL AND[d] "m"(*d));             \
        return status;                                                                                                 \
    }

/* Push something: also masked, for the push. */
#define HOST_LOAD(name, text, type)                                                                                    \
    ALWAYS_INLINE u16 name(struct x87_mode mode, struct x87_reg *d, const type *in)                                    \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        mode.control |= X87_FLAGS;                                                                                     \
        HOST_RUN("", text, "fstpt %[d]", HOST_STATUS AND[d] "+m"(*d), HOST_CONTROL AND[in] "m"(*in));                  \
        return status;                                                                                                 \
    }

/* Compare d with s: condition codes in the status word. */
#define HOST_COMPARE(name, text)                                                                                       \
    ALWAYS_INLINE u16 name(struct x87_mode mode, const struct x87_reg *d, const struct x87_reg *s)                     \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        HOST_RUN("fldt %[s]\n\tfldt %[d]\n\t", text, "fstp %%st(0)\n\tfstp %%st(0)", HOST_STATUS,                      \
                 HOST_CONTROL AND[d] "m"(*d)AND[s] "m"(*s));                                                           \
        return status;                                                                                                 \
    }

#define HOST_COMPARE_MEMORY(name, text, type)                                                                          \
    ALWAYS_INLINE u16 name(struct x87_mode mode, const struct x87_reg *d, type s)                                      \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        HOST_RUN("fldt %[d]\n\t", text " %[s]", "fstp %%st(0)", HOST_STATUS,                                           \
                 HOST_CONTROL AND[d] "m"(*d)AND[s] "m"(s));                                                            \
        return status;                                                                                                 \
    }

#endif
