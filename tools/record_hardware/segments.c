/* SPDX-License-Identifier: MIT
 * The descriptor tables that cases run under: Linux's GDT as far as user code can see it, and an LDT of our own.
 */
#include "segments.h"

#include <asm/ldt.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DATA = 0, DOWN = 1, CODE = 2, CONFORMING = 3 };
#define FLAT .limit = 0xFFFFF, .limit_in_pages = 1
#define AT_CODE .base_addr = HARDWARE_CODE
#define AT_DATA .base_addr = HARDWARE_DATA

static const struct user_desc ldt[LDT_COUNT] = {
    [LDT_CODE16] = {AT_CODE, .limit = 0xFFFF, .contents = CODE},
    [LDT_DATA16] = {AT_DATA, .limit = 0xFFFF, .contents = DATA},
    [LDT_READ_ONLY] = {AT_DATA, .limit = 0xFFFF, .contents = DATA, .read_exec_only = 1, .seg_32bit = 1},
    [LDT_DOWN] = {AT_DATA, .limit = 0xFFF, .contents = DOWN, .seg_32bit = 1},
    [LDT_CODE32] = {FLAT, .contents = CODE, .seg_32bit = 1},
    [LDT_CONFORMING] = {FLAT, .contents = CONFORMING, .seg_32bit = 1, .read_exec_only = 1, .seg_not_present = 1},
    [LDT_SMALL_CODE] = {AT_CODE, .limit = 0x7FF, .contents = CODE, .seg_32bit = 1},
    [LDT_SMALL_DATA] = {AT_DATA, .limit = 0xFFF, .contents = DATA, .seg_32bit = 1},
    [LDT_ABSENT_CODE] = {FLAT, .contents = CODE, .seg_32bit = 1, .seg_not_present = 1},
    [LDT_ABSENT_DATA] = {FLAT, .contents = DATA, .seg_32bit = 1, .seg_not_present = 1},
    [LDT_DATA32] = {FLAT, .contents = DATA, .seg_32bit = 1},
    [LDT_FS32] = {.base_addr = HARDWARE_DATA + 0x4000, .limit = 0x3FFF, .contents = DATA, .seg_32bit = 1},
    [LDT_DOWN16] = {AT_DATA, .limit = 0xFFF, .contents = DOWN},
};

bool segments_install(void)
{
    for (unsigned i = 0; i < LDT_COUNT; i++) {
        struct user_desc d = ldt[i];

        d.entry_number = i;
        if (syscall(SYS_modify_ldt, 0x11, &d, sizeof d) != 0)
            return false;
    }
    return true;
}

/* The descriptor that the kernel stores: present unless said otherwise, DPL 3, accessed.
 * SDM 3A, "Segment Descriptors" */
static u64 raw(const struct user_desc *d)
{
    u64 type = 1 | (d->read_exec_only ^ 1u) << 1 | (u64)d->contents << 2;
    u64 access = type | 0x70 | (d->seg_not_present ? 0 : 0x80);
    u64 flags = (u64)d->limit_in_pages << 3 | (u64)d->seg_32bit << 2 | d->useable;

    return (d->limit & 0xFFFF) | (u64)(d->base_addr & 0xFFFFFF) << 16 | access << 40 | (u64)(d->limit >> 16) << 48 |
           flags << 52 | (u64)(d->base_addr >> 24) << 56;
}

/* What user code cannot tell apart from anything else of DPL 0 stands as an empty descriptor. */
static const u64 linux_gdt[16] = {
    [SEL_USER32 >> 3] = 0x00CFFB000000FFFF,
    [SEL_USER_DATA >> 3] = 0x00CFF3000000FFFF,
    [SEL_USER64 >> 3] = 0x00AFFB000000FFFF,
    [SEL_CPU_NUMBER >> 3] = 0x0040F50000000000,
};

/* LAR and LSL of a selector, as the processor gives them; 0 when it refuses. */
static u32 rights(u16 selector)
{
    u32 value = 0;

    __asm__("lar %1, %0" : "+r"(value) : "r"((u32)selector) : "cc");
    return value & 0x00F0FF00; /* the limit's bits are LSL's matter */
}

static u32 limit(u16 selector)
{
    u32 value = 0;

    __asm__("lsl %1, %0" : "+r"(value) : "r"((u32)selector) : "cc");
    return value;
}

static u32 raw_limit(u64 d)
{
    u32 value = (u32)((d & 0xFFFF) | (d >> 32 & 0xF0000));

    return d >> 55 & 1 ? value << 12 | 0xFFF : value;
}

static bool check(u16 selector, u64 descriptor, struct error *err)
{
    if (rights(selector) == ((u32)(descriptor >> 32) & 0x00F0FF00) &&
        (descriptor == 0 || limit(selector) == raw_limit(descriptor)))
        return true;
    return error_set(err, EXIT_FILE,
                     "selector %X has rights %08X and limit %X here, which is not the descriptor %016llX that Linux's "
                     "GDT and our LDT should hold",
                     selector, rights(selector), limit(selector), (unsigned long long)descriptor);
}

bool segments_describe(struct hardware_source *source, struct error *err)
{
    source->gdt_count = ARRAY_LEN(linux_gdt);
    source->ldt_count = LDT_COUNT;
    memcpy(source->gdt, linux_gdt, sizeof linux_gdt);
    if (!segments_install())
        return error_set(err, EXIT_FILE,
                         "modify_ldt fails: this kernel was built without it, or without 16-bit segments");
    for (u16 i = 1; i < ARRAY_LEN(linux_gdt); i++)
        if (!check((u16)(i << 3 | 3), linux_gdt[i], err))
            return false;
    for (u16 i = 0; i < LDT_COUNT; i++) {
        source->ldt[i] = raw(&ldt[i]);
        if (ldt[i].seg_not_present ? false : !check(LDT_SELECTOR(i), source->ldt[i], err))
            return false;
    }
    return true;
}
