/* SPDX-License-Identifier: MIT
 * The processor state that a 16- or 32-bit TSS holds, and its loading into a new task's segment registers.
 */
#ifndef RINGSIDE_CPU_RING_TASK_IMAGE_H
#define RINGSIDE_CPU_RING_TASK_IMAGE_H

#include "cpu/fault.h"
#include "cpu/ring/descriptor.h"

/* A TSS image, the same whatever its width. */
struct task_image {
    bool wide; /* 32-bit TSS */
    u32 cr3;   /* wide only */
    u32 eip, eflags;
    u32 gpr[8];
    u16 selector[6]; /* enum seg */
    u16 ldt;
    bool trap; /* wide only: the T bit */
};

/* Smallest legal limit of a TSS, and the range that a switch away writes. */
ALWAYS_INLINE u32 task_limit_min(bool wide) { return wide ? 0x67 : 0x2B; }
void task_image_saved_range(bool wide, u32 *offset, u32 *size);

/* The I/O permission map: where its offset stands, and whether a TSS has that field (32-bit and 64-bit ones). */
#define TSS_IO_MAP_BASE 0x66u
ALWAYS_INLINE bool tss_has_io_map(const struct segment *tr)
{
    unsigned type = tr->attr & SEG_TYPE;

    return !(tr->attr & (SEG_UNUSABLE | SEG_S)) && (tr->attr & SEG_PRESENT) &&
           (type == SYS_TSS || type == SYS_TSS_BUSY) && tr->limit >= TSS_IO_MAP_BASE + 1;
}

/* raises: #PF (callers probe first). */
struct task_image task_image_read(struct cpu *cpu, laddr_t base, bool wide);
/* Store EIP, EFLAGS, the general registers and selectors of the running task. */
void task_image_save(struct cpu *cpu, laddr_t base, bool wide, u32 eip, u32 eflags);

/* The new task's segment registers: as far as they could be loaded, and the fault that ended the loading. A fault here
 * belongs to the new task (TS-02), so it is returned, not raised. Registers past it hold their selector, unusable. */
struct task_segments {
    struct cpu *cpu;
    u32 ext;
    u8 new_cpl;
    struct segment seg[6];
    bool faulted;
    struct fault fault;
    enum rule rule;
};

/* Load LDTR (in the processor) and the segments (in the result) from an image.
 * effects: LDTR; accessed bits.   raises: never.   source: SDM 3A "Task Switching", exception conditions checked */
struct task_segments task_segments_load(struct cpu *cpu, const struct task_image *image, u32 ext);

#endif
