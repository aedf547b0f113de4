/* SPDX-License-Identifier: MIT
 * The page that explains a chain of faults.
 */
#include "trace/fault/page.h"

#include "cpu/rule.h"
#include "trace/descriptor_words.h"
#include "trace/disassemble.h"
#include "trace/words.h"

typedef unsigned long long ull;

#define STACK_WORDS 8u
#define STACK_RETURNS 24u
#define BACKTRACE_MAX 64u
#define PAGE_WIDTH 110u
#define LABEL_WIDTH 15u

void fault_page_label(FILE *out, const char *label) { fprintf(out, "     %-9s ", label); }

void fault_page_symbol(FILE *out, const struct names *names, u64 address)
{
    char symbol[160];

    if (names != NULL && names_format(names, address, symbol, sizeof symbol))
        fprintf(out, "  %s", symbol);
}

/* Text broken into lines at spaces. in: column  where it begins; it goes on at indent */
static void print_wrapped(FILE *out, unsigned column, unsigned indent, const char *text)
{
    bool first = true;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");

        if (!first && column + 1 + word > PAGE_WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)word, text);
        column += (unsigned)word;
        text += word;
        text += strspn(text, " ");
        first = false;
    }
    fputc('\n', out);
}

/* ---- one fault */

static const char *vector_text(unsigned vector)
{
    static const char *const texts[] = {
        [VEC_DE] = "divide error",
        [VEC_DB] = "debug exception",
        [VEC_NMI] = "non-maskable interrupt",
        [VEC_BP] = "breakpoint",
        [VEC_OF] = "overflow",
        [VEC_BR] = "bound range exceeded",
        [VEC_UD] = "invalid opcode",
        [VEC_NM] = "device not available",
        [VEC_DF] = "double fault",
        [VEC_TS] = "invalid TSS",
        [VEC_NP] = "segment not present",
        [VEC_SS] = "stack fault",
        [VEC_GP] = "general protection",
        [VEC_PF] = "page fault",
        [VEC_MF] = "x87 error",
        [VEC_AC] = "alignment check",
        [VEC_MC] = "machine check",
        [VEC_XM] = "SIMD error",
        [VEC_VE] = "virtualization",
        [VEC_CP] = "control protection",
    };

    return vector < ARRAY_LEN(texts) && texts[vector] != NULL ? texts[vector] : "interrupt";
}

static void print_vector(FILE *out, unsigned vector)
{
    const char *name = event_vector_name(vector);

    if (name != NULL)
        fputs(name, out);
    else
        fprintf(out, "vector %02x", vector);
}

static void print_rule(FILE *out, unsigned rule)
{
    char text[600];

    if (rule == RULE_NONE || rule >= RULES)
        return;
    snprintf(text, sizeof text, "%s, %s: %s (%s)", rule_name((enum rule)rule), rule_subject((enum rule)rule),
             rule_text((enum rule)rule), rule_source((enum rule)rule));
    fault_page_label(out, "rule");
    print_wrapped(out, LABEL_WIDTH, LABEL_WIDTH, text);
}

static void print_instruction(FILE *out, const struct fault_step *step, const struct names *names)
{
    const struct ring_state *from = &step->site.from;
    const struct fault_piece *code = fault_step_piece(step, DATA_CODE);
    char text[160];
    unsigned length;

    fprintf(out, "  at  ");
    words_address(out, from->cs, from->rip, from->mode);
    fault_page_symbol(out, names, from->rip);
    fprintf(out, ", %s, %s code\n", words_ring(from->cpl), event_mode_name(from->mode));
    if (code == NULL) {
        fprintf(out, "      (its bytes cannot be read)\n");
        return;
    }
    length = disassemble(text, sizeof text, code->bytes, code->size, code->address, (enum cpu_mode)from->mode);
    fputs("      ", out);
    for (unsigned i = 0; i < (length ? length : code->size) && i < 15; i++)
        fprintf(out, "%02x ", code->bytes[i]);
    fprintf(out, "  %s\n", length ? text : "(no whole instruction)");
}

