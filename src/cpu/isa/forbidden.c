/* SPDX-License-Identifier: MIT
 * Instructions that the processor's state forbids: each reason is one function that raises with its rule.
 * SDM 2A, "Exceptions" tables; SDM 3A, "Privileged Instructions", "Device Not Available Exception".
 */
#include "cpu/isa/forbidden.h"

#include "cpu/fault.h"
#include "cpu/isa/body.h"
#include "cpu/isa/table.h"

#define FORBIDDEN(name, fault, rule)                                                                                   \
    static const struct insn *name(BODY_SIGNATURE)                                                                     \
    {                                                                                                                  \
        cpu->d.insn = insn;                                                                                            \
        cpu_raise(cpu, fault, rule);                                                                                   \
    }

const struct insn *forbidden_undefined(BODY_SIGNATURE)
{
    cpu->d.insn = insn;
    cpu_raise(cpu, UD, RULE_IS_01);
}

const struct body forbidden_undefined_body = {BODY_SAME(forbidden_undefined)};

FORBIDDEN(forbidden_lock, UD, RULE_IS_02)
FORBIDDEN(forbidden_real, UD, RULE_VM_04)
FORBIDDEN(forbidden_emulated, UD, RULE_IS_05)
FORBIDDEN(forbidden_no_xsave, UD, RULE_IS_06)
FORBIDDEN(forbidden_not_available, NM, RULE_IS_04)
FORBIDDEN(forbidden_privileged, GP(0), RULE_PR_01)

static exec_fn *check_undefined(u32 attributes, const struct insn *insn, u32 key)
{
    if (insn->prefixes & PREFIX_LOCK) {
        if (!(attributes & LOCK) || (insn->form != FORM_MR && insn->form != FORM_MI))
            return forbidden_lock;
    }
    if ((attributes & NOREAL) && (key & KEY_REAL_OR_VM))
        return forbidden_real;
    if ((attributes & (MMX | SSE)) && (key & KEY_EM))
        return forbidden_emulated;
    if ((attributes & SSE) && !(key & KEY_OSFXSR))
        return forbidden_emulated;
    if ((attributes & NEEDS_XSAVE) && !(key & KEY_OSXSAVE))
        return forbidden_no_xsave;
    return NULL;
}

static bool not_available(u32 attributes, u32 key)
{
    if ((attributes & X87) && (key & (KEY_EM | KEY_TS)))
        return true;
    if ((attributes & (MMX | SSE)) && (key & KEY_TS))
        return true;
    return (attributes & WAITS) && (key & KEY_MP) && (key & KEY_TS);
}

exec_fn *forbidden_check(const struct insn_row *row, const struct insn *insn, u32 key)
{
    exec_fn *undefined = check_undefined(row->attributes, insn, key);

    if (undefined)
        return undefined;
    if (not_available(row->attributes, key))
        return forbidden_not_available;
    if ((row->attributes & CPL0) && (((key >> KEY_CPL_SHIFT) & 3) != 0 || (key & KEY_VM)))
        return forbidden_privileged;
    return NULL;
}

#ifdef RINGSIDE_COVERAGE
void forbidden_cover(struct cpu *cpu, const struct insn *insn)
{
    u32 attributes = insn->row < insn_row_count ? insn_rows[insn->row].attributes : 0;

    if (insn->row >= insn_row_count || forbidden_check(&insn_rows[insn->row], insn, cpu->d.decode_key) != NULL)
        return;
    RULE_HELD(cpu, RULE_IS_01);
    COVER_IF(cpu, RULE_IS_02, insn->prefixes & PREFIX_LOCK);
    COVER_IF(cpu, RULE_VM_04, attributes & NOREAL);
    COVER_IF(cpu, RULE_IS_04, attributes & (X87 | MMX | SSE | WAITS));
    COVER_IF(cpu, RULE_IS_05, attributes & (MMX | SSE));
    COVER_IF(cpu, RULE_IS_06, attributes & NEEDS_XSAVE);
    COVER_IF(cpu, RULE_PR_01, attributes & CPL0);
}
#endif
