/* SPDX-License-Identifier: MIT
 * Where a function's return address stands. amd64 kernels carry a table for that (ORC: per address, what to add to RSP
 * or RBP to get above the return address); others push EBP or RBP first. Both are hints: who uses one compares the call
 * before the return address.
 */
#include "guest/callsite.h"

#define ORC_ENTRY_BYTES                                                                                                \
    6u /* i16 offset from the stack pointer, i16 offset of the saved RBP, then 4 bits for each's base */
#define ORC_ENTRIES_MAX (16u << 20)
enum orc_register { ORC_UNDEFINED = 0, ORC_PREVIOUS_SP = 1, ORC_BP = 4, ORC_SP = 5 };

/* Address that entry i of the table of addresses stands for: each is relative to itself. */
static bool orc_address(const struct cpu *cpu, u64 table, u64 i, u64 *address)
{
    u32 relative;

    if (!guest_read(cpu, table + 4 * i, &relative, sizeof relative))
        return false;
    *address = table + 4 * i + (u64)(i64)(i32)relative;
    return true;
}

/* The last entry at or below ip. */
static bool orc_find(const struct guest *g, const struct cpu *cpu, u64 ip, u8 *entry)
{
    u64 table, end, entries, low = 0, high, address;

    if (!guest_symbol(g, "__start_orc_unwind_ip", &table) || !guest_symbol(g, "__stop_orc_unwind_ip", &end) ||
        !guest_symbol(g, "__start_orc_unwind", &entries) || end <= table || end - table > 4 * ORC_ENTRIES_MAX)
        return false;
    high = (end - table) / 4;
    while (high - low > 1) {
        u64 middle = low + (high - low) / 2;

        if (!orc_address(cpu, table, middle, &address))
            return false;
        if (address <= ip)
            low = middle;
        else
            high = middle;
    }
    return orc_address(cpu, table, low, &address) && address <= ip &&
           guest_read(cpu, entries + low * ORC_ENTRY_BYTES, entry, ORC_ENTRY_BYTES);
}

static bool orc_frame(const struct guest *g, const struct cpu *cpu, const struct frame *frame, u64 *at,
                      struct frame *above)
{
    u8 entry[ORC_ENTRY_BYTES];
    u64 top;

    if (!orc_find(g, cpu, frame->ip - frame->is_return, entry))
        return false;
    top = (u64)(i64)(i16)load_le16(entry);
    switch (entry[4] & 0xF) {
    case ORC_SP: top += frame->sp; break;
    case ORC_BP:
        if (!frame->bp_known)
            return false;
        top += frame->bp;
        break;
    default: return false;
    }
    *at = top - 8;
    above->sp = top;
    above->bp = frame->bp;
    above->bp_known = frame->bp_known;
    switch (entry[4] >> 4) {
    case ORC_UNDEFINED: break;
    case ORC_PREVIOUS_SP:
        above->bp_known = guest_read(cpu, top + (u64)(i64)(i16)load_le16(entry + 2), &above->bp, 8);
        break;
    default: above->bp_known = false;
    }
    return true;
}

/* The function has pushed the frame pointer and set it: its first instructions do, and execution is past them. */
static bool pointer_frame(const struct guest *g, const struct cpu *cpu, const struct frame *frame,
                          const struct function *f, u64 *at, struct frame *above)
{
    static const u8 prologue32[] = {0x55, 0x89, 0xE5}, prologue64[] = {0x55, 0x48, 0x89, 0xE5};
    bool is64 = g->kernel->is64;
    const u8 *prologue = is64 ? prologue64 : prologue32;
    size_t length = is64 ? sizeof prologue64 : sizeof prologue32, size = is64 ? 8 : 4;
    u8 code[64];

    if (!frame->bp_known || frame->bp < frame->sp || !guest_read(cpu, f->start, code, sizeof code))
        return false;
    for (size_t skip = 0; skip + length <= sizeof code; skip++) /* not always the first instruction */
        if (memcmp(code + skip, prologue, length) == 0) {
            if (frame->ip - f->start < skip + length)
                return false;
            *at = frame->bp + size;
            above->sp = *at + size;
            above->bp_known = guest_read_pointer(cpu, is64, frame->bp, &above->bp);
            return true;
        }
    return false;
}

bool frame_return_address(const struct guest *g, const struct cpu *cpu, const struct frame *frame,
                          const struct function *f, u64 *at, struct frame *above)
{
    if (g->kernel->is64 && orc_frame(g, cpu, frame, at, above))
        return *at >= frame->sp;
    return pointer_frame(g, cpu, frame, f, at, above) && *at >= frame->sp;
}
