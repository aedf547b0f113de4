/* SPDX-License-Identifier: MIT
 * String instructions: MOVS CMPS STOS LODS SCAS, alone or repeated.
 * SDM 1, "String Instructions"; SDM 2, "REP/REPE/REPZ/REPNE/REPNZ".
 *
 * Repetition in chunks: rep.h. A fault in CMPS or SCAS leaves the flags as they were when its chunk began: the manual
 * wants them as before the instruction, which differs only after an interrupt between iterations.
 */
#include "cpu/isa/operand.h"
#include "cpu/isa/rep.h"

/* One function per width, the same for every form: the operands are implied. */
#define STRING_WIDTH(name, w)                                                                                          \
    BODY_FUNCTION(name##_##w) { name##_any(cpu, insn, w); }
#define STRING_ROW(name)                                                                                               \
    {                                                                                                                  \
        name##_W8, name##_W16, name##_W32, name##_W64                                                                  \
    }
#define STRING_BODY(name)                                                                                              \
    ALWAYS_INLINE void name##_any(BODY_SIGNATURE, enum width w);                                                       \
    STRING_WIDTH(name, W8)                                                                                             \
    STRING_WIDTH(name, W16)                                                                                            \
    STRING_WIDTH(name, W32)                                                                                            \
    STRING_WIDTH(name, W64)                                                                                            \
    const struct body name = {                                                                                         \
        {STRING_ROW(name), STRING_ROW(name), STRING_ROW(name), STRING_ROW(name), STRING_ROW(name)}};                   \
    ALWAYS_INLINE void name##_any(BODY_SIGNATURE, const enum width w)

ALWAYS_INLINE u64 string_offset(const struct cpu *cpu, const struct insn *insn, enum gpr reg)
{
    return reg_read(cpu, reg, (enum width)insn->address_width);
}

/* Elements that can go by the bulk path from seg:offset forward: inside one page of a flat segment, without wrapping
 * the address size. 0: go one by one. */
ALWAYS_INLINE u64 bulk_elements(const struct cpu *cpu, const struct insn *insn, enum seg seg, u64 offset, enum width w,
                                u32 flat, laddr_t *laddr)
{
    u64 mask = width_mask((enum width)insn->address_width);
    u64 elements;

    if (!((flat >> seg) & 1))
        return 0;
    *laddr = (offset + cpu->d.seg_base[seg]) & cpu->d.laddr_mask;
    elements = rep_page_elements(cpu, *laddr, width_bytes(w));
    if (mask - offset < PAGE_SIZE) {
        u64 before_wrap = (mask - offset) >> w;

        elements = elements < before_wrap ? elements : before_wrap;
    }
    return elements;
}

ALWAYS_INLINE u64 minimum(u64 a, u64 b) { return a < b ? a : b; }

/* Copy forward, element by element in effect: when the destination starts inside the source, what was just written is
 * read again. */
static void copy_forward(u8 *to, const u8 *from, u64 elements, enum width w)
{
    u64 bytes = elements << w;

    if ((uintptr_t)to - (uintptr_t)from >= bytes) {
        memmove(to, from, bytes);
        return;
    }
    for (u64 i = 0; i < bytes; i += width_bytes(w)) {
        u8 element[8];

        memcpy(element, from + i, width_bytes(w));
        memcpy(to + i, element, width_bytes(w));
    }
}

/* returns: how many elements were moved, 0 when the general path must take the next one. */
static u64 bulk_movs(struct cpu *cpu, const struct insn *insn, enum width w, u64 budget)
{
    laddr_t source, target;
    u64 n =
        bulk_elements(cpu, insn, (enum seg)insn->seg, string_offset(cpu, insn, RSI), w, cpu->d.seg_flat_read, &source);
    const u8 *from;
    u8 *to;

    if (n == 0)
        return 0;
    n = minimum(n, bulk_elements(cpu, insn, ES, string_offset(cpu, insn, RDI), w, cpu->d.seg_flat_write, &target));
    n = minimum(n, budget);
    if (n < 2)
        return 0;
    from = tlb_read_hit(cpu->d.view, source, (unsigned)(n << w));
    to = tlb_write_hit(cpu->d.view, target, (unsigned)(n << w));
    if (from == NULL || to == NULL)
        return 0;
    copy_forward(to, from, n, w);
    return n;
}

static u64 bulk_stos(struct cpu *cpu, const struct insn *insn, enum width w, u64 budget)
{
    laddr_t target;
    u64 n =
        minimum(bulk_elements(cpu, insn, ES, string_offset(cpu, insn, RDI), w, cpu->d.seg_flat_write, &target), budget);
    u64 value = cpu->arch.gpr[RAX];
    u8 *to;

    if (n < 2)
        return 0;
    to = tlb_write_hit(cpu->d.view, target, (unsigned)(n << w));
    if (to == NULL)
        return 0;
    if (w == W8)
        memset(to, (u8)value, n);
    else
        for (u64 i = 0; i < n; i++)
            mem_store_host(to + (i << w), value, w);
    return n;
}

/* The bulk paths serve repeated forward instructions on hosts' memory; a data breakpoint or #AC checks go one by one.
 */
ALWAYS_INLINE bool may_bulk(const struct cpu *cpu, const struct rep *rep)
{
    return rep->repeated && rep->left > 1 && !(cpu->arch.rflags & FLAG_DF) && !cpu->d.align_check;
}

STRING_BODY(op_movs)
{
    struct rep rep;

    if (!rep_begin(cpu, insn, &rep))
        return;
    do {
        u64 n = may_bulk(cpu, &rep) ? bulk_movs(cpu, insn, w, rep_budget(cpu, &rep)) : 0;

        if (n == 0) {
            u64 value = mem_read(cpu, (enum seg)insn->seg, string_offset(cpu, insn, RSI), w);

            mem_write(cpu, ES, string_offset(cpu, insn, RDI), value, w);
            n = 1;
        }
        rep_advance(cpu, insn, RSI, n << w);
        rep_advance(cpu, insn, RDI, n << w);
        rep_commit(cpu, &rep, n);
    } while (rep_more(cpu, &rep));
    rep_end(cpu, &rep, false);
}

STRING_BODY(op_stos)
{
    struct rep rep;

    if (!rep_begin(cpu, insn, &rep))
        return;
    do {
        u64 n = may_bulk(cpu, &rep) ? bulk_stos(cpu, insn, w, rep_budget(cpu, &rep)) : 0;

        if (n == 0) {
            mem_write(cpu, ES, string_offset(cpu, insn, RDI), cpu->arch.gpr[RAX], w);
            n = 1;
        }
        rep_advance(cpu, insn, RDI, n << w);
        rep_commit(cpu, &rep, n);
    } while (rep_more(cpu, &rep));
    rep_end(cpu, &rep, false);
}

STRING_BODY(op_lods)
{
    struct rep rep;

    if (!rep_begin(cpu, insn, &rep))
        return;
    do {
        reg_write(cpu, RAX, mem_read(cpu, (enum seg)insn->seg, string_offset(cpu, insn, RSI), w), w);
        rep_advance(cpu, insn, RSI, width_bytes(w));
        rep_commit(cpu, &rep, 1);
    } while (rep_more(cpu, &rep));
    rep_end(cpu, &rep, false);
}

/* REPE ends on a difference, REPNE on equality. */
ALWAYS_INLINE bool comparison_ends(const struct insn *insn, bool equal)
{
    return insn->prefixes & PREFIX_REP ? !equal : insn->prefixes & PREFIX_REPNE ? equal : false;
}

STRING_BODY(op_cmps)
{
    struct rep rep;
    u64 a, b;
    bool stop;

    if (!rep_begin(cpu, insn, &rep))
        return;
    do {
        a = mem_read(cpu, (enum seg)insn->seg, string_offset(cpu, insn, RSI), w);
        b = mem_read(cpu, ES, string_offset(cpu, insn, RDI), w);
        stop = comparison_ends(insn, a == b);
        rep_advance(cpu, insn, RSI, width_bytes(w));
        rep_advance(cpu, insn, RDI, width_bytes(w));
        rep_commit(cpu, &rep, 1);
    } while (!stop && rep_more(cpu, &rep));
    flags_sub(cpu, w, a, b, a - b);
    rep_end(cpu, &rep, stop);
}

STRING_BODY(op_scas)
{
    u64 a = reg_read(cpu, RAX, w), b;
    struct rep rep;
    bool stop;

    if (!rep_begin(cpu, insn, &rep))
        return;
    do {
        b = mem_read(cpu, ES, string_offset(cpu, insn, RDI), w);
        stop = comparison_ends(insn, a == b);
        rep_advance(cpu, insn, RDI, width_bytes(w));
        rep_commit(cpu, &rep, 1);
    } while (!stop && rep_more(cpu, &rep));
    flags_sub(cpu, w, a, b, a - b);
    rep_end(cpu, &rep, stop);
}
