/* SPDX-License-Identifier: MIT
 * The fixed flat segments that SYSCALL, SYSRET, SYSENTER and SYSEXIT load without reading any descriptor table.
 * SDM 2B, "SYSCALL-Fast System Call", "SYSENTER-Fast System Call" (and their returns).
 */
#ifndef RINGSIDE_CPU_RING_FLAT_H
#define RINGSIDE_CPU_RING_FLAT_H

#include "cpu/cpu.h"

#define FLAT_TYPE_CODE (SEG_CODE | SEG_READABLE | SEG_ACCESSED)
#define FLAT_TYPE_DATA (SEG_WRITABLE | SEG_ACCESSED)

/* Base 0, limit 4 GiB - 1, present, of the given type, DPL and size bits (SEG_L or SEG_DB). */
ALWAYS_INLINE struct segment flat_segment(u16 selector, u16 type, u8 dpl, u16 size)
{
    u32 attr = (u32)type | SEG_S | ((u32)dpl << SEG_DPL_SHIFT) | SEG_PRESENT | size | SEG_G;

    return segment_make(selector, (u16)attr, 0xFFFFFFFFu, 0);
}

ALWAYS_INLINE struct segment flat_code64(u16 selector, u8 dpl)
{
    return flat_segment(selector, FLAT_TYPE_CODE, dpl, SEG_L);
}
ALWAYS_INLINE struct segment flat_code32(u16 selector, u8 dpl)
{
    return flat_segment(selector, FLAT_TYPE_CODE, dpl, SEG_DB);
}
ALWAYS_INLINE struct segment flat_stack(u16 selector, u8 dpl)
{
    return flat_segment(selector, FLAT_TYPE_DATA, dpl, SEG_DB);
}

#endif
