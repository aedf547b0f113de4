/* SPDX-License-Identifier: MIT
 * One operation on the host's x87 unit, under the guest's control word with its masks.
 *
 * Each function is a single asm statement that finds and leaves the host's register stack empty and its control word at
 * the ABI's value. Unmasked exceptions need no handler: they would be raised by the next *waiting* instruction, and
 * FNSTSW and FNCLEX do not wait. So the unit itself decides what an unmasked exception does to a result.
 * The operands are loaded and stored as m80, which changes nothing and raises nothing.
 */
#ifndef RINGSIDE_CPU_ISA_X87_HOST_H
#define RINGSIDE_CPU_ISA_X87_HOST_H

#include "cpu/isa/x87.h"

#if !defined(__x86_64__)
#error "x87 arithmetic uses the x87 unit of an x86-64 host"
#endif

#define HOST_ENTER "fnclex\n\tfldcw %[control]\n\t"
#define HOST_LEAVE "\n\tfnstsw %[status]\n\tfnclex\n\tfldcw %[host]\n\t"
#define HOST_CLOBBERS "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"

static const u16 host_x87_control = X87_CONTROL_INITIAL;

/* d = d op s, both extended. returns: the status word */
#define HOST_BINARY(name, text)                                                                                        \
    ALWAYS_INLINE u16 name(u16 control, struct x87_reg *d, const struct x87_reg *s)                                    \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        __asm__ volatile("fldt %[s]\n\tfldt %[d]\n\t" HOST_ENTER text HOST_LEAVE "fstpt %[d]\n\tfstp %%st(0)"          \
                         : [status] "=a"(status), [d] "+m"(*d)                                                         \
                         : [s] "m"(*s), [control] "m"(control), [host] "m"(host_x87_control)                           \
                         : HOST_CLOBBERS);                                                                             \
        return status;                                                                                                 \
    }

/* d = d op memory operand of this type. */
#define HOST_MEMORY(name, text, type)                                                                                  \
    ALWAYS_INLINE u16 name(u16 control, struct x87_reg *d, type s)                                                     \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        __asm__ volatile("fldt %[d]\n\t" HOST_ENTER text " %[s]" HOST_LEAVE "fstpt %[d]"                               \
                         : [status] "=a"(status), [d] "+m"(*d)                                                         \
                         : [s] "m"(s), [control] "m"(control), [host] "m"(host_x87_control)                            \
                         : HOST_CLOBBERS);                                                                             \
        return status;                                                                                                 \
    }

/* d = op d */
#define HOST_UNARY(name, text)                                                                                         \
    ALWAYS_INLINE u16 name(u16 control, struct x87_reg *d)                                                             \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        __asm__ volatile("fldt %[d]\n\t" HOST_ENTER text HOST_LEAVE "fstpt %[d]"                                       \
                         : [status] "=a"(status), [d] "+m"(*d)                                                         \
                         : [control] "m"(control), [host] "m"(host_x87_control)                                        \
                         : HOST_CLOBBERS);                                                                             \
        return status;                                                                                                 \
    }

/* Store d in another format; *out stays as it was when an unmasked exception forbids the store. The text says whether
 * it pops. */
#define HOST_STORE(name, text, type)                                                                                   \
    ALWAYS_INLINE u16 name(u16 control, const struct x87_reg *d, type *out)                                            \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        __asm__ volatile("fldt %[d]\n\t" HOST_ENTER text HOST_LEAVE "fstp %%st(0)"                                     \
                         : [status] "=a"(status), [out] "+m"(*out)                                                     \
                         : [d] "m"(*d), [control] "m"(control), [host] "m"(host_x87_control)                           \
                         : HOST_CLOBBERS);                                                                             \
        return status;                                                                                                 \
    }

/* Stores that only exist with a pop: run with all exceptions masked, so that the pop always happens. */
#define HOST_STORE_POP(name, text, type)                                                                               \
    ALWAYS_INLINE u16 name(u16 control, const struct x87_reg *d, type *out)                                            \
    {                                                                                                                  \
        u16 status, masked = control | X87_FLAGS;                                                                      \
        __asm__ volatile("fldt %[d]\n\t" HOST_ENTER text HOST_LEAVE                                                    \
                         : [status] "=a"(status), [out] "+m"(*out)                                                     \
                         : [d] "m"(*d), [control] "m"(masked), [host] "m"(host_x87_control)                            \
                         : HOST_CLOBBERS);                                                                             \
        return status;                                                                                                 \
    }

/* Push something: also masked, for the push. */
#define HOST_LOAD(name, text, type)                                                                                    \
    ALWAYS_INLINE u16 name(u16 control, struct x87_reg *d, const type *in)                                             \
    {                                                                                                                  \
        u16 status, masked = control | X87_FLAGS;                                                                      \
        __asm__ volatile(HOST_ENTER text HOST_LEAVE "fstpt %[d]"                                                       \
                         : [status] "=a"(status), [d] "+m"(*d)                                                         \
                         : [in] "m"(*in), [control] "m"(masked), [host] "m"(host_x87_control)                          \
                         : HOST_CLOBBERS);                                                                             \
        return status;                                                                                                 \
    }

/* Compare d with s: condition codes in the status word. */
#define HOST_COMPARE(name, text)                                                                                       \
    ALWAYS_INLINE u16 name(u16 control, const struct x87_reg *d, const struct x87_reg *s)                              \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        __asm__ volatile("fldt %[s]\n\tfldt %[d]\n\t" HOST_ENTER text HOST_LEAVE "fstp %%st(0)\n\tfstp %%st(0)"        \
                         : [status] "=a"(status)                                                                       \
                         : [d] "m"(*d), [s] "m"(*s), [control] "m"(control), [host] "m"(host_x87_control)              \
                         : HOST_CLOBBERS);                                                                             \
        return status;                                                                                                 \
    }

#define HOST_COMPARE_MEMORY(name, text, type)                                                                          \
    ALWAYS_INLINE u16 name(u16 control, const struct x87_reg *d, type s)                                               \
    {                                                                                                                  \
        u16 status;                                                                                                    \
        __asm__ volatile("fldt %[d]\n\t" HOST_ENTER text " %[s]" HOST_LEAVE "fstp %%st(0)"                             \
                         : [status] "=a"(status)                                                                       \
                         : [d] "m"(*d), [s] "m"(s), [control] "m"(control), [host] "m"(host_x87_control)               \
                         : HOST_CLOBBERS);                                                                             \
        return status;                                                                                                 \
    }

#endif
