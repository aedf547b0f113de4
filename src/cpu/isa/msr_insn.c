/* SPDX-License-Identifier: MIT
 * Model-specific registers and what a write to them does, the time-stamp counter, FS and GS bases, CPUID.
 * SDM 2A, "CPUID"; SDM 2B, "RDMSR", "RDPID", "RDPMC", "RDTSC", "RDTSCP"; SDM 2D, "WRMSR"; SDM 3B, "Time-Stamp Counter".
 */
#include "cpu/fault.h"
#include "cpu/isa/operand.h"
#include "cpu/msr_access.h"
#include "cpu/ring/mechanisms.h"

#define CPUID_EXTENDED 0x80000000u
#define CPUID_NONE 0xFFFFFFFFu
#define CPUID_81_EDX_SYSCALL BIT(11)
#define CPUID_1_EDX_APIC BIT(9)
#define CPUID_1_ECX_OSXSAVE BIT(27)
/* XSAVE area of x87 and SSE: legacy region and header; nothing larger is modelled. */
#define XSAVE_BYTES 576u

static u64 tsc_read(const struct cpu *cpu) { return cpu->clock->ticks + cpu->arch.msr.tsc_offset; }

static void put_edx_eax(struct cpu *cpu, u64 value)
{
    reg_write(cpu, RAX, (u32)value, W32);
    reg_write(cpu, RDX, value >> 32, W32);
}

/* ---- MSRs */

/* IA32_X2APIC_*: the local APIC's registers. */
static bool is_x2apic(u32 number) { return number >= 0x800 && number <= 0x8FF; }

static bool apic_read(struct cpu *cpu, u32 number, u64 *value)
{
    const struct cpu_ports *ports = &cpu->host.ports;

    return ports->apic_msr_read && ports->apic_msr_read(ports->context, number, value);
}

static bool apic_write(struct cpu *cpu, u32 number, u64 value)
{
    const struct cpu_ports *ports = &cpu->host.ports;

    return ports->apic_msr_write && ports->apic_msr_write(ports->context, number, value);
}

/* The value of an MSR. returns: the rule that forbids the read, or RULE_NONE. */
static enum rule msr_fetch(struct cpu *cpu, u32 number, u64 *value)
{
    struct msr_context ctx = cpu_msr_context(cpu);
    struct msr_file *file = &cpu->arch.msr;
    enum msr_effect effect;
    enum msr_status status = msr_read(&ctx, file, number, value, &effect);

    if (status != MSR_OK)
        return cpu_msr_rule(number, status);
    switch (effect) {
    case MSR_EFFECT_NONE: break;
    case MSR_EFFECT_EFER: *value = file->efer; break;
    case MSR_EFFECT_FS_BASE: *value = cpu->arch.seg[FS].base; break;
    case MSR_EFFECT_GS_BASE: *value = cpu->arch.seg[GS].base; break;
    case MSR_EFFECT_TSC: *value = tsc_read(cpu); break;
    case MSR_EFFECT_TSC_ADJUST: *value = file->tsc_adjust; break;
    case MSR_EFFECT_APIC_BASE: *value = file->apic_base; break;
    case MSR_EFFECT_DISCARD: *value = 0; break;
    case MSR_EFFECT_APIC:
    case MSR_EFFECT_TSC_DEADLINE: return apic_read(cpu, number, value) ? RULE_NONE : RULE_MSR_09;
    }
    return RULE_NONE;
}

static void set_segment_base(struct cpu *cpu, enum seg seg, u64 base)
{
    cpu->arch.seg[seg].base = base;
    cpu->d.seg_base[seg] = base;
}

static void write_apic_base(struct cpu *cpu, u64 value)
{
    const struct cpu_ports *ports = &cpu->host.ports;

    if (ports->apic_base_write)
        REQUIRE(cpu, ports->apic_base_write(ports->context, value), GP(0), RULE_MSR_07);
    RULE_HELD(cpu, RULE_MSR_07);
    cpu->arch.msr.apic_base = value;
    cpu_attention(cpu);
}

/* A write to the counter moves IA32_TSC_ADJUST by as much, and the other way round. SDM 3B, "IA32_TSC_ADJUST". */
static void move_tsc(struct cpu *cpu, u64 difference)
{
    cpu->arch.msr.tsc_offset += difference;
    if (cpu_has(cpu, FEAT_TSC_ADJUST))
        cpu->arch.msr.tsc_adjust += difference;
    if (cpu->host.ports.tsc_moved)
        cpu->host.ports.tsc_moved(cpu->host.ports.context);
}