static const char *walk_end_text(unsigned end)
{
    static const char *const texts[WALK_ENDS] = {
        [WALK_MAPPED] = "the page is mapped and allows this (it may have been mapped since)",
        [WALK_UNPAGED] = "paging is off",
        [WALK_ABSENT] = "not present: the walk ends here",
        [WALK_RESERVED] = "reserved bits are set",
        [WALK_SUPERVISOR] = "for the supervisor only",
        [WALK_READ_ONLY] = "read-only",
        [WALK_NO_EXECUTE] = "no execute",
        [WALK_SMEP] = "a user page, and SMEP forbids the supervisor to fetch from it",
        [WALK_SMAP] = "a user page, and SMAP forbids the supervisor to access it",
    };

    return end < WALK_ENDS ? texts[end] : "?";
}

void fault_page_walk(FILE *out, const struct fault_step *step)
{
    const struct fault_piece *p = fault_step_piece(step, DATA_WALK);
    struct fault_walk w;

    if (p == NULL || p->size != sizeof w)
        return;
    memcpy(&w, p->bytes, sizeof w);
    for (unsigned i = 0; i < w.levels && i < WALK_MAX_LEVELS; i++) {
        fault_page_label(out, i == 0 ? "walk" : "");
        fprintf(out, "%-6s", walk_level_name(w.level[i].level));
        if (w.level[i].flags & FAULT_WALK_REGISTER)
            fprintf(out, "in the processor:   ");
        else
            fprintf(out, "at %016llx ", (ull)w.level[i].paddr);
        fprintf(out, " %0*llx  ", w.level[i].bytes == 4 ? 8 : 16, (ull)w.level[i].entry);
        if (w.level[i].flags & FAULT_WALK_NO_MEMORY)
            fputs("no memory there; read as ones", out);
        else
            words_paging_entry(out, w.level[i].entry, w.level[i].level, w.level[i].flags & FAULT_WALK_LEAF,
                               w.paging_levels);
        if (i == w.blamed && w.end != WALK_MAPPED)
            fprintf(out, "  <- %s", walk_end_text(w.end));
        if (i == w.blamed && w.end == WALK_RESERVED)
            fprintf(out, ": %llx", (ull)w.reserved_bits);
        fputc('\n', out);
    }
    if (w.end == WALK_MAPPED || w.end == WALK_UNPAGED) {
        fault_page_label(out, w.levels == 0 ? "walk" : "");
        fprintf(out, "%s\n", walk_end_text(w.end));
    }
}

/* ---- between two faults: what they became together */

/* What became of the fault at i, whose delivery raised the one at i + 1. */
static void print_nesting(FILE *out, const struct fault_chain *chain, unsigned i)
{
    unsigned first = chain->step[i].site.vector, second = chain->step[i + 1].site.vector;
    bool joined = fault_chain_fate(chain, i + 1) == FATE_JOINED;
    enum rule rule = !joined ? (second == VEC_PF && first >= VEC_TS && first <= VEC_GP ? RULE_NX_02 : RULE_NX_03)
                     : first == VEC_DF                    ? RULE_NX_04
                     : first == VEC_PF || first == VEC_VE ? RULE_NX_02
                                                          : RULE_NX_01;
    char text[400];

    fault_page_label(out, "so");
    print_vector(out, second);
    fputs(" while ", out);
    print_vector(out, first);
    fprintf(out, " was delivered: %s.\n",
            !joined           ? "it is handled in its own turn"
            : first == VEC_DF ? "the processor shuts down"
                              : "this makes a double fault");
    fault_page_label(out, "");
    snprintf(text, sizeof text, "(%s: %s)", rule_name(rule), rule_text(rule));
    print_wrapped(out, LABEL_WIDTH, LABEL_WIDTH, text);
}

/* ---- a step of the chain */

