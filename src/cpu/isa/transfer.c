/* SPDX-License-Identifier: MIT
 * Transfers between rings and code segments: each body takes its operands and calls the mechanism in ring/.
 * SDM 2A, "CALL", "INT n/INTO/INT3/INT1", "IRET", "JMP"; SDM 2B, "RET", "SYSCALL", "SYSENTER", "SYSEXIT", "SYSRET".
 */
#include "cpu/isa/operand.h"
#include "cpu/ring/mechanisms.h"

/* The far pointer of a memory operand: offset first, selector behind it. */
struct far_pointer {
    u16 selector;
    u64 offset;
    enum width width;
};

static struct far_pointer read_far_pointer(struct cpu *cpu, const struct insn *insn)
{
    u64 mask = width_mask((enum width)insn->address_width), address = effective_address(cpu, insn);
    struct far_pointer p = {.width = (enum width)insn->width};

    if (p.width == W64)
        COVER(cpu, RULE_SG_16, cpu_is_amd(cpu));
    /* AMD has no m16:64: REX.W is ignored. APM 3, "CALL (Far)", "JMP (Far)". */
    if (p.width == W64 && cpu_is_amd(cpu))
        p.width = W32;
    p.offset = mem_read(cpu, (enum seg)insn->seg, address, p.width);
    p.selector = (u16)mem_read(cpu, (enum seg)insn->seg, (address + width_bytes(p.width)) & mask, W16);
    return p;
}

BODY_PLAIN(op_call_far) { far_call(cpu, insn->imm2, insn->imm, (enum width)insn->width); }

BODY_PLAIN(op_jmp_far) { far_jump(cpu, insn->imm2, insn->imm, (enum width)insn->width); }

BODY_PLAIN(op_call_far_mem)
{
    struct far_pointer p = read_far_pointer(cpu, insn);

    far_call(cpu, p.selector, p.offset, p.width);
}

BODY_PLAIN(op_jmp_far_mem)
{
    struct far_pointer p = read_far_pointer(cpu, insn);

    far_jump(cpu, p.selector, p.offset, p.width);
}

BODY_PLAIN(op_ret_far) { far_return(cpu, (enum width)insn->width, (u16)insn->imm); }

BODY_PLAIN(op_int) { interrupt_software(cpu, MECH_INT_N, (u8)insn->imm); }

BODY_PLAIN(op_int3)
{
    (void)insn;
    interrupt_software(cpu, MECH_INT3, VEC_BP);
}

BODY_PLAIN(op_into)
{
    (void)insn;
    if (flag_of(cpu))
        interrupt_software(cpu, MECH_INTO, VEC_OF);
}

BODY_PLAIN(op_int1)
{
    (void)insn;
    interrupt_software(cpu, MECH_INT1, VEC_DB);
}

BODY_PLAIN(op_iret) { ring_iret(cpu, (enum width)insn->width); }

BODY_PLAIN(op_syscall)
{
    (void)insn;
    ring_syscall(cpu);
}

BODY_PLAIN(op_sysret) { ring_sysret(cpu, (insn->prefixes & PREFIX_REX_W) != 0); }

BODY_PLAIN(op_sysenter)
{
    (void)insn;
    ring_sysenter(cpu);
}

BODY_PLAIN(op_sysexit) { ring_sysexit(cpu, (insn->prefixes & PREFIX_REX_W) != 0); }

BODY_PLAIN(op_swapgs)
{
    (void)insn;
    ring_swapgs(cpu);
}
