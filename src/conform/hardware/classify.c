/* SPDX-License-Identifier: MIT
 * Which row of the instruction table a case of a corpus executes.
 */
#include "conform/hardware/classify.h"

bool hardware_model(struct cpu_model *model, enum cpu_vendor vendor, struct error *err)
{
    return cpu_model_parse(model, vendor == VENDOR_AMD ? "max,vendor=amd" : "max", err);
}

void hardware_classify(struct insn *insn, const struct hardware_case *c, const struct cpu_model *model)
{
    static const u32 width[HARDWARE_MODES] = {2, 1 | KEY_STACK32, 0};
    u8 bytes[15];

    memset(bytes, 0xCC, sizeof bytes);
    memcpy(bytes, c->code, c->length);
    if (insn_decode(insn, bytes, sizeof bytes, width[c->mode] | 3u << KEY_CPL_SHIFT | KEY_MP | KEY_OSFXSR | KEY_OSXSAVE,
                    model) != DECODE_OK)
        insn->row = (u16)insn_row_count;
}