static void cover_deadline(struct cpu *cpu, u64 written)
{
#ifdef RINGSIDE_COVERAGE
    u64 kept = 0;

    COVER(cpu, RULE_MSR_10, apic_read(cpu, 0x6E0, &kept) && written != 0 && kept == written);
#else
    (void)cpu;
    (void)written;
#endif
}

static void carry_out(struct cpu *cpu, enum msr_effect effect, u32 number, u64 value)
{
    switch (effect) {
    case MSR_EFFECT_NONE:
    case MSR_EFFECT_DISCARD: break;
    case MSR_EFFECT_EFER: mode_write_efer(cpu, value); break;
    case MSR_EFFECT_FS_BASE: set_segment_base(cpu, FS, value); break;
    case MSR_EFFECT_GS_BASE: set_segment_base(cpu, GS, value); break;
    case MSR_EFFECT_TSC: move_tsc(cpu, value - tsc_read(cpu)); break;
    case MSR_EFFECT_TSC_ADJUST: move_tsc(cpu, value - cpu->arch.msr.tsc_adjust); break;
    case MSR_EFFECT_APIC_BASE: write_apic_base(cpu, value); break;
    case MSR_EFFECT_APIC:
        REQUIRE(cpu, apic_write(cpu, number, value), GP(0), RULE_MSR_09);
        cpu_attention(cpu);
        break;
    case MSR_EFFECT_TSC_DEADLINE:
        (void)apic_write(cpu, number, value); /* MSR-10: may be ignored */
        cover_deadline(cpu, value);
        cpu_attention(cpu);
        break;
    }
}

BODY_PLAIN(op_rdmsr)
{
    u64 value = 0;
    enum rule rule = msr_fetch(cpu, (u32)cpu->arch.gpr[RCX], &value);

    (void)insn;
    REQUIRE(cpu, rule == RULE_NONE, GP(0), rule);
    RULE_HELD(cpu, RULE_MSR_01);
    RULE_HELD(cpu, RULE_MSR_02);
    COVER_IF(cpu, RULE_MSR_09, is_x2apic((u32)cpu->arch.gpr[RCX]));
    COVER(cpu, RULE_MSR_08, cpu->arch.gpr[RCX] >> 32 != 0);
    put_edx_eax(cpu, value);
}

/* What the register held, for the observer: local APIC registers are not read a second time. */
static u64 old_value(struct cpu *cpu, u32 number)
{
    u64 value = 0;

    if (!is_x2apic(number))
        (void)msr_fetch(cpu, number, &value);
    return value;
}

/* Which rules a legal write came under. */
static void cover_write(struct cpu *cpu, u32 number)
{
#ifdef RINGSIDE_COVERAGE
    enum {
        SYSENTER_ESP = 0x175,
        SYSENTER_EIP = 0x176,
        LSTAR = 0xC0000082,
        FS_BASE = 0xC0000100,
        KERNEL_GS = 0xC0000102
    };

    RULE_HELD(cpu, RULE_MSR_02);
    RULE_HELD(cpu, RULE_MSR_03);
    COVER_IF(cpu, RULE_MSR_04, number == LSTAR || (number >= FS_BASE && number <= KERNEL_GS));
    if (number == SYSENTER_ESP || number == SYSENTER_EIP)
        COVER(cpu, RULE_SE_08, cpu_is_amd(cpu) && (u32)cpu->arch.gpr[RDX] != 0);
#else
    (void)cpu;
    (void)number;
#endif
}

BODY_PLAIN(op_wrmsr)
{
    struct msr_context ctx = cpu_msr_context(cpu);
    u32 number = (u32)cpu->arch.gpr[RCX];
    u64 value = (cpu->arch.gpr[RDX] << 32) | (u32)cpu->arch.gpr[RAX], old = old_value(cpu, number);
    enum msr_effect effect;
    enum msr_status status = msr_write(&ctx, &cpu->arch.msr, number, &value, &effect);

    (void)insn;
    REQUIRE(cpu, status == MSR_OK, GP(0), cpu_msr_rule(number, status));
    cover_write(cpu, number);
    carry_out(cpu, effect, number, value);
    ring_side(cpu, SIDE_WRMSR, number, old, value);
}

/* ---- counters */

static void require_tsc(struct cpu *cpu)
{
    REQUIRE(cpu, !(cpu->arch.cr4 & CR4_TSD) || cpu->arch.cpl == 0, GP(0), RULE_IS_14);
}

BODY_PLAIN(op_rdtsc)
{
    (void)insn;
    require_tsc(cpu);
    put_edx_eax(cpu, tsc_read(cpu));
}

BODY_PLAIN(op_rdtscp)
{
    (void)insn;
    require_tsc(cpu);
    put_edx_eax(cpu, tsc_read(cpu));
    reg_write(cpu, RCX, (u32)cpu->arch.msr.tsc_aux, W32);
}

