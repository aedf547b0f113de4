/* SPDX-License-Identifier: MIT
 * Prefixes and opcode of some bytes, and a reading as a line of text.
 */
#include "conform/decoder/reading.h"

#include <inttypes.h>
#include <string.h>

static u16 prefix_of(u8 byte)
{
    switch (byte) {
    case 0xF0: return HAS_LOCK;
    case 0xF2: return HAS_F2;
    case 0xF3: return HAS_F3;
    case 0x66: return HAS_66;
    case 0x67: return HAS_67;
    case 0x26:
    case 0x2E:
    case 0x36:
    case 0x3E: return HAS_FLAT_SEGMENT;
    case 0x64:
    case 0x65: return HAS_FS_GS;
    default: return 0;
    }
}

void facts_find(struct facts *facts, enum code_size code, const u8 *bytes)
{
    unsigned at = 0;

    *facts = (struct facts){.code = code, .map = M1};
    memcpy(facts->bytes, bytes, READING_BYTES);
    for (; at < READING_BYTES - 4; at++) {
        u16 prefix = prefix_of(bytes[at]);

        if (prefix == 0 && code == CODE64 && (bytes[at] & 0xF0) == 0x40) {
            facts->stray_rex |= facts->rex != 0;
            facts->rex = bytes[at];
            continue;
        }
        if (prefix == 0)
            break;
        facts->stray_rex |= facts->rex != 0;
        facts->rex = 0;
        facts->prefixes |= prefix;
        if (prefix & (HAS_F2 | HAS_F3))
            facts->repeat = bytes[at];
    }
    if (bytes[at] == 0x0F) {
        facts->map = bytes[at + 1] == 0x38 ? M38 : bytes[at + 1] == 0x3A ? M3A : M2;
        at += facts->map == M2 ? 1 : 2;
    }
    facts->opcode_at = (u8)at;
    facts->opcode = bytes[at];
    facts->modrm = bytes[at + 1];
}

u64 reading_address(enum code_size code)
{
    return code == CODE16 ? 0x5670 : code == CODE32 ? 0x12345670 : 0x0000123456789AB0;
}

/* ---- as text */

static void print_gpr(unsigned number, unsigned size, FILE *out)
{
    static const char *const low[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    static const char *const byte[] = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
    static const char *const high[] = {"ah", "ch", "dh", "bh"};

    if (number >= REG8_HIGH && number < REG8_HIGH + 4)
        fputs(high[number - REG8_HIGH], out);
    else if (number >= 8)
        fprintf(out, "r%u%s", number, size == 1 ? "b" : size == 2 ? "w" : size == 4 ? "d" : "");
    else if (size == 1)
        fputs(byte[number], out);
    else
        fprintf(out, "%s%s", size == 8 ? "r" : size == 4 ? "e" : "", low[number]);
}

static void print_register(const struct reading_operand *o, FILE *out)
{
    static const char *const files[] = {"", "", "cr", "dr", "mm", "xmm", "st", "?"};
    static const char *const segments[] = {"es", "cs", "ss", "ds", "fs", "gs", "seg6", "seg7"};

    if (o->file == FILE_GPR)
        print_gpr(o->number, o->size, out);
    else if (o->file == FILE_SEGMENT)
        fputs(segments[o->number & 7], out);
    else
        fprintf(out, "%s%u", files[o->file], o->number);
}

static void print_memory(const struct reading_operand *o, FILE *out)
{
    static const char *const segments[] = {"es", "cs", "ss", "ds", "fs", "gs"};

    fprintf(out, "%u bytes at %s:[", o->size, o->seg <= GS ? segments[o->seg] : "?");
    if (o->base == REG_RIP)
        fputs("rip + ", out);
    else if (o->base != REG_NONE)
        print_gpr(o->base, o->address, out), fputs(" + ", out);
    if (o->index != REG_NONE) {
        print_gpr(o->index, o->address, out);
        fprintf(out, " * %u + ", 1u << o->scale);
    }
    fprintf(out, "%" PRIX64 "]", o->disp);
}

void reading_print(const struct reading *r, FILE *out)
{
    if (!r->valid) {
        fputs("undefined", out);
        return;
    }
    fprintf(out, "%u bytes, %s", r->length, r->name);
    for (unsigned i = 0; i < r->count; i++) {
        const struct reading_operand *o = &r->operand[i];

        fputs(i == 0 ? " " : ", ", out);
        if (o->kind == OPERAND_REGISTER)
            print_register(o, out);
        else if (o->kind == OPERAND_MEMORY)
            print_memory(o, out);
        else
            fprintf(out, "%" PRIX64, o->value & o->mask);
    }
}
