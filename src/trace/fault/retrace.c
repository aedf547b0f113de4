/* SPDX-License-Identifier: MIT
 * The delivery of an event retraced over registers and memory: gate, target, stack, frame.
 */
#include "trace/fault/retrace.h"

#define FLAT32 0xFFFFFFFFull
#define FRAME_ALIGNMENT 16u

static bool long_mode(const struct fault_registers *r) { return (r->efer & EFER_LMA) != 0; }

static u64 wrap(const struct fault_registers *r, u64 laddr) { return long_mode(r) ? laddr : laddr & FLAT32; }

static bool read_entry(struct retrace_entry *e, enum data_kind kind, const struct retrace_memory *memory)
{
    u8 bytes[16] = {0};

    e->known = e->in_table && memory->read(memory->context, kind, e->address, bytes, e->bytes);
    if (e->known)
        e->d = e->bytes == 16 ? descriptor_parse_wide(load_le64(bytes), load_le64(bytes + 8))
                              : descriptor_parse(load_le64(bytes));
    return e->known;
}

struct retrace_entry retrace_gate(const struct fault_registers *r, unsigned vector, const struct retrace_memory *memory)
{
    struct retrace_entry e = {.asked = true};
    u32 offset;

    e.bytes = r->mode == MODE_REAL ? 4 : long_mode(r) ? 16 : 8;
    offset = vector * e.bytes;
    e.address = wrap(r, r->idtr_base + offset);
    e.in_table = offset + e.bytes - 1 <= r->idtr_limit;
    read_entry(&e, DATA_GATE, memory);
    return e;
}

struct retrace_entry retrace_descriptor(const struct fault_registers *r, u16 selector,
                                        const struct retrace_memory *memory)
{
    bool local = (selector & SELECTOR_TI) != 0;
    u32 index = selector & 0xFFF8u, limit = local ? r->ldtr.limit : r->gdtr_limit;
    struct retrace_entry e = {.asked = true, .selector = selector, .bytes = 8}, wide;

    e.address = wrap(r, (local ? r->ldtr.base : r->gdtr_base) + index);
    e.in_table = index + 7 <= limit && !(local && (r->ldtr.attr & SEG_UNUSABLE));
    if (!read_entry(&e, DATA_DESCRIPTOR, memory) || e.d.code_or_data || !long_mode(r) || e.d.type == 0)
        return e;
    wide = e; /* a system descriptor of long mode, of 16 bytes where the table has them */
    wide.bytes = 16;
    wide.in_table = index + 15 <= limit;
    return read_entry(&wide, DATA_DESCRIPTOR, memory) ? wide : e;
}

/* What a gate's type says in this mode. returns: false for what is no gate here */
static bool gate_form(const struct fault_registers *r, const struct descriptor *gate, enum gate_kind *kind,
                      u8 *word_bytes)
{
    bool wide = long_mode(r);

    if (gate->code_or_data)
        return false;
    *word_bytes = wide ? 8 : gate->type < SYS_TSS ? 2 : 4;
    switch (gate->type) {
    case SYS_TASK_GATE: *kind = wide ? GATE_NONE : GATE_TASK; break;
    case SYS_INTERRUPT_GATE16: *kind = wide ? GATE_NONE : GATE_INTERRUPT16; break;
    case SYS_TRAP_GATE16: *kind = wide ? GATE_NONE : GATE_TRAP16; break;
    case SYS_INTERRUPT_GATE: *kind = wide ? GATE_INTERRUPT64 : GATE_INTERRUPT32; break;
    case SYS_TRAP_GATE: *kind = wide ? GATE_TRAP64 : GATE_TRAP32; break;
    default: *kind = GATE_NONE; break;
    }
    return *kind != GATE_NONE;
}

/* Bytes of the TSS, whose limit counts. */
static bool read_tss(struct retrace *t, const struct fault_registers *r, u32 offset, u8 bytes, u8 *out,
                     const struct retrace_memory *memory)
{
    t->tss_asked = true;
    t->tss_address = wrap(r, r->tr.base + offset);
    t->tss_bytes = bytes;
    t->tss_inside = !(r->tr.attr & SEG_UNUSABLE) && offset + bytes - 1 <= r->tr.limit;
    t->tss_known = t->tss_inside && memory->read(memory->context, DATA_TSS, t->tss_address, out, bytes);
    return t->tss_known;
}

/* IST, then RSP of the inner ring, then the present one. */
static bool long_stack(struct retrace *t, const struct fault_registers *r, bool inner,
                       const struct retrace_memory *memory)
{
    u8 bytes[8];

    t->sp = r->gpr[RSP];
    t->ist = t->gate.d.ist;
    if (t->ist != 0) {
        t->stack_source = STACK_IST;
        if (!read_tss(t, r, (t->ist - 1u) * 8 + 0x24, 8, bytes, memory))
            return false;
        t->sp = load_le64(bytes);
    } else if (inner) {
        t->stack_source = STACK_TSS_RSP;
        if (!read_tss(t, r, t->new_cpl * 8u + 4, 8, bytes, memory))
            return false;
        t->sp = load_le64(bytes);
    }
    t->sp &= ~(u64)(FRAME_ALIGNMENT - 1);
    t->stack = t->sp;
    return true;
}

