/* SPDX-License-Identifier: MIT
 * Control and debug registers, TLB invalidation, XCR0, SMAP's flag, HLT, MONITOR and MWAIT.
 * SDM 2A, "CLAC", "CLTS", "HLT", "INVLPG", "INVPCID", "LMSW"; SDM 2B, "MONITOR", "MOV-Move to/from Control Registers",
 * "MOV-Move to/from Debug Registers", "MWAIT", "RSM", "SMSW", "STAC"; SDM 2D, "XGETBV", "XSETBV".
 */
#include "cpu/fault.h"
#include "cpu/isa/operand.h"
#include "cpu/ring/mechanisms.h"

/* ---- control registers */

static u64 read_cr8(struct cpu *cpu)
{
    const struct cpu_ports *ports = &cpu->host.ports;

    return ports->task_priority_read ? ports->task_priority_read(ports->context) : 0;
}

static void write_cr8(struct cpu *cpu, u64 value)
{
    const struct cpu_ports *ports = &cpu->host.ports;

    REQUIRE(cpu, value <= 15, GP(0), RULE_IQ_01);
    if (ports->task_priority_write)
        ports->task_priority_write(ports->context, (u8)value);
    cpu_attention(cpu);
}

BODY_PLAIN(op_mov_from_cr)
{
    u64 value = 0;

    COVER(cpu, RULE_MD_03, cpu_64bit(cpu));
    switch (insn->src) {
    case 0: value = cpu->arch.cr0; break;
    case 2: value = cpu->arch.cr2; break;
    case 3: value = cpu->arch.cr3; break;
    case 4: value = cpu->arch.cr4; break;
    case 8: value = read_cr8(cpu); break;
    }
    reg_write(cpu, insn->dst, value, (enum width)insn->width);
}

BODY_PLAIN(op_mov_to_cr)
{
    u64 value = reg_read(cpu, insn->src, (enum width)insn->width);

    switch (insn->dst) {
    case 0: mode_write_cr0(cpu, value); break;
    case 2: cpu->arch.cr2 = value; break;
    case 3: mode_write_cr3(cpu, value); break;
    case 4: mode_write_cr4(cpu, value); break;
    case 8: write_cr8(cpu, value); break;
    }
}

BODY_PLAIN(op_smsw)
{
    REQUIRE(cpu, !(cpu->arch.cr4 & CR4_UMIP) || cpu->arch.cpl == 0, GP(0), RULE_PG_01);
    if (insn->form == FORM_MR)
        mem_write(cpu, (enum seg)insn->seg, effective_address(cpu, insn), (u16)cpu->arch.cr0, W16);
    else
        reg_write(cpu, insn->dst, cpu->arch.cr0, (enum width)insn->width);
}

BODY_PLAIN(op_lmsw) { mode_lmsw(cpu, (u16)dst_read(cpu, insn, W16, (enum form)insn->form)); }

BODY_PLAIN(op_clts)
{
    (void)insn;
    mode_write_cr0(cpu, cpu->arch.cr0 & ~CR0_TS);
}

/* ---- debug registers */

/* DR4 and DR5 are names of DR6 and DR7 unless CR4.DE; with DR7.GD any access is a #DB fault first (DB-02). */
static unsigned debug_number(struct cpu *cpu, unsigned number)
{
    bool alias = number == 4 || number == 5;

    REQUIRE(cpu, !alias || !(cpu->arch.cr4 & CR4_DE), UD, RULE_IS_07);
    if (cpu->arch.dr[7] & DR7_GD) {
        struct fault fault = DB;

        fault.debug_bits = DR6_BD;
        cpu_raise(cpu, fault, RULE_DB_02);
    }
    RULE_HELD(cpu, RULE_DB_02);
    return alias ? number + 2 : number;
}

BODY_PLAIN(op_mov_from_dr)
{
    unsigned number = debug_number(cpu, insn->src);

    reg_write(cpu, insn->dst, debug_read_register(cpu, number), (enum width)insn->width);
}

BODY_PLAIN(op_mov_to_dr)
{
    unsigned number = debug_number(cpu, insn->dst);

    debug_write_register(cpu, number, reg_read(cpu, insn->src, (enum width)insn->width));
}

/* ---- TLB */

BODY_PLAIN(op_invlpg)
{
    laddr_t laddr = (cpu->d.seg_base[insn->seg] + effective_address(cpu, insn)) & cpu->d.laddr_mask;

    /* No segment check is made, and a non-canonical address does nothing. */
    if (!cpu_64bit(cpu) || cpu_canonical(cpu, laddr))
        mmu_flush_page(&cpu->mmu, laddr);
    cpu->d.fetch_page = 1;
}

enum invpcid_type { INVPCID_ADDRESS, INVPCID_CONTEXT, INVPCID_ALL, INVPCID_ALL_NONGLOBAL };

