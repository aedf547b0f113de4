/* SPDX-License-Identifier: MIT
 * Bit fields, sign extension, and unaligned little-endian access to host memory.
 */
#ifndef RINGSIDE_BASE_BITS_H
#define RINGSIDE_BASE_BITS_H

#include <string.h>

#include "base/types.h"

#define BIT(n) (1ull << (n))

/* Extract bits hi..lo (inclusive) of value. */
ALWAYS_INLINE u64 bits(u64 value, unsigned hi, unsigned lo)
{
    return (value >> lo) & ((hi - lo == 63) ? ~0ull : (BIT(hi - lo + 1) - 1));
}

/* Value mask and bit count of an operand width. */
ALWAYS_INLINE u64 width_mask(enum width w) { return w == W64 ? ~0ull : BIT(8u << w) - 1; }

ALWAYS_INLINE unsigned width_bits(enum width w) { return 8u << w; }

ALWAYS_INLINE unsigned width_bytes(enum width w) { return 1u << w; }

/* Sign-extend the low bits of value from the given width to 64 bits. */
ALWAYS_INLINE u64 sign_extend(u64 value, enum width w)
{
    switch (w) {
    case W8: return (u64)(i64)(i8)value;
    case W16: return (u64)(i64)(i16)value;
    case W32: return (u64)(i64)(i32)value;
    default: return value;
    }
}

/* True when bits 63..(bits-1) are all equal; bits is 48 or 57. SDM 1, "Canonical Addressing". */
ALWAYS_INLINE bool is_canonical(laddr_t laddr, unsigned address_bits)
{
    unsigned shift = 64 - address_bits;
    return (u64)((i64)(laddr << shift) >> shift) == laddr;
}

/* Little-endian loads and stores of host bytes, any alignment. */
ALWAYS_INLINE u16 load_le16(const void *p)
{
    u16 v;
    memcpy(&v, p, sizeof v);
    return v;
}
ALWAYS_INLINE u32 load_le32(const void *p)
{
    u32 v;
    memcpy(&v, p, sizeof v);
    return v;
}
ALWAYS_INLINE u64 load_le64(const void *p)
{
    u64 v;
    memcpy(&v, p, sizeof v);
    return v;
}
ALWAYS_INLINE void store_le16(void *p, u16 v) { memcpy(p, &v, sizeof v); }
ALWAYS_INLINE void store_le32(void *p, u32 v) { memcpy(p, &v, sizeof v); }
ALWAYS_INLINE void store_le64(void *p, u64 v) { memcpy(p, &v, sizeof v); }
/* Most significant byte first: SCSI commands and their answers. */
ALWAYS_INLINE u16 load_be16(const void *p) { return __builtin_bswap16(load_le16(p)); }
ALWAYS_INLINE u32 load_be32(const void *p) { return __builtin_bswap32(load_le32(p)); }
ALWAYS_INLINE void store_be16(void *p, u16 v) { store_le16(p, __builtin_bswap16(v)); }
ALWAYS_INLINE void store_be32(void *p, u32 v) { store_le32(p, __builtin_bswap32(v)); }

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "a little-endian host is required"
#endif

#endif
