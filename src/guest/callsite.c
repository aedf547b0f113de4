/* SPDX-License-Identifier: MIT
 * Functions, and the calls and jumps between them, as they stand in memory: the kernel patches its calls while it
 * boots. SDM 2A, "CALL-Call Procedure", "JMP-Jump".
 */
#include "guest/callsite.h"

#define JUMP_SEARCH 4096u /* bytes of a function in which a jump is looked for */
#define CALL_BYTES_MAX 7u
#define ENDBR_BYTES 4u

bool function_before(const struct guest *g, u64 address, struct function *f)
{
    struct symbols *table = g->kernel->symbols;
    u64 slide = g->slide, link = guest_run_address(g, address - 1, 0 - slide), offset;
    struct symbol s;

    if (!guest_is_kernel_address(g->kernel->is64, address))
        return false;
    for (size_t i = 0; i < g->modules; i++)
        if (address - 1 - g->module[i]->base < g->module[i]->size) {
            table = g->module[i]->symbols;
            link = address - 1;
            slide = 0;
        }
    if (!symbols_lookup(table, link, &s, &offset) || (s.type != 't' && s.type != 'T' && s.type != 'w' && s.type != 'W'))
        return false;
    *f = (struct function){guest_run_address(g, s.address, slide),
                           guest_run_address(g, symbols_end(table, s.address), slide), s.name};
    return f->start < f->end;
}

/* Length of a near indirect call, FF /2, that ends at the end of the bytes; 0 = none does. */
static unsigned indirect_length(const u8 *bytes, size_t size)
{
    for (unsigned length = 2; length <= CALL_BYTES_MAX && length <= size; length++) {
        const u8 *p = bytes + size - length;
        unsigned mod = p[1] >> 6, rm = p[1] & 7, need = 2;

        if (p[0] != 0xFF || (p[1] >> 3 & 7) != 2)
            continue;
        if (mod != 3 && rm == 4)
            need += 1 + (mod == 0 && length > 2 && (p[2] & 7) == 5 ? 4u : 0u); /* SIB, and a displacement alone */
        if (mod == 1)
            need += 1;
        if (mod == 2 || (mod == 0 && rm == 5))
            need += 4;
        if (need == length)
            return length;
    }
    return 0;
}

enum call_kind call_before(const struct guest *g, const struct cpu *cpu, u64 address, u64 *target)
{
    struct function f;
    u8 bytes[CALL_BYTES_MAX];

    if (!guest_read(cpu, address - sizeof bytes, bytes, sizeof bytes))
        return NO_CALL;
    if (bytes[2] != 0xE8)
        return indirect_length(bytes, sizeof bytes) ? INDIRECT_CALL : NO_CALL;
    *target = guest_run_address(g, address, (u64)(i64)(i32)load_le32(bytes + 3));
    if (!function_before(g, *target + 1, &f))
        return NO_CALL;
    return strncmp(f.name, "__x86_indirect_", 15) == 0 ? INDIRECT_CALL : DIRECT_CALL;
}

/* Where a jump whose opcode ends at code[i] leads; 0: there is none. */
static u64 jump_target(const struct guest *g, u64 start, const u8 *code, size_t size, size_t i)
{
    bool near = code[i] == 0xE9 || (i && code[i - 1] == 0x0F && (code[i] & 0xF0) == 0x80);
    bool whole = near ? i + 5 <= size : i + 2 <= size;

    if (!whole || !(near || code[i] == 0xEB || (code[i] & 0xF0) == 0x70))
        return 0;
    if (near)
        return guest_run_address(g, start + i + 5, (u64)(i64)(i32)load_le32(code + i + 1));
    return guest_run_address(g, start + i + 2, (u64)(i64)(i8)code[i + 1]);
}

/* The function at `target` has a jump into f, and *jump is its address. */
static bool jumps_into(const struct guest *g, const struct cpu *cpu, u64 target, const struct function *f, u64 *jump)
{
    u8 code[JUMP_SEARCH];
    struct function from;
    size_t size;

    if (!function_before(g, target + 1, &from) || from.start == f->start)
        return false;
    size = from.end - target < sizeof code ? (size_t)(from.end - target) : sizeof code;
    if (!guest_read(cpu, target, code, size))
        return false;
    for (size_t i = 0; i < size; i++)
        if (jump_target(g, target, code, size, i) - f->start < f->end - f->start) {
            *jump = target + i;
            return true;
        }
    return false;
}

bool call_leads_to(const struct guest *g, const struct cpu *cpu, u64 target, const struct function *f, u64 *jump)
{
    *jump = 0;
    return target == f->start || target == f->start + ENDBR_BYTES || jumps_into(g, cpu, target, f, jump);
}