BODY_PLAIN(op_invpcid)
{
    u64 type = reg_read(cpu, insn->dst, cpu_64bit(cpu) ? W64 : W32), pcid;
    u8 descriptor[16];
    laddr_t laddr;

    mem_read_block(cpu, (enum seg)insn->seg, effective_address(cpu, insn), descriptor, sizeof descriptor, 1);
    pcid = load_le64(descriptor);
    laddr = load_le64(descriptor + 8);
    REQUIRE(cpu, type <= INVPCID_ALL_NONGLOBAL, GP(0), RULE_IS_09);
    REQUIRE(cpu, pcid >> 12 == 0, GP(0), RULE_IS_09);
    if (type == INVPCID_ADDRESS || type == INVPCID_CONTEXT)
        REQUIRE(cpu, (cpu->arch.cr4 & CR4_PCIDE) || pcid == 0, GP(0), RULE_IS_09);
    if (type == INVPCID_ADDRESS)
        REQUIRE(cpu, cpu_canonical(cpu, laddr), GP(0), RULE_IS_09);

    switch ((enum invpcid_type)type) {
    case INVPCID_ADDRESS: mmu_flush_pcid_page(&cpu->mmu, (u16)pcid, laddr); break;
    case INVPCID_CONTEXT: mmu_flush_pcid(&cpu->mmu, (u16)pcid); break;
    case INVPCID_ALL: mmu_flush_all(&cpu->mmu); break;
    case INVPCID_ALL_NONGLOBAL: mmu_flush_nonglobal(&cpu->mmu); break;
    }
    cpu->d.fetch_page = 1;
}

/* ---- XCR0 and SMAP */

BODY_PLAIN(op_xgetbv)
{
    u32 number = (u32)cpu->arch.gpr[RCX];

    (void)insn;
    REQUIRE(cpu, number == 0 || (number == 1 && cpu_has(cpu, FEAT_XGETBV1)), GP(0), RULE_IS_10);
    /* XCR1 reads XCR0 & XINUSE; every enabled component counts as in use. */
    reg_write(cpu, RAX, (u32)cpu->arch.xcr0, W32);
    reg_write(cpu, RDX, cpu->arch.xcr0 >> 32, W32);
}

BODY_PLAIN(op_xsetbv)
{
    (void)insn;
    REQUIRE(cpu, (u32)cpu->arch.gpr[RCX] == 0, GP(0), RULE_IS_10);
    mode_write_xcr0(cpu, (cpu->arch.gpr[RDX] << 32) | (u32)cpu->arch.gpr[RAX]);
}

BODY_PLAIN(op_clac)
{
    (void)insn;
    REQUIRE(cpu, cpu->arch.cpl == 0, UD, RULE_IS_11);
    if (cpu->arch.rflags & FLAG_AC) {
        cpu->arch.rflags &= ~FLAG_AC;
        cpu_update_ring(cpu);
    }
}

BODY_PLAIN(op_stac)
{
    (void)insn;
    REQUIRE(cpu, cpu->arch.cpl == 0, UD, RULE_IS_11);
    cpu->arch.rflags |= FLAG_AC;
    cpu_update_ring(cpu);
}

/* ---- waiting */

BODY_PLAIN(op_hlt)
{
    (void)insn;
    cpu->arch.activity = HALTED;
    cpu_attention(cpu);
}

/* What MONITOR and MWAIT are asked for: Intel looks at all of RCX in 64-bit mode. UNVERIFIED: AMD at ECX only. */
static u64 extensions(const struct cpu *cpu)
{
    return cpu_64bit(cpu) && !cpu_is_amd(cpu) ? cpu->arch.gpr[RCX] : (u32)cpu->arch.gpr[RCX];
}

BODY_PLAIN(op_monitor)
{
    u64 offset = reg_read(cpu, RAX, (enum width)insn->address_width);

    REQUIRE(cpu, cpu->arch.cpl == 0, UD, RULE_IS_11);
    REQUIRE(cpu, extensions(cpu) == 0, GP(0), RULE_IS_12); /* none are defined */
    mem_probe(cpu, (enum seg)insn->seg, offset, 1, false); /* faults as a byte load */
    cpu->arch.monitor_address = (cpu->d.seg_base[insn->seg] + offset) & cpu->d.laddr_mask;
    cpu->arch.monitor_armed = 1;
}

BODY_PLAIN(op_mwait)
{
    (void)insn;
    REQUIRE(cpu, cpu->arch.cpl == 0, UD, RULE_IS_11);
    REQUIRE(cpu, (extensions(cpu) & ~1ull) == 0, GP(0), RULE_IS_12); /* bit 0: masked interrupts wake too */
    if (!cpu->arch.monitor_armed)
        return;
    cpu->arch.monitor_armed = 0;
    cpu->arch.activity = MWAITING;
    cpu_attention(cpu);
}

/* The processor is never in system-management mode, and outside it RSM is undefined. */
BODY_PLAIN(op_rsm)
{
    (void)insn;
    cpu_raise(cpu, UD, RULE_IS_13);
}
