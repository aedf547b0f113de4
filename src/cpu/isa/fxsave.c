/* SPDX-License-Identifier: MIT
 * FXSAVE, FXRSTOR, LDMXCSR, STMXCSR, and the image that XSAVE shares with them.
 * SDM 2A, "FXSAVE", "FXRSTOR"; SDM 1, "Saving and Restoring the SSE State"; APM 2, "Saving Media and x87 State".
 */
#include "cpu/isa/fpu_image.h"

#include "cpu/isa/sse_fp.h"
#include "cpu/isa/x87.h"

#define X87_OPCODE_VALID 0x07FFu

/* ---- the tag word: two bits per physical register in the processor, one (not empty) in the image */
static u8 tags_abridge(u16 tags)
{
    u8 result = 0;

    for (unsigned i = 0; i < 8; i++)
        if (((tags >> (2 * i)) & 3) != 3)
            result |= (u8)(1u << i);
    return result;
}

/* 0 valid, 1 zero, 2 special (NaN, infinity, denormal, unnormal). */
static u16 tag_of(const struct x87_reg *r)
{
    u16 exponent = r->sign_exponent & 0x7FFF;

    if (exponent == 0 && r->mantissa == 0)
        return 1;
    if (exponent == 0 || exponent == 0x7FFF || !(r->mantissa >> 63))
        return 2;
    return 0;
}

static u16 tags_expand(const struct cpu *cpu, u8 abridged)
{
    u16 tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        u16 tag = (abridged >> i) & 1 ? tag_of(&cpu->arch.x87[i]) : 3;

        tags |= (u16)(tag << (2 * i));
    }
    return tags;
}

/* AMD keeps the last-instruction pointers out of the image unless an exception is pending.
 * APM 2, "FXSAVE and FXRSTOR Instructions". UNVERIFIED: that the bytes of the image stay untouched then. */
static bool pointers_in_image(const struct cpu *cpu, u16 status)
{
    return !cpu_is_amd(cpu) || (status & X87_STATUS_ES);
}

void image_save_x87(struct cpu *cpu, enum seg seg, u64 offset, bool wide)
{
    const struct cpu_arch *a = &cpu->arch;
    u8 head[IMAGE_X87_HEAD] = {0}, registers[IMAGE_XMM - IMAGE_ST] = {0};

    store_le16(head, a->x87_control);
    store_le16(head + 2, a->x87_status);
    head[4] = tags_abridge(a->x87_tag);
    store_le16(head + 6, a->x87_opcode & X87_OPCODE_VALID);
    if (wide) {
        store_le64(head + 8, a->x87_ip);
        store_le64(head + 16, a->x87_dp);
    } else {
        store_le32(head + 8, (u32)a->x87_ip);
        store_le16(head + 12, a->x87_cs);
        store_le32(head + 16, (u32)a->x87_dp);
        store_le16(head + 20, a->x87_ds);
    }
    for (unsigned i = 0; i < 8; i++) {
        const struct x87_reg *r = &a->x87[x87_physical(cpu, i)];

        store_le64(registers + 16 * i, r->mantissa);
        store_le16(registers + 16 * i + 8, r->sign_exponent);
    }
    mem_write_block(cpu, seg, offset, head, pointers_in_image(cpu, a->x87_status) ? IMAGE_X87_HEAD : 6, 1);
    mem_write_block(cpu, seg, offset + IMAGE_ST, registers, sizeof registers, 1);
}

void image_save_mxcsr(struct cpu *cpu, enum seg seg, u64 offset)
{
    u8 both[8];

    store_le32(both, cpu->arch.mxcsr);
    store_le32(both + 4, MXCSR_VALID);
    mem_write_block(cpu, seg, offset + IMAGE_MXCSR, both, sizeof both, 1);
}

void image_save_xmm(struct cpu *cpu, enum seg seg, u64 offset)
{
    mem_write_block(cpu, seg, offset + IMAGE_XMM, cpu->arch.xmm, 16 * image_xmm_count(cpu), 1);
}

void image_check_mxcsr(struct cpu *cpu, const u8 *image)
{
    REQUIRE(cpu, !(load_le32(image + IMAGE_MXCSR) & ~MXCSR_VALID), GP(0), RULE_MM_03);
}

