/* SPDX-License-Identifier: MIT
 * Integer, address and width types that every floor shares.
 */
#ifndef RINGSIDE_BASE_TYPES_H
#define RINGSIDE_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

/* A linear address: after segmentation, before paging. */
typedef u64 laddr_t;
/* A physical address: after paging. Never mixed with laddr_t. */
typedef u64 paddr_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096u
#define PAGE_MASK (~(u64)(PAGE_SIZE - 1))

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define COLD __attribute__((cold, noinline))
#define NORETURN __attribute__((noreturn))
/* Out of the way of a fast path: keeps the caller's registers itself, where the compiler can, so that the fast path
 * need not save any. For functions without a result only: compilers disagree with themselves about a result's register.
 */
#if defined(__clang__) && defined(__x86_64__)
#define SLOW_PATH __attribute__((preserve_most))
#else
#define SLOW_PATH
#endif
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Width of an operand; the value is log2 of its bytes. */
enum width { W8 = 0, W16 = 1, W32 = 2, W64 = 3 };

#endif
