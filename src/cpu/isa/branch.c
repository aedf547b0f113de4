/* SPDX-License-Identifier: MIT
 * Near branches: Jcc JMP CALL RET LOOP LOOPE LOOPNE JCXZ JECXZ JRCXZ.
 * SDM 1, "Control Transfer Instructions"; SDM 2, the instructions' pages.
 *
 * The target is checked before anything changes, so #GP(0) is reported at the branch. In 64-bit mode the operand size
 * is 64 on Intel whatever 66 says; on AMD the decoder gives 16 with 66, and RIP is truncated (SG-06).
 */
#include "cpu/isa/condition.h"
#include "cpu/isa/operand.h"
#include "cpu/isa/stack_access.h"

/* Check a near target and truncate it to the operand size.
 * raises: #GP(0) when it is not canonical, or past the code segment's limit outside 64-bit mode. */
ALWAYS_INLINE u64 near_target(struct cpu *cpu, u64 target, enum width w)
{
    COVER_IF(cpu, RULE_IN_02, w == W64 && cpu_canonical(cpu, target));
    if (cpu_64bit(cpu))
        COVER(cpu, RULE_SG_06, w != W64);
    if (LIKELY(w == W64)) {
        /* Canonical for 48 bits is canonical for 57: the usual case needs no look at CR4. */
        if (UNLIKELY((target + BIT(47)) >> 48 != 0))
            REQUIRE(cpu, cpu_canonical(cpu, target), GP(0), RULE_IN_02);
        return target;
    }
    target &= width_mask(w);
    REQUIRE(cpu, cpu_64bit(cpu) || target <= cpu->arch.seg[CS].limit, GP(0), RULE_SG_04);
    return target;
}

ALWAYS_INLINE bool go_to(struct cpu *cpu, u64 target)
{
    cpu->d.next_rip = target;
    return true;
}

ALWAYS_INLINE u64 relative_target(struct cpu *cpu, const struct insn *insn, enum width w)
{
    return near_target(cpu, insn_end(cpu, insn) + insn->imm, w);
}

/* A jump. In the page of the branch the engine knows the target, and it is inside every limit that the branch is. */
ALWAYS_INLINE bool jump_relative(struct cpu *cpu, const struct insn *insn, enum width w, enum form f)
{
    return form_is_plain(f) || go_to(cpu, relative_target(cpu, insn, w));
}

#define JUMP_BODY(cc, condition)                                                                                       \
    BODY_BRANCH_IMMEDIATE(op_j##cc) { return (condition) && jump_relative(cpu, insn, w, f); }
CONDITIONS(JUMP_BODY)

BODY_BRANCH_IMMEDIATE(op_jmp_rel) { return jump_relative(cpu, insn, w, f); }

BODY_BRANCH(op_jmp_near) { return go_to(cpu, near_target(cpu, dst_read(cpu, insn, w, f), w)); }

BODY_BRANCH_IMMEDIATE(op_call_rel)
{
    u64 target = relative_target(cpu, insn, w);

    stack_push_by(cpu, insn_end(cpu, insn), w, f);
    return go_to(cpu, target);
}

BODY_BRANCH(op_call_near)
{
    u64 target = near_target(cpu, dst_read(cpu, insn, w, f), w);

    stack_push_by(cpu, insn_end(cpu, insn), w, f);
    return go_to(cpu, target);
}

ALWAYS_INLINE bool return_near(struct cpu *cpu, enum width w, enum form f, u64 release)
{
    u64 target = near_target(cpu, stack_top_by(cpu, w, f), w);

    stack_release_by(cpu, width_bytes(w) + release, f);
    return go_to(cpu, target);
}

BODY_BRANCH(op_ret_near)
{
    (void)insn;
    return return_near(cpu, w, f, 0);
}

BODY_BRANCH_IMMEDIATE(op_ret_near_imm) { return return_near(cpu, w, f, (u16)insn->imm); }

/* The counter is rCX in the address size; the target is checked before it is stored. */
ALWAYS_INLINE bool loop_while(BODY_SIGNATURE, enum width w, enum form f, bool condition)
{
    enum width address = (enum width)insn->address_width;
    u64 count = (reg_read(cpu, RCX, address) - 1) & width_mask(address);
    bool taken = count != 0 && condition && jump_relative(cpu, insn, w, f);

    reg_write(cpu, RCX, count, address);
    return taken;
}

BODY_BRANCH_IMMEDIATE(op_loop) { return loop_while(cpu, insn, w, f, true); }
BODY_BRANCH_IMMEDIATE(op_loope) { return loop_while(cpu, insn, w, f, flag_zf(cpu)); }
BODY_BRANCH_IMMEDIATE(op_loopne) { return loop_while(cpu, insn, w, f, !flag_zf(cpu)); }

BODY_BRANCH_IMMEDIATE(op_jcxz)
{
    return reg_read(cpu, RCX, (enum width)insn->address_width) == 0 && jump_relative(cpu, insn, w, f);
}