static void print_fault(FILE *out, const struct fault_chain *chain, unsigned i, const struct names *names)
{
    const struct fault_step *step = &chain->step[i];
    const struct fault_site *site = &step->site;
    bool fails = fault_chain_fate(chain, i) == FATE_FAILED;
    /* The next step, when it is what this one's delivery raised. */
    const struct fault_site *raised = fails && i + 1 < chain->steps ? &chain->step[i + 1].site : NULL;
    struct fault_registers r;
    bool known = fault_step_registers(step, &r);

    fprintf(out, "\n  %llu  ", (ull)(chain->forgotten + i + 1));
    print_vector(out, site->vector);
    if (site->has_error)
        fprintf(out, "(%04x)", site->error);
    fprintf(out, ", %s", vector_text(site->vector));
    if (site->has_error)
        words_error_code(out, ": ", site->vector, site->error);
    fputc('\n', out);
    if (site->vector != VEC_DF) /* a double fault carries the rule of the fault that made it */
        print_rule(out, site->rule);
    if (site->vector == VEC_PF) {
        fault_page_label(out, "cr2");
        fprintf(out, "%0*llx", site->from.mode == MODE_LONG ? 16 : 8, (ull)site->cr2);
        fault_page_symbol(out, names, site->cr2);
        if (site->cr2 == site->from.rip && !(site->error & PF_I))
            fputs("  (RIP itself: the read is a fetch)", out);
        fputc('\n', out);
        fault_page_walk(out, step);
    }
    if (known)
        fault_page_named(out, chain, i, &r);
    if (i > 0 && fault_chain_fate(chain, i - 1) == FATE_FAILED)
        print_nesting(out, chain, i - 1);
    if (known && fails)
        fault_page_delivery(out, step, &r, raised, names);
}

/* ---- the processor */

static void print_general(FILE *out, const struct fault_registers *r, const struct names *names)
{
    static const char *const order[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    bool wide = (r->efer & EFER_LMA) != 0;
    int digits = wide ? 16 : 8;

    fprintf(out, "\n  registers\n");
    for (unsigned i = 0; i < (wide ? 16u : 8u); i++) {
        char name[8];

        if (i < 8)
            snprintf(name, sizeof name, "%c%s", wide ? 'r' : 'e', order[i]);
        else
            snprintf(name, sizeof name, "r%u", i);
        fprintf(out, "%s%-3s %0*llx%s", i % 4 == 0 ? "     " : "  ", name, digits, (ull)r->gpr[i],
                i % 4 == 3 ? "\n" : "");
    }
    fprintf(out, "     %s %0*llx", wide ? "rip" : "eip", digits, (ull)r->rip);
    fault_page_symbol(out, names, r->rip);
    fprintf(out, "\n     %cflags %llx ", wide ? 'r' : 'e', (ull)r->rflags);
    words_flags(out, r->rflags);
    fprintf(out, "\n     cr0 %llx  cr2 %llx  cr3 %llx  cr4 %llx  efer %llx\n", (ull)r->cr0, (ull)r->cr2, (ull)r->cr3,
            (ull)r->cr4, (ull)r->efer);
}

static void print_segments(FILE *out, const struct fault_registers *r)
{
    static const char *const names[] = {"es", "cs", "ss", "ds", "fs", "gs"};

    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        const struct fault_segment *s = &r->seg[i];

        fprintf(out, "%s%s %04x base %llx limit %x%s", i % 3 == 0 ? "     " : "   ", names[i], s->selector,
                (ull)s->base, s->limit, i % 3 == 2 ? "\n" : "");
    }
    fprintf(out, "     gdtr %llx:%x   idtr %llx:%x   ldtr %04x   tr %04x base %llx limit %x\n", (ull)r->gdtr_base,
            r->gdtr_limit, (ull)r->idtr_base, r->idtr_limit, r->ldtr.selector, r->tr.selector, (ull)r->tr.base,
            r->tr.limit);
}

/* More than the instruction itself was found of who called. */
static bool has_callers(const struct fault_step *step)
{
    const struct fault_piece *p = fault_step_piece(step, DATA_BACKTRACE);

    return p != NULL && p->size > 8;
}

