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

ALWAYS_INLINE u64 minimum(u64 a, u64 b) { return a < b ? a : b; }

ALWAYS_INLINE bool goes_down(const struct cpu *cpu) { return (cpu->arch.rflags & FLAG_DF) != 0; }

/* ---- bulk: many elements of one page at once */

/* The bulk paths serve repeated instructions on hosts' memory; a data breakpoint or #AC checks go one by one. */
ALWAYS_INLINE bool may_bulk(const struct cpu *cpu, const struct rep *rep)
{
    return rep->repeated && rep->left > 1 && !cpu->d.align_check;
}

/* Elements that can go by the bulk path from seg:offset in DF's direction: inside one page of a flat segment, without
 * wrapping the address size. 0: go one by one. */
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

        elements = goes_down(cpu) && before_wrap != 0 ? elements : minimum(elements, before_wrap);
    }
    if (goes_down(cpu))
        elements = minimum(elements, (offset >> w) + 1);
    return elements;
}

/* Where a run of n elements from laddr on begins in memory: DF decides on which side of it the others are. */
ALWAYS_INLINE laddr_t run_start(const struct cpu *cpu, laddr_t laddr, u64 n, enum width w)
{
    return goes_down(cpu) ? laddr - ((n - 1) << w) : laddr;
}
ALWAYS_INLINE const u8 *run_read(const struct cpu *cpu, laddr_t laddr, u64 n, enum width w)
{
    return tlb_read_hit(cpu->d.view, run_start(cpu, laddr, n, w), (unsigned)(n << w));
}
ALWAYS_INLINE u8 *run_write(const struct cpu *cpu, laddr_t laddr, u64 n, enum width w)
{
    return tlb_write_hit(cpu->d.view, run_start(cpu, laddr, n, w), (unsigned)(n << w));
}
/* Element i of a run, in the order in which the instruction takes them. */
ALWAYS_INLINE u64 run_element(const struct cpu *cpu, const u8 *run, u64 n, u64 i, enum width w)
{
    return mem_load_host(run + ((goes_down(cpu) ? n - 1 - i : i) << w), w);
}

/* Copy element by element in effect: where the runs overlap so that an element is read after it was written, what was
 * just written is read again. */
static void copy_run(u8 *to, const u8 *from, u64 n, enum width w, bool down)
{
    u64 bytes = n << w, ahead = (u64)((uintptr_t)to - (uintptr_t)from), behind = 0 - ahead;

    if (down ? behind >= bytes : ahead >= bytes) { /* never so */
        memmove(to, from, bytes);
    } else if (!down && ahead >= width_bytes(w)) { /* the bytes between the two starts repeat: copy them, doubling */
        for (u64 done = 0, step; done < bytes; done += step) {
            step = minimum(ahead + done, bytes - done);
            memcpy(to + done, from, step);
        }
    } else {
        for (u64 i = 0; i < n; i++) {
            u64 at = (down ? n - 1 - i : i) << w;

            mem_store_host(to + at, mem_load_host(from + at, w), w);
        }
    }
}

/* The same when a page is not in the TLB. The first element brings both in, one after the other, and where they lie in
 * memory is kept: pages that share an entry of the TLB would drive each other out for every element.
 * returns: elements that were moved, at least 1 */
static u64 bulk_movs_cold(struct cpu *cpu, const struct insn *insn, enum width w, u64 n, laddr_t source, laddr_t target)
{
    unsigned size = width_bytes(w);
    u64 value = mem_read(cpu, (enum seg)insn->seg, string_offset(cpu, insn, RSI), w);
    const u8 *from = run_read(cpu, source, n, w);
    u8 *to;

    mem_write(cpu, ES, string_offset(cpu, insn, RDI), value, w);
    to = run_write(cpu, target, n, w);
    if (from == NULL || to == NULL)
        return 1;
    if (goes_down(cpu))
        copy_run(to, from, n - 1, w, true);
    else
        copy_run(to + size, from + size, n - 1, w, false);
    return n;
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
    from = run_read(cpu, source, n, w);
    to = run_write(cpu, target, n, w);
    if (from == NULL || to == NULL)
        return bulk_movs_cold(cpu, insn, w, n, source, target);
    copy_run(to, from, n, w, goes_down(cpu));
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
    to = run_write(cpu, target, n, w);
    if (to == NULL)
        return 0;
    if (w == W8)
        memset(to, (u8)value, n);
    else
        for (u64 i = 0; i < n; i++)
            mem_store_host(to + (i << w), value, w);
    return n;
}

/* Only the last element of a run is seen in the end. */
static u64 bulk_lods(struct cpu *cpu, const struct insn *insn, enum width w, u64 budget)
{
    laddr_t source;
    u64 n = minimum(
        bulk_elements(cpu, insn, (enum seg)insn->seg, string_offset(cpu, insn, RSI), w, cpu->d.seg_flat_read, &source),
        budget);
    const u8 *from;

    if (n < 2)
        return 0;
    from = run_read(cpu, source, n, w);
    if (from == NULL)
        return 0;
    reg_write(cpu, RAX, run_element(cpu, from, n, n - 1, w), w);
    return n;
}

/* The last two elements compared, and whether the REPE/REPNE condition ended the instruction there. */
struct comparison {
    u64 a, b;
    bool stop;
};

/* REPE ends on a difference, REPNE on equality. */
ALWAYS_INLINE bool comparison_ends(const struct insn *insn, bool equal)
{
    return insn->prefixes & PREFIX_REP ? !equal : insn->prefixes & PREFIX_REPNE ? equal : false;
}

