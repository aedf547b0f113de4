/* SPDX-License-Identifier: MIT
 * POPF, PUSHF, CLI and STI: what each may change or show by CPL, IOPL and mode, with VME and PVI.
 * SDM 2B, "POPF/POPFD/POPFQ", "PUSHF/PUSHFD/PUSHFQ"; SDM 2A, "CLI"; SDM 2B, "STI";
 * SDM 3B, "Virtual-8086 Mode Extensions", "Protected-Mode Virtual Interrupts".
 */
#include "cpu/fault.h"
#include "cpu/flags.h"
#include "cpu/ring/mechanisms.h"

/* CLI and STI work on VIF: VME in VM86, PVI at CPL 3, both with IOPL < 3. */
static bool virtual_if(const struct cpu *cpu)
{
    if (cpu->arch.cpl != 3 || cpu_iopl(cpu) == 3)
        return false;
    return (cpu->arch.cr4 & (cpu_vm86(cpu) ? CR4_VME : CR4_PVI)) != 0;
}

/* POPF in VM86 with VME and IOPL < 3, 16-bit: the image's IF goes to VIF; IF and IOPL stay (IO-02). */
static void popf_virtual(struct cpu *cpu, u64 image)
{
    const u64 writable = FLAGS_ARITHMETIC | FLAG_TF | FLAG_DF | FLAG_NT;
    u64 rflags = flags_get(cpu);

    REQUIRE(cpu, !(image & FLAG_TF), GP(0), RULE_IO_02);
    REQUIRE(cpu, !((image & FLAG_IF) && (rflags & FLAG_VIP)), GP(0), RULE_IO_02);
    rflags = (rflags & ~(writable | FLAG_VIF | FLAG_RF)) | (image & writable);
    flags_put(cpu, rflags | (image & FLAG_IF ? FLAG_VIF : 0));
}

void rflags_popf(struct cpu *cpu, u64 image, enum width operand)
{
    u64 writable = FLAGS_ARITHMETIC | FLAG_TF | FLAG_DF | FLAG_NT;
    u64 old = flags_get(cpu);

    if (cpu_vm86(cpu) && cpu_iopl(cpu) < 3) {
        REQUIRE(cpu, (cpu->arch.cr4 & CR4_VME) && operand == W16, GP(0), RULE_IO_01);
        popf_virtual(cpu, image);
        return;
    }
    COVER(cpu, RULE_IO_03, cpu->arch.cpl > cpu_iopl(cpu));
    COVER(cpu, RULE_DB_04, image & FLAG_RF);
    COVER(cpu, RULE_IR_13, image & ~old & FLAG_TF);
    if (cpu->arch.cpl <= cpu_iopl(cpu))
        writable |= FLAG_IF; /* IO-03 */
    if (cpu->arch.cpl == 0)
        writable |= FLAG_IOPL;
    if (operand != W16)
        writable |= FLAG_AC | (cpu->model.has_cpuid ? FLAG_ID : 0);
    /* VM, VIF and VIP stay; RF is cleared (DB-04). */
    flags_put(cpu, (old & ~(writable | FLAG_RF)) | (image & writable));
    if ((old ^ cpu->arch.rflags) & FLAG_AC)
        cpu_update_ring(cpu);
}

u64 rflags_pushf_image(struct cpu *cpu, enum width operand)
{
    u64 rflags = flags_get(cpu);

    if (cpu_vm86(cpu) && cpu_iopl(cpu) < 3) {
        REQUIRE(cpu, (cpu->arch.cr4 & CR4_VME) && operand == W16, GP(0), RULE_IO_01);
        rflags = (rflags & ~FLAG_IF) | FLAG_IOPL | (rflags & FLAG_VIF ? FLAG_IF : 0);
    }
    COVER(cpu, RULE_IO_05, rflags & FLAG_VM);
    return rflags & ~(FLAG_RF | FLAG_VM) & width_mask(operand);
}

void rflags_cli(struct cpu *cpu)
{
    if (cpu->d.mode == MODE_REAL || cpu->arch.cpl <= cpu_iopl(cpu)) {
        cpu->arch.rflags &= ~FLAG_IF;
        return;
    }
    REQUIRE(cpu, virtual_if(cpu), GP(0), RULE_IO_01);
    cpu->arch.rflags &= ~FLAG_VIF;
}

/* SH-04: after an STI that enables interrupts none comes before the next instruction is complete. None can come when
 * INTR is not asserted and no boundary is looked at until then: the shadow would not be seen. */
static bool shadow_is_seen(const struct cpu *cpu) { return cpu->d.intr || cpu->clock->ticks + 1 >= cpu->d.stop_tick; }

static void sti(struct cpu *cpu)
{
    COVER(cpu, RULE_SH_04, !(cpu->arch.rflags & FLAG_IF));
    if (cpu->arch.rflags & FLAG_IF)
        return;
    if (shadow_is_seen(cpu)) {
        cpu_demand_exact(cpu);
        cpu->arch.shadow |= SHADOW_STI;
        cpu_attention(cpu);
    }
    cpu->arch.rflags |= FLAG_IF;
}

void rflags_sti(struct cpu *cpu)
{
    if (cpu->d.mode == MODE_REAL || cpu->arch.cpl <= cpu_iopl(cpu)) {
        sti(cpu);
        return;
    }
    REQUIRE(cpu, virtual_if(cpu), GP(0), RULE_IO_01);
    REQUIRE(cpu, !(cpu->arch.rflags & FLAG_VIP), GP(0), RULE_IO_02);
    cpu_demand_exact(cpu);
    cpu->arch.rflags |= FLAG_VIF;
    cpu_attention(cpu);
}

bool rflags_virtual_interrupt(const struct cpu *cpu)
{
    const u64 both = FLAG_VIF | FLAG_VIP;

    return (cpu->arch.rflags & both) == both && cpu->d.mode != MODE_REAL && virtual_if(cpu);
}
