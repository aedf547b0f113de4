/* SPDX-License-Identifier: MIT
 * TSS images: reading and saving the processor state in the 16- and 32-bit layouts.
 * SDM 3A, "Task-State Segment (TSS)", "16-Bit Task-State Segment (TSS)".
 */
#include "cpu/ring/task_image.h"

#include "cpu/mem.h"

/* Offsets of the fields. Both layouts keep the order EIP, EFLAGS, eight registers, segments in enum seg's order. */
struct layout {
    enum width word;
    u32 eip, eflags, gpr, segments, segment_step, segment_count, ldt, end;
};

static const struct layout layout16 = {W16, 0x0E, 0x10, 0x12, 0x22, 2, 4, 0x2A, 0x2A};
static const struct layout layout32 = {W32, 0x20, 0x24, 0x28, 0x48, 4, 6, 0x60, 0x60};

#define TSS_CR3 0x1Cu
#define TSS_TRAP 0x64u

static const struct layout *layout_of(bool wide) { return wide ? &layout32 : &layout16; }

void task_image_saved_range(bool wide, u32 *offset, u32 *size)
{
    const struct layout *l = layout_of(wide);

    *offset = l->eip;
    *size = l->end - l->eip;
}

struct task_image task_image_read(struct cpu *cpu, laddr_t base, bool wide)
{
    const struct layout *l = layout_of(wide);
    struct task_image image = {.wide = wide};

    image.eip = (u32)sys_read(cpu, base + l->eip, l->word);
    image.eflags = (u32)sys_read(cpu, base + l->eflags, l->word);
    for (u32 i = 0; i < 8; i++) {
        image.gpr[i] = (u32)sys_read(cpu, base + l->gpr + (i << l->word), l->word);
        if (!wide) /* UNVERIFIED: what a 16-bit TSS leaves in the upper halves; ones, as others observed */
            image.gpr[i] |= 0xFFFF0000;
    }
    for (u32 i = 0; i < l->segment_count; i++) /* a 16-bit TSS leaves FS and GS null (TS-09) */
        image.selector[i] = (u16)sys_read(cpu, base + l->segments + i * l->segment_step, W16);
    image.ldt = (u16)sys_read(cpu, base + l->ldt, W16);
    if (wide) {
        image.cr3 = (u32)sys_read(cpu, base + TSS_CR3, W32);
        image.trap = sys_read(cpu, base + TSS_TRAP, W16) & 1;
    }
    return image;
}

void task_image_save(struct cpu *cpu, laddr_t base, bool wide, u32 eip, u32 eflags)
{
    const struct layout *l = layout_of(wide);

    sys_write(cpu, base + l->eip, eip, l->word);
    sys_write(cpu, base + l->eflags, eflags, l->word);
    for (u32 i = 0; i < 8; i++)
        sys_write(cpu, base + l->gpr + (i << l->word), cpu->arch.gpr[i], l->word);
    for (u32 i = 0; i < l->segment_count; i++)
        sys_write(cpu, base + l->segments + i * l->segment_step, cpu->arch.seg[i].selector, W16);
}