BODY_PLAIN(op_rdpid) { reg_write(cpu, insn->dst, (u32)cpu->arch.msr.tsc_aux, W32); }

/* The general counters hold what was written to them: nothing counts. */
BODY_PLAIN(op_rdpmc)
{
    u32 number = (u32)cpu->arch.gpr[RCX], counters = cpu_is_amd(cpu) ? 4 : 2;

    (void)insn;
    REQUIRE(cpu, (cpu->arch.cr4 & CR4_PCE) || cpu->arch.cpl == 0, GP(0), RULE_IS_14);
    REQUIRE(cpu, number < counters, GP(0), RULE_IS_14);
    put_edx_eax(cpu, cpu->arch.msr.perf_count[number]);
}

/* ---- FS and GS bases */

static void require_fsgsbase(struct cpu *cpu) { REQUIRE(cpu, cpu->arch.cr4 & CR4_FSGSBASE, UD, RULE_GS_04); }

static void read_base(struct cpu *cpu, const struct insn *insn, enum seg seg)
{
    require_fsgsbase(cpu);
    reg_write(cpu, insn->dst, cpu->arch.seg[seg].base, (enum width)insn->width);
}

static void write_base(struct cpu *cpu, const struct insn *insn, enum seg seg)
{
    u64 base = reg_read(cpu, insn->dst, (enum width)insn->width);

    require_fsgsbase(cpu);
    REQUIRE(cpu, is_canonical(base, cpu->model.linear_bits), GP(0), RULE_GS_04);
    set_segment_base(cpu, seg, base);
}

BODY_PLAIN(op_rdfsbase) { read_base(cpu, insn, FS); }

BODY_PLAIN(op_rdgsbase) { read_base(cpu, insn, GS); }

BODY_PLAIN(op_wrfsbase) { write_base(cpu, insn, FS); }

BODY_PLAIN(op_wrgsbase) { write_base(cpu, insn, GS); }

/* ---- CPUID */

static u32 apic_id(struct cpu *cpu)
{
    const struct cpu_ports *ports = &cpu->host.ports;

    return ports->apic_id ? ports->apic_id(ports->context) : 0;
}

/* What depends on the processor's state. SDM 2A "CPUID": leaves 01h, 0Bh, 0Dh. */
static void patch_cpuid(struct cpu *cpu, u32 leaf, u32 subleaf, struct cpuid_result *r)
{
    switch (leaf) {
    case 0x01:
        r->ebx = (r->ebx & 0x00FFFFFF) | (apic_id(cpu) << 24);
        if (!(cpu->arch.msr.apic_base & APIC_BASE_ENABLE))
            r->edx &= (u32)~CPUID_1_EDX_APIC;
        r->ecx &= (u32)~CPUID_1_ECX_OSXSAVE;
        if (cpu->arch.cr4 & CR4_OSXSAVE)
            r->ecx |= (u32)CPUID_1_ECX_OSXSAVE;
        break;
    case 0x0B:
        if (r->ebx != 0 || r->ecx != 0)
            r->edx = apic_id(cpu);
        break;
    case 0x0D:
        if (subleaf <= 1 && cpu_has(cpu, FEAT_XSAVE))
            r->ebx = XSAVE_BYTES;
        break;
    case CPUID_EXTENDED + 1:
        if (!cpu_is_amd(cpu) && !cpu_64bit(cpu))
            r->edx &= (u32)~CPUID_81_EDX_SYSCALL; /* SDM 2A "CPUID": available in 64-bit mode only */
        break;
    default: break;
    }
}

/* Whose data cpuid_leaf() returned: past the last leaf Intel shows the highest basic one, AMD none. */
static u32 shown_leaf(const struct cpu_model *model, u32 leaf)
{
    if (leaf <= model->basic_leaves || (leaf >= CPUID_EXTENDED && leaf <= model->extended_leaves))
        return leaf;
    return model->vendor == VENDOR_AMD ? CPUID_NONE : model->basic_leaves;
}

BODY_PLAIN(op_cpuid)
{
    u32 leaf = (u32)cpu->arch.gpr[RAX], subleaf = (u32)cpu->arch.gpr[RCX];
    struct cpuid_result r = cpuid_leaf(&cpu->model, leaf, subleaf);

    (void)insn;
    patch_cpuid(cpu, shown_leaf(&cpu->model, leaf), subleaf, &r);
    reg_write(cpu, RAX, r.eax, W32);
    reg_write(cpu, RBX, r.ebx, W32);
    reg_write(cpu, RCX, r.ecx, W32);
    reg_write(cpu, RDX, r.edx, W32);
}