static void print_backtrace(FILE *out, const struct fault_step *step, const struct names *names)
{
    const struct fault_piece *p = fault_step_piece(step, DATA_BACKTRACE);

    if (p == NULL)
        return;
    fprintf(out, "\n  backtrace\n");
    for (unsigned i = 0; i < p->size / 8 && i < BACKTRACE_MAX; i++) {
        u64 address = load_le64(p->bytes + i * 8);

        fprintf(out, "     %0*llx", step->site.from.mode == MODE_LONG ? 16 : 8, (ull)address);
        fault_page_symbol(out, names, address);
        fputc('\n', out);
    }
}

/* The stack as the fault found it: its first words, and what may be return addresses above. */
struct stack_view {
    const struct fault_step *step;
    unsigned bytes; /* of a word */
    u64 base, sp, mask;
};

static bool stack_word(const struct stack_view *s, unsigned i, u64 *at, u64 *value)
{
    struct retrace_memory memory = fault_step_memory(s->step);
    u8 word[8] = {0};

    *at = (s->sp + i * s->bytes) & s->mask;
    if (!memory.read(memory.context, DATA_STACK, s->base + *at, word, s->bytes))
        return false;
    *value = load_le64(word);
    return true;
}

static void print_word(FILE *out, const struct stack_view *s, u64 at, u64 value, const struct names *names)
{
    int digits = (int)s->bytes * 2;

    fprintf(out, "     %0*llx  %0*llx", digits, (ull)at, digits, (ull)value);
    fault_page_symbol(out, names, value);
    fputc('\n', out);
}

/* An address behind a call lies inside a function, never at its start. */
static bool may_return_to(const struct names *names, u64 value)
{
    u64 offset;

    return names_lookup(names, value, &offset, NULL) != NULL && offset != 0;
}

static void print_stack(FILE *out, const struct fault_step *step, const struct fault_registers *r,
                        const struct names *names)
{
    unsigned bytes = r->mode == MODE_LONG ? 8 : r->seg[SS].attr & SEG_DB ? 4 : 2, shown = 0;
    u64 mask = bytes == 8 ? ~0ull : bytes == 4 ? 0xFFFFFFFF : 0xFFFF, at, value;
    struct stack_view s = {step, bytes, bytes == 8 ? 0 : r->seg[SS].base, r->gpr[RSP] & mask, mask};
    unsigned i = 0;

    fprintf(out, "\n  stack, from its pointer upwards\n");
    for (; i < STACK_WORDS && stack_word(&s, i, &at, &value); i++)
        print_word(out, &s, at, value, names);
    if (i == 0)
        fprintf(out, "     %llx: cannot be read\n", (ull)s.sp);
    if (names == NULL || i < STACK_WORDS || has_callers(step))
        return;
    for (; shown < STACK_RETURNS && stack_word(&s, i, &at, &value); i++) {
        if (!may_return_to(names, value))
            continue;
        if (shown++ == 0)
            fprintf(out, "   further up, words that may be return addresses, some of them old\n");
        print_word(out, &s, at, value, names);
    }
}

void fault_page_print(FILE *out, const struct fault_chain *chain, const struct names *names, enum fault_page_end end)
{
    const struct fault_step *last;
    struct fault_registers r;

    if (chain->steps == 0)
        return;
    last = &chain->step[chain->steps - 1];
    fprintf(out, "%s, at tick %llu. The faults in order:\n\n",
            end == FAULT_PAGE_SHUTDOWN ? "Shutdown (triple fault)" : "Double fault", (ull)last->tick);
    print_instruction(out, last, names);
    if (chain->forgotten)
        fprintf(out, "\n  (%llu faults before these were not kept)\n", (ull)chain->forgotten);
    for (unsigned i = 0; i < chain->steps; i++) {
        print_fault(out, chain, i, names);
        if (i + 1 < chain->steps && fault_chain_fate(chain, i) == FATE_FAILED)
            fprintf(out, "     its delivery raised:\n");
    }
    print_backtrace(out, last, names);
    if (fault_step_registers(last, &r)) {
        print_stack(out, last, &r, names);
        print_general(out, &r, names);
        print_segments(out, &r);
    }
}