/* Equal bytes at the start of two runs, in whole groups of eight. */
static u64 equal_prefix(const u8 *a, const u8 *b, u64 bytes)
{
    u64 i = 0;

    while (i + 8 <= bytes && load_le64(a + i) == load_le64(b + i))
        i += 8;
    return i;
}

static u64 bulk_cmps(struct cpu *cpu, const struct insn *insn, enum width w, u64 budget, struct comparison *c)
{
    laddr_t source, target;
    u64 i = 0, n = bulk_elements(cpu, insn, (enum seg)insn->seg, string_offset(cpu, insn, RSI), w, cpu->d.seg_flat_read,
                                 &source);
    const u8 *a, *b;

    if (n == 0)
        return 0;
    n = minimum(n, bulk_elements(cpu, insn, ES, string_offset(cpu, insn, RDI), w, cpu->d.seg_flat_read, &target));
    n = minimum(n, budget);
    if (n < 2)
        return 0;
    a = run_read(cpu, source, n, w);
    b = run_read(cpu, target, n, w);
    if (a == NULL || b == NULL)
        return 0;
    if ((insn->prefixes & PREFIX_REP) && !goes_down(cpu)) {
        i = equal_prefix(a, b, n << w) >> w;
        if (i == n)
            i--;
    }
    do {
        c->a = run_element(cpu, a, n, i, w);
        c->b = run_element(cpu, b, n, i, w);
        c->stop = comparison_ends(insn, c->a == c->b);
    } while (++i < n && !c->stop);
    return i;
}

static u64 bulk_scas(struct cpu *cpu, const struct insn *insn, enum width w, u64 budget, struct comparison *c)
{
    laddr_t target;
    u64 i = 0,
        n = minimum(bulk_elements(cpu, insn, ES, string_offset(cpu, insn, RDI), w, cpu->d.seg_flat_read, &target),
                    budget);
    const u8 *b;

    if (n < 2)
        return 0;
    b = run_read(cpu, target, n, w);
    if (b == NULL)
        return 0;
    if (w == W8 && !(insn->prefixes & PREFIX_REP) && !goes_down(cpu)) {
        const u8 *found = memchr(b, (int)c->a, n);

        i = found != NULL ? (u64)(found - b) : n - 1;
    }
    do {
        c->b = run_element(cpu, b, n, i, w);
        c->stop = comparison_ends(insn, c->a == c->b);
    } while (++i < n && !c->stop);
    return i;
}

/* ---- bodies */

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
        u64 n = may_bulk(cpu, &rep) ? bulk_lods(cpu, insn, w, rep_budget(cpu, &rep)) : 0;

        if (n == 0) {
            reg_write(cpu, RAX, mem_read(cpu, (enum seg)insn->seg, string_offset(cpu, insn, RSI), w), w);
            n = 1;
        }
        rep_advance(cpu, insn, RSI, n << w);
        rep_commit(cpu, &rep, n);
    } while (rep_more(cpu, &rep));
    rep_end(cpu, &rep, false);
}

/* The manuals do not say which operand is read first. AMD's processors begin with ES:rDI.
 * UNVERIFIED: those of Intel. */
ALWAYS_INLINE void compare_read(struct cpu *cpu, const struct insn *insn, enum width w, struct comparison *c)
{
    if (cpu_is_amd(cpu))
        c->b = mem_read(cpu, ES, string_offset(cpu, insn, RDI), w);
    c->a = mem_read(cpu, (enum seg)insn->seg, string_offset(cpu, insn, RSI), w);
    if (!cpu_is_amd(cpu))
        c->b = mem_read(cpu, ES, string_offset(cpu, insn, RDI), w);
}

/* The flags of a comparison. A fault or an interrupt between iterations finds those of the last one on AMD's processors,
 * and those before the instruction on Intel's, as its manual says. */
ALWAYS_INLINE void compare_flags(struct cpu *cpu, enum width w, const struct comparison *c, bool complete)
{
    if (!complete)
        COVER(cpu, RULE_ST_01, cpu_is_amd(cpu));
    if (complete || cpu_is_amd(cpu))
        flags_sub(cpu, w, c->a, c->b, c->a - c->b);
}

STRING_BODY(op_cmps)
{
    struct comparison c = {0};
    struct rep rep;

    if (!rep_begin(cpu, insn, &rep))
        return;
    do {
        u64 n = may_bulk(cpu, &rep) ? bulk_cmps(cpu, insn, w, rep_budget(cpu, &rep), &c) : 0;

        if (n == 0) {
            compare_read(cpu, insn, w, &c);
            c.stop = comparison_ends(insn, c.a == c.b);
            n = 1;
        }
        rep_advance(cpu, insn, RSI, n << w);
        rep_advance(cpu, insn, RDI, n << w);
        rep_commit(cpu, &rep, n);
        compare_flags(cpu, w, &c, c.stop || rep.left == 0);
    } while (!c.stop && rep_more(cpu, &rep));
    rep_end(cpu, &rep, c.stop);
}

STRING_BODY(op_scas)
{
    struct comparison c = {.a = reg_read(cpu, RAX, w)};
    struct rep rep;

    if (!rep_begin(cpu, insn, &rep))
        return;
    do {
        u64 n = may_bulk(cpu, &rep) ? bulk_scas(cpu, insn, w, rep_budget(cpu, &rep), &c) : 0;

        if (n == 0) {
            c.b = mem_read(cpu, ES, string_offset(cpu, insn, RDI), w);
            c.stop = comparison_ends(insn, c.a == c.b);
            n = 1;
        }
        rep_advance(cpu, insn, RDI, n << w);
        rep_commit(cpu, &rep, n);
        compare_flags(cpu, w, &c, c.stop || rep.left == 0);
    } while (!c.stop && rep_more(cpu, &rep));
    rep_end(cpu, &rep, c.stop);
}
