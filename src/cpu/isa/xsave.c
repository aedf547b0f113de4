/* SPDX-License-Identifier: MIT
 * XSAVE, XSAVEOPT, XSAVEC, XRSTOR for the components that XCR0 may enable here: x87 and SSE.
 * SDM 1, "Managing State Using the XSAVE Feature Set".
 *
 * XSAVEOPT uses the init optimisation and not the modified one, which is a matter of the implementation.
 */
#include "cpu/isa/fpu_image.h"
#include "cpu/isa/sse_fp.h"
#include "cpu/isa/x87.h"

#define COMPONENT_X87 1u
#define COMPONENT_SSE 2u
#define XSAVE_HEADER 512u
#define XSAVE_SIZE 576u
#define XSAVE_ALIGN 64u
#define XCOMP_COMPACT BIT(63)

enum xsave_kind { XSAVE_PLAIN, XSAVE_OPT, XSAVE_COMPACT };

/* The requested-feature bitmap. */
static u64 requested(const struct cpu *cpu)
{
    return cpu->arch.xcr0 & ((cpu->arch.gpr[RDX] << 32) | (u32)cpu->arch.gpr[RAX]);
}

static bool x87_in_use(const struct cpu *cpu)
{
    const struct cpu_arch *a = &cpu->arch;

    if (a->x87_control != X87_CONTROL_INITIAL || a->x87_status != 0 || a->x87_tag != 0xFFFF || a->x87_opcode != 0 ||
        a->x87_ip != 0 || a->x87_dp != 0 || a->x87_cs != 0 || a->x87_ds != 0)
        return true;
    for (unsigned i = 0; i < 8; i++)
        if (a->x87[i].mantissa != 0 || a->x87[i].sign_exponent != 0)
            return true;
    return false;
}

static bool xmm_in_use(const struct cpu *cpu)
{
    for (unsigned i = 0; i < image_xmm_count(cpu); i++)
        if (cpu->arch.xmm[i].u64[0] | cpu->arch.xmm[i].u64[1])
            return true;
    return false;
}

/* XINUSE. SDM 1, "Processor Tracking of XSAVE-Managed State" */
static u64 in_use(const struct cpu *cpu)
{
    return (x87_in_use(cpu) ? COMPONENT_X87 : 0) | (xmm_in_use(cpu) ? COMPONENT_SSE : 0);
}

/* #NM, then alignment, as every instruction of the set checks. returns: offset of the area */
static u64 xsave_area(struct cpu *cpu, const struct insn *insn, bool write)
{
    u64 offset = effective_address(cpu, insn);
    laddr_t laddr;

    REQUIRE(cpu, !(cpu->arch.cr0 & CR0_TS), NM, RULE_IS_04);
    laddr = mem_linear(cpu, (enum seg)insn->seg, offset, XSAVE_SIZE, write);
    REQUIRE(cpu, laddr % XSAVE_ALIGN == 0, GP(0), RULE_MM_04);
    return offset;
}

static void xsave(struct cpu *cpu, const struct insn *insn, enum xsave_kind kind)
{
    enum seg seg = (enum seg)insn->seg;
    u64 offset = xsave_area(cpu, insn, true);
    u64 rfbm = requested(cpu), used = in_use(cpu), save, bitmap;

    mem_probe(cpu, seg, offset, XSAVE_SIZE, true);
    if (kind == XSAVE_COMPACT) {
        /* A changed MXCSR makes the SSE component count as in use. SDM 1, "Operation of XSAVEC" */
        if (cpu->arch.mxcsr != MXCSR_DEFAULT)
            used |= COMPONENT_SSE;
        bitmap = used & rfbm;
    } else {
        bitmap = (mem_read(cpu, seg, offset + XSAVE_HEADER, W64) & ~rfbm) | (used & rfbm);
    }
    save = kind == XSAVE_PLAIN ? rfbm : rfbm & used;

    if (save & COMPONENT_X87)
        image_save_x87(cpu, seg, offset, insn->prefixes & PREFIX_REX_W);
    if ((kind == XSAVE_COMPACT ? save : rfbm) & COMPONENT_SSE)
        image_save_mxcsr(cpu, seg, offset);
    if (save & COMPONENT_SSE)
        image_save_xmm(cpu, seg, offset);
    mem_write(cpu, seg, offset + XSAVE_HEADER, bitmap, W64);
    if (kind == XSAVE_COMPACT)
        mem_write(cpu, seg, offset + XSAVE_HEADER + 8, rfbm | XCOMP_COMPACT, W64);
}

BODY_PLAIN(op_xsave) { xsave(cpu, insn, XSAVE_PLAIN); }

BODY_PLAIN(op_xsaveopt) { xsave(cpu, insn, XSAVE_OPT); }

BODY_PLAIN(op_xsavec) { xsave(cpu, insn, XSAVE_COMPACT); }

static bool all_zero(const u8 *bytes, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* SDM 1, "Standard Form of XRSTOR", "Compacted Form of XRSTOR": what raises #GP. */
static void check_header(struct cpu *cpu, const u8 *header)
{
    u64 state = load_le64(header), compaction = load_le64(header + 8);

    if (!(compaction & XCOMP_COMPACT)) {
        REQUIRE(cpu, !(state & ~cpu->arch.xcr0), GP(0), RULE_MM_05);
        REQUIRE(cpu, all_zero(header, 8, 24), GP(0), RULE_MM_05);
        return;
    }
    REQUIRE(cpu, cpu_has(cpu, FEAT_XSAVEC), GP(0), RULE_MM_05);
    REQUIRE(cpu, !(compaction & ~XCOMP_COMPACT & ~cpu->arch.xcr0), GP(0), RULE_MM_05);
    REQUIRE(cpu, !(state & ~compaction) && !(state & XCOMP_COMPACT), GP(0), RULE_MM_05);
    REQUIRE(cpu, all_zero(header, 16, 64), GP(0), RULE_MM_05);
}

BODY_PLAIN(op_xrstor)
{
    u64 offset = xsave_area(cpu, insn, false), rfbm = requested(cpu), state;
    u8 area[XSAVE_SIZE];
    bool compact, load_mxcsr;

    mem_read_block(cpu, (enum seg)insn->seg, offset, area, sizeof area, 1);
    check_header(cpu, area + XSAVE_HEADER);
    state = load_le64(area + XSAVE_HEADER);
    compact = load_le64(area + XSAVE_HEADER + 8) & XCOMP_COMPACT;

    /* The standard form takes MXCSR from memory even when the SSE component is to be initialised. */
    load_mxcsr = (rfbm & COMPONENT_SSE) && (!compact || (state & COMPONENT_SSE));
    if (load_mxcsr)
        image_check_mxcsr(cpu, area);

    if (rfbm & COMPONENT_X87) {
        if (state & COMPONENT_X87) {
            image_load_x87(cpu, area, insn->prefixes & PREFIX_REX_W);
        } else {
            x87_initialize(cpu);
            memset(cpu->arch.x87, 0, sizeof cpu->arch.x87);
        }
    }
    if (rfbm & COMPONENT_SSE) {
        if (load_mxcsr)
            image_load_mxcsr(cpu, area);
        else
            cpu->arch.mxcsr = MXCSR_DEFAULT;
        if (state & COMPONENT_SSE)
            image_load_xmm(cpu, area);
        else
            memset(cpu->arch.xmm, 0, 16 * image_xmm_count(cpu));
    }
}
