/* SPDX-License-Identifier: MIT
 * The x87 environment in memory: FNSTENV, FLDENV, FNSAVE, FRSTOR in their four formats.
 * SDM 1, "Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE".
 *
 *   offset, 32-bit formats   0 control   4 status   8 tags   12 IP   16 CS and opcode   20 DP   24 DS
 *   offset, 16-bit formats   0 control   2 status   4 tags    6 IP    8 CS              10 DP   12 DS
 *
 * In real mode and virtual-8086 mode the pointers are linear: the opcode stands in the low bits after IP, and the upper
 * bits of IP (and DP) from bit 12 on.
 */
#include "cpu/isa/x87.h"

#define ENVIRONMENT_32 28u
#define ENVIRONMENT_16 14u
#define REGISTERS_SIZE 80u

static bool is_16bit(const struct insn *insn) { return insn->width == W16; }

static unsigned environment_size(const struct insn *insn) { return is_16bit(insn) ? ENVIRONMENT_16 : ENVIRONMENT_32; }

static bool linear_format(const struct cpu *cpu) { return !cpu_protected(cpu); }

/* 0 valid, 1 zero, 2 special, 3 empty: by the contents of the registers that are not empty. */
static u16 tags_by_contents(const struct cpu *cpu)
{
    u16 tags = cpu->arch.x87_tag;

    for (unsigned i = 0; i < 8; i++) {
        const struct x87_reg *r = &cpu->arch.x87[i];
        unsigned exponent = r->sign_exponent & 0x7FFF, tag = 0;

        if (((tags >> (2 * i)) & 3) == 3)
            continue;
        if (exponent == 0 && r->mantissa == 0)
            tag = 1;
        else if (exponent == 0 || exponent == 0x7FFF || !(r->mantissa >> 63))
            tag = 2;
        tags = (u16)((tags & ~(3u << (2 * i))) | tag << (2 * i));
    }
    return tags;
}

/* ---- writing */
static u64 linear_pointer(u16 selector, u64 offset) { return ((u64)selector << 4) + offset; }

static void put_32(const struct cpu *cpu, u8 *image)
{
    const struct cpu_arch *a = &cpu->arch;

    store_le32(image, a->x87_control | 0xFFFF0000u);
    store_le32(image + 4, a->x87_status | 0xFFFF0000u);
    store_le32(image + 8, tags_by_contents(cpu) | 0xFFFF0000u);
    if (linear_format(cpu)) {
        u32 ip = (u32)linear_pointer(a->x87_cs, a->x87_ip), dp = (u32)linear_pointer(a->x87_ds, a->x87_dp);

        store_le32(image + 12, (ip & 0xFFFF) | 0xFFFF0000u);
        store_le32(image + 16, (ip >> 16) << 12 | (a->x87_opcode & 0x7FF));
        store_le32(image + 20, (dp & 0xFFFF) | 0xFFFF0000u);
        store_le32(image + 24, (dp >> 16) << 12);
    } else {
        store_le32(image + 12, (u32)a->x87_ip);
        store_le32(image + 16, a->x87_cs | (u32)(a->x87_opcode & 0x7FF) << 16);
        store_le32(image + 20, (u32)a->x87_dp);
        store_le32(image + 24, a->x87_ds | 0xFFFF0000u);
    }
}

static void put_16(const struct cpu *cpu, u8 *image)
{
    const struct cpu_arch *a = &cpu->arch;

    store_le16(image, a->x87_control);
    store_le16(image + 2, a->x87_status);
    store_le16(image + 4, tags_by_contents(cpu));
    if (linear_format(cpu)) {
        u32 ip = (u32)linear_pointer(a->x87_cs, a->x87_ip), dp = (u32)linear_pointer(a->x87_ds, a->x87_dp);

        store_le16(image + 6, (u16)ip);
        store_le16(image + 8, (u16)((ip >> 16) << 12 | (a->x87_opcode & 0x7FF)));
        store_le16(image + 10, (u16)dp);
        store_le16(image + 12, (u16)((dp >> 16) << 12));
    } else {
        store_le16(image + 6, (u16)a->x87_ip);
        store_le16(image + 8, a->x87_cs);
        store_le16(image + 10, (u16)a->x87_dp);
        store_le16(image + 12, a->x87_ds);
    }
}

static void put_environment(const struct cpu *cpu, const struct insn *insn, u8 *image)
{
    if (is_16bit(insn))
        put_16(cpu, image);
    else
        put_32(cpu, image);
}

/* ---- reading */
static void take_pointers_linear(struct cpu *cpu, u32 ip_low, u32 ip_high, u32 dp_low, u32 dp_high)
{
    cpu->arch.x87_ip = (ip_low & 0xFFFF) | (ip_high & 0x0FFFF000u) << 4;
    cpu->arch.x87_dp = (dp_low & 0xFFFF) | (dp_high & 0x0FFFF000u) << 4;
    cpu->arch.x87_opcode = ip_high & 0x7FF;
    cpu->arch.x87_cs = cpu->arch.x87_ds = 0;
}