void image_load_mxcsr(struct cpu *cpu, const u8 *image) { cpu->arch.mxcsr = load_le32(image + IMAGE_MXCSR); }

void image_load_x87(struct cpu *cpu, const u8 *image, bool wide)
{
    struct cpu_arch *a = &cpu->arch;

    a->x87_status = load_le16(image + 2);
    x87_set_control(cpu, load_le16(image));
    for (unsigned i = 0; i < 8; i++) {
        struct x87_reg *r = x87_st(cpu, i);

        r->mantissa = load_le64(image + IMAGE_ST + 16 * i);
        r->sign_exponent = load_le16(image + IMAGE_ST + 16 * i + 8);
    }
    a->x87_tag = tags_expand(cpu, image[4]);
    if (!pointers_in_image(cpu, a->x87_status))
        return;
    a->x87_opcode = load_le16(image + 6) & X87_OPCODE_VALID;
    if (wide) {
        a->x87_ip = load_le64(image + 8);
        a->x87_dp = load_le64(image + 16);
        a->x87_cs = a->x87_ds = 0;
    } else {
        a->x87_ip = load_le32(image + 8);
        a->x87_cs = load_le16(image + 12);
        a->x87_dp = load_le32(image + 16);
        a->x87_ds = load_le16(image + 20);
    }
}

void image_load_xmm(struct cpu *cpu, const u8 *image)
{
    memcpy(cpu->arch.xmm, image + IMAGE_XMM, 16 * image_xmm_count(cpu));
}

/* ---- instructions */

/* XMM registers belong to the image unless AMD's fast mode (EFER.FFXSR, 64-bit mode, CPL 0) leaves them out. MXCSR and
 * they are saved only by an operating system that set CR4.OSFXSR (the manual leaves the other case open). */
static bool fx_has_xmm(const struct cpu *cpu)
{
    if ((cpu->arch.msr.efer & EFER_FFXSR) && cpu_64bit(cpu) && cpu->arch.cpl == 0)
        return false;
    return (cpu->arch.cr4 & CR4_OSFXSR) != 0;
}

/* UNVERIFIED on Intel, where #AC may come in place of #GP for any misalignment: here it does not (AL-03). */
static void require_aligned(struct cpu *cpu, enum seg seg, u64 offset, bool write)
{
    laddr_t laddr = mem_linear_checked(cpu, seg, offset, IMAGE_SIZE, write);

    if (cpu->d.align_check && cpu_is_amd(cpu))
        REQUIRE(cpu, (laddr & 3) == 0, AC_, RULE_AL_03);
    REQUIRE(cpu, (laddr & 15) == 0, GP(0), RULE_MM_04);
}

BODY_PLAIN(op_fxsave)
{
    enum seg seg = (enum seg)insn->seg;
    u64 offset = effective_address(cpu, insn);

    require_aligned(cpu, seg, offset, true);
    mem_probe(cpu, seg, offset, IMAGE_SIZE, true);
    image_save_x87(cpu, seg, offset, insn->prefixes & PREFIX_REX_W);
    if (cpu->arch.cr4 & CR4_OSFXSR)
        image_save_mxcsr(cpu, seg, offset);
    if (fx_has_xmm(cpu))
        image_save_xmm(cpu, seg, offset);
}

BODY_PLAIN(op_fxrstor)
{
    enum seg seg = (enum seg)insn->seg;
    u64 offset = effective_address(cpu, insn);
    u8 image[IMAGE_SIZE];

    require_aligned(cpu, seg, offset, false);
    mem_read_block(cpu, seg, offset, image, sizeof image, 1);
    if (cpu->arch.cr4 & CR4_OSFXSR) {
        image_check_mxcsr(cpu, image);
        image_load_mxcsr(cpu, image);
    }
    image_load_x87(cpu, image, insn->prefixes & PREFIX_REX_W);
    if (fx_has_xmm(cpu))
        image_load_xmm(cpu, image);
}

BODY_PLAIN(op_ldmxcsr)
{
    u32 value = (u32)memory_read(cpu, insn, W32);

    REQUIRE(cpu, !(value & ~MXCSR_VALID), GP(0), RULE_MM_03);
    cpu->arch.mxcsr = value;
}

BODY_PLAIN(op_stmxcsr) { memory_write(cpu, insn, cpu->arch.mxcsr, W32); }