static bool segmented_stack(struct retrace *t, const struct fault_registers *r, bool inner,
                            const struct retrace_memory *memory)
{
    const struct fault_segment *ss = &r->seg[SS];
    u64 base = ss->base;
    bool big = (ss->attr & SEG_DB) != 0, wide_tss = (r->tr.attr & SEG_TYPE) >= SYS_TSS;
    u8 bytes[8];

    t->sp = r->gpr[RSP];
    if (inner) {
        t->stack_source = STACK_TSS_SS_ESP;
        if (!read_tss(t, r, wide_tss ? t->new_cpl * 8u + 4 : t->new_cpl * 4u + 2, wide_tss ? 8 : 4, bytes, memory))
            return false;
        t->sp = wide_tss ? load_le32(bytes) : load_le16(bytes);
        t->stack_segment = retrace_descriptor(r, load_le16(bytes + (wide_tss ? 4 : 2)), memory);
        if (selector_is_null(t->stack_segment.selector) || !t->stack_segment.known)
            return false;
        base = t->stack_segment.d.base;
        big = (t->stack_segment.d.attr & SEG_DB) != 0;
    }
    t->sp &= big ? FLAT32 : 0xFFFF;
    t->stack = (base + t->sp) & FLAT32;
    return true;
}

static void add_word(struct retrace *t, const char *name, u64 value)
{
    u64 mask = t->word_bytes == 8 ? ~0ull : (1ull << (8 * t->word_bytes)) - 1;

    t->word_name[t->words] = name;
    t->word[t->words++] = value & mask;
}

/* The words that are pushed, from the lowest address. */
static void frame_words(struct retrace *t, const struct fault_registers *r, bool has_error, u32 error, bool outer)
{
    static const struct {
        enum seg seg;
        const char *name;
    } data[] = {{ES, "ES"}, {DS, "DS"}, {FS, "FS"}, {GS, "GS"}};

    if (has_error && t->kind != GATE_IVT)
        add_word(t, "error code", error);
    add_word(t, "RIP", r->rip);
    add_word(t, "CS", r->seg[CS].selector);
    add_word(t, "RFLAGS", r->rflags);
    if (outer) {
        add_word(t, "RSP", r->gpr[RSP]);
        add_word(t, "SS", r->seg[SS].selector);
    }
    for (unsigned i = 0; r->mode == MODE_VM86 && i < ARRAY_LEN(data); i++)
        add_word(t, data[i].name, r->seg[data[i].seg].selector);
    t->frame = wrap(r, t->stack - (u64)t->words * t->word_bytes);
}

static void retrace_real(struct retrace *t, const struct fault_registers *r)
{
    t->kind = GATE_IVT;
    t->word_bytes = 2;
    t->sp = r->gpr[RSP] & 0xFFFF;
    t->stack = r->seg[SS].base + t->sp;
    t->stack_known = true;
    frame_words(t, r, false, 0, false);
}

/* The IVT entry is an address, no descriptor. */
static void parse_ivt(struct retrace_entry *gate)
{
    u64 raw = gate->d.raw & FLAT32;

    gate->d = (struct descriptor){.raw = raw, .selector = (u16)(raw >> 16), .offset = raw & 0xFFFF};
}

struct retrace retrace_delivery(const struct fault_registers *r, unsigned vector, bool has_error, u32 error,
                                const struct retrace_memory *memory)
{
    struct retrace t = {.gate = retrace_gate(r, vector, memory), .new_cpl = r->ring};
    bool inner;

    if (r->mode == MODE_REAL) {
        parse_ivt(&t.gate);
        retrace_real(&t, r);
        return t;
    }
    if (!t.gate.known || !gate_form(r, &t.gate.d, &t.kind, &t.word_bytes) || selector_is_null(t.gate.d.selector))
        return t;
    t.target = retrace_descriptor(r, t.gate.d.selector, memory);
    if (!t.target.known || t.kind == GATE_TASK || !descriptor_is_code(&t.target.d))
        return t;
    inner = !descriptor_is_conforming(&t.target.d) && t.target.d.dpl < r->ring; /* ID-08 */
    if (inner)
        t.new_cpl = t.target.d.dpl;
    t.stack_known = long_mode(r) ? long_stack(&t, r, inner, memory) : segmented_stack(&t, r, inner, memory);
    if (t.stack_known)
        frame_words(&t, r, has_error, error, inner || long_mode(r));
    return t;
}
