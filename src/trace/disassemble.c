/* SPDX-License-Identifier: MIT
 * One instruction as text.
 */
#include "trace/disassemble.h"

#include <capstone/capstone.h>
#include <stdio.h>

static cs_mode width_of(enum cpu_mode mode)
{
    switch (mode) {
    case MODE_LONG: return CS_MODE_64;
    case MODE_PM32:
    case MODE_COMPAT32: return CS_MODE_32;
    default: return CS_MODE_16;
    }
}

unsigned disassemble(char *out, size_t size, const u8 *bytes, size_t length, u64 address, enum cpu_mode mode)
{
    unsigned taken = 0;
    cs_insn *insn;
    csh handle;

    *out = '\0';
    if (cs_open(CS_ARCH_X86, width_of(mode), &handle) != CS_ERR_OK)
        return 0;
    cs_option(handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    if (cs_disasm(handle, bytes, length, address, 1, &insn) == 1) {
        taken = insn->size;
        snprintf(out, size, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "", insn->op_str);
        cs_free(insn, 1);
    }
    cs_close(&handle);
    return taken;
}