static void take_environment(struct cpu *cpu, const struct insn *insn, const u8 *image)
{
    struct cpu_arch *a = &cpu->arch;
    unsigned step = is_16bit(insn) ? 2 : 4;

    a->x87_status = load_le16(image + step);
    a->x87_tag = load_le16(image + 2 * step);
    if (is_16bit(insn)) {
        if (linear_format(cpu)) {
            take_pointers_linear(cpu, load_le16(image + 6), load_le16(image + 8), load_le16(image + 10),
                                 load_le16(image + 12));
        } else {
            a->x87_ip = load_le16(image + 6);
            a->x87_cs = load_le16(image + 8);
            a->x87_dp = load_le16(image + 10);
            a->x87_ds = load_le16(image + 12);
        }
    } else if (linear_format(cpu)) {
        take_pointers_linear(cpu, load_le32(image + 12), load_le32(image + 16), load_le32(image + 20),
                             load_le32(image + 24));
    } else {
        a->x87_ip = load_le32(image + 12);
        a->x87_cs = load_le16(image + 16);
        a->x87_opcode = load_le16(image + 18) & 0x7FF;
        a->x87_dp = load_le32(image + 20);
        a->x87_ds = load_le16(image + 24);
    }
    x87_set_control(cpu, load_le16(image));
}

/* ---- the image in memory. It is accessed in parts, each of which wraps at the address size by itself: the environment
 * in words or doublewords, the registers in words, of which the first four must lie in the segment as one. */

static u64 part_offset(const struct cpu *cpu, const struct insn *insn, unsigned at)
{
    return (effective_address(cpu, insn) + at) & width_mask((enum width)insn->address_width);
}

static enum width part_width(const struct insn *insn, unsigned at)
{
    return at >= environment_size(insn) || is_16bit(insn) ? W16 : W32;
}

static void check_register(struct cpu *cpu, const struct insn *insn, unsigned at, bool write)
{
    unsigned first = environment_size(insn);

    if (at >= first && (at - first) % 10 == 0)
        mem_linear_checked(cpu, (enum seg)insn->seg, part_offset(cpu, insn, at), 8, write);
}

static void load_image(struct cpu *cpu, const struct insn *insn, u8 *image, unsigned size)
{
    enum width w;

    COVER_IF(cpu, RULE_AL_03, cpu->d.align_check);
    for (unsigned at = 0; at < size; at += width_bytes(w)) {
        u32 part;

        w = part_width(insn, at);
        check_register(cpu, insn, at, false);
        part = (u32)mem_read(cpu, (enum seg)insn->seg, part_offset(cpu, insn, at), w);
        memcpy(image + at, &part, width_bytes(w));
    }
}

static void store_image(struct cpu *cpu, const struct insn *insn, const u8 *image, unsigned size)
{
    enum width w;

    COVER_IF(cpu, RULE_AL_03, cpu->d.align_check);
    for (unsigned at = 0; at < size; at += width_bytes(w)) {
        w = part_width(insn, at);
        check_register(cpu, insn, at, true);
        mem_probe(cpu, (enum seg)insn->seg, part_offset(cpu, insn, at), width_bytes(w), true);
    }
    for (unsigned at = 0; at < size; at += width_bytes(w)) {
        u32 part = 0;

        w = part_width(insn, at);
        memcpy(&part, image + at, width_bytes(w));
        mem_write(cpu, (enum seg)insn->seg, part_offset(cpu, insn, at), part, w);
    }
}

/* ---- instructions */

/* After the store every exception is masked. */
BODY_PLAIN(op_fnstenv)
{
    u8 image[ENVIRONMENT_32];

    x87_present(cpu);
    put_environment(cpu, insn, image);
    store_image(cpu, insn, image, environment_size(insn));
    x87_set_control(cpu, cpu->arch.x87_control | X87_FLAGS);
}

BODY_PLAIN(op_fldenv)
{
    u8 image[ENVIRONMENT_32];

    if (!x87_begin(cpu))
        return;
    load_image(cpu, insn, image, environment_size(insn));
    take_environment(cpu, insn, image);
}

/* ST(0) comes first. */
BODY_PLAIN(op_fnsave)
{
    u8 image[ENVIRONMENT_32 + REGISTERS_SIZE], *at = image + environment_size(insn);

    x87_present(cpu);
    put_environment(cpu, insn, image);
    for (unsigned i = 0; i < 8; i++, at += 10) {
        store_le64(at, x87_st(cpu, i)->mantissa);
        store_le16(at + 8, x87_st(cpu, i)->sign_exponent);
    }
    store_image(cpu, insn, image, environment_size(insn) + REGISTERS_SIZE);
    x87_initialize(cpu);
}

BODY_PLAIN(op_frstor)
{
    u8 image[ENVIRONMENT_32 + REGISTERS_SIZE], *at = image + environment_size(insn);

    if (!x87_begin(cpu))
        return;
    load_image(cpu, insn, image, environment_size(insn) + REGISTERS_SIZE);
    take_environment(cpu, insn, image);
    for (unsigned i = 0; i < 8; i++, at += 10) {
        struct x87_reg *r = x87_st(cpu, i);

        r->mantissa = load_le64(at);
        r->sign_exponent = load_le16(at + 8);
    }
}
