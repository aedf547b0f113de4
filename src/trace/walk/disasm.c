/* SPDX-License-Identifier: MIT
 * Instructions as text, by Capstone; one handle per width of code, opened when it is first needed.
 */
#include "trace/walk/disasm.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/cpu.h"

struct disasm {
    bool open[3];
    csh handle[3];
};

struct disasm *disasm_new(void)
{
    struct disasm *d = calloc(1, sizeof *d);

    if (d == NULL)
        abort();
    return d;
}

void disasm_free(struct disasm *d)
{
    for (unsigned i = 0; i < 3; i++)
        if (d->open[i])
            cs_close(&d->handle[i]);
    free(d);
}

static unsigned width_of(unsigned mode)
{
    switch (mode) {
    case MODE_LONG: return 2;
    case MODE_PM32:
    case MODE_COMPAT32: return 1;
    default: return 0;
    }
}

static bool opened(struct disasm *d, unsigned width)
{
    static const cs_mode modes[] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};

    if (!d->open[width])
        d->open[width] = cs_open(CS_ARCH_X86, modes[width], &d->handle[width]) == CS_ERR_OK;
    return d->open[width];
}

void disasm_text(struct disasm *d, unsigned mode, u64 address, const u8 *bytes, size_t length, char *out, size_t size)
{
    unsigned width = width_of(mode);
    cs_insn *insn;
    size_t used = 0;

    if (length != 0 && opened(d, width) && cs_disasm(d->handle[width], bytes, length, address, 1, &insn) == 1) {
        snprintf(out, size, "%s%s%s", insn->mnemonic, insn->op_str[0] ? " " : "", insn->op_str);
        cs_free(insn, 1);
        return;
    }
    snprintf(out, size, "(bytes)");
    for (size_t i = 0; i < length && used + 4 < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%02x", i ? " " : "", bytes[i]);
}
