/* SPDX-License-Identifier: MIT
 * make_cases 32|64 intel|amd FILE: the rule cases that another emulator can be asked, as guest/main.c reads them.
 *
 * A case is run here first; where it ends is where the image lays a trap: a CALL at privilege level 0, an INT
 * elsewhere. Its expected state is the one that the case pins (rule_run compares everything), as far as software can
 * see it. Cases that no software can prepare or look at are left out: can_be_asked() and can_be_seen() say which.
 */
#include <stdlib.h>
#include <string.h>

#include "conform/rules/preset_tables.h"
#include "conform/rules/rule_run.h"
#include "cpu/flags.h"
#include "cpu/ring/descriptor.h"
#define MATRIX_HOST
#include "case.h"

#define STEPS_MAX 16u

static const struct rule_theme *const themes[] = {
#define X(name) &theme_##name,
    RULE_THEMES(X)
#undef X
};

struct making {
    FILE *out;
    bool bits64;
    enum cpu_vendor vendor;
    u8 base[MATRIX_PRESETS][MATRIX_CASE_END]; /* each preset's memory, landing places laid out */
    bool used[MATRIX_PRESETS];
    u32 cases, left_out;
    /* ---- the case under way */
    const struct rule_case *rc;
    struct matrix_state before, after;
    u8 memory_before[MATRIX_CASE_END], memory_after[MATRIX_CASE_END];
    u64 stepped[STEPS_MAX]; /* linear addresses of what was executed */
    unsigned steps;
    u64 code_at;
    bool asked, seen;
    u8 cpl_after;
    bool call;   /* the trap is a CALL */
    u64 landing; /* linear */
};

/* ---- states */

static void read_state(struct cpu *cpu, struct matrix_state *s)
{
    const struct cpu_arch *a = &cpu->arch;

    memset(s, 0, sizeof *s);
    memcpy(s->gpr, a->gpr, sizeof s->gpr);
    s->rip = a->rip;
    s->rflags = flags_get(cpu);
    s->cr0 = a->cr0;
    s->cr2 = a->cr2;
    s->cr3 = a->cr3;
    s->cr4 = a->cr4;
    s->efer = a->msr.efer;
    s->star = a->msr.star;
    s->lstar = a->msr.lstar;
    s->cstar = a->msr.cstar;
    s->fmask = a->msr.fmask;
    s->sysenter_cs = a->msr.sysenter_cs;
    s->sysenter_esp = a->msr.sysenter_esp;
    s->sysenter_eip = a->msr.sysenter_eip;
    s->fs_base = a->seg[FS].base;
    s->gs_base = a->seg[GS].base;
    s->kernel_gs_base = a->msr.kernel_gs_base;
    s->dr0 = a->dr[0];
    s->dr1 = a->dr[1];
    s->dr6 = a->dr[6];
    s->dr7 = a->dr[7];
    s->gdt_base = a->gdtr.base;
    s->gdt_limit = a->gdtr.limit;
    s->idt_base = a->idtr.base;
    s->idt_limit = a->idtr.limit;
    s->es = a->seg[ES].selector;
    s->cs = a->seg[CS].selector;
    s->ss = a->seg[SS].selector;
    s->ds = a->seg[DS].selector;
    s->fs = a->seg[FS].selector;
    s->gs = a->seg[GS].selector;
    s->ldtr = a->ldtr.selector;
    s->tr = a->tr.selector;
}

static u64 linear_rip(const struct cpu *cpu)
{
    return cpu->arch.rip + (cpu->d.mode == MODE_LONG ? 0 : cpu->arch.seg[CS].base);
}

/* ---- what is the same in every machine */

static bool reads_port(const struct rule_case *rc)
{
    u8 opcode = rc->code_size != 0 ? rc->code[0] : 0;

    return (opcode & 0xF6) == 0xE4 || (opcode & 0xFE) == 0x6C; /* IN: E4, E5, EC, ED; INS */
}

/* A feature of few processors. */
static bool is_invpcid(const struct rule_case *rc)
{
    static const u8 invpcid[] = {0x66, 0x0F, 0x38, 0x82};

    return rc->code_size >= sizeof invpcid && memcmp(rc->code, invpcid, sizeof invpcid) == 0;
}

/* Cases that ask for what a board or a model answers: the clock, a port, the local APIC, what XCR0 and FXSAVE hold. */
static bool is_about_the_board(const struct rule_case *rc)
{
    static const enum rule list[] = {RULE_A20_01, RULE_MSR_07, RULE_IS_14,  RULE_IS_10,
                                     RULE_MM_04,  RULE_XC_01,  RULE_MSR_09, RULE_MSR_10};

    for (unsigned i = 0; i < ARRAY_LEN(list); i++)
        if (rc->rule == list[i])
            return true;
    if (is_invpcid(rc))
        return true;
    return reads_port(rc) && (rc->rule == RULE_DB_08 || !(rc->flags & CASE_FAULTS));
}

/* ---- what software can prepare */

static bool patches_can_be_made(const struct rule_case *rc)
{
    for (const struct patch *p = rc->setup; p != NULL && p->kind != PATCH_NONE; p++)
        if ((p->kind == PATCH_PAGE && p->where / PAGE_SIZE == AT_GDT / PAGE_SIZE) || p->kind == PATCH_FEATURE ||
            p->kind == PATCH_A20 || p->kind == PATCH_LATER || p->kind == PATCH_SEGMENT)
            return false;
    return true;
}

/* A segment register holds what loading its selector from the tables, as they are now, would put there. */
static bool is_loaded(struct preset_machine *m, enum seg s)
{
    const struct segment *have = &m->cpu->arch.seg[s];
    struct segment want;
    struct descriptor d;

    if (m->cpu->d.mode == MODE_VM86)
        return have->base == (u64)have->selector << 4 && have->limit == 0xFFFF;
    if ((have->selector & 0xFFFC) == 0)
        return s != CS && (have->attr & SEG_UNUSABLE);
    d = descriptor_parse(
        preset_read(m, (have->selector & SELECTOR_TI ? AT_LDT : AT_GDT) + (have->selector & 0xFFF8u), 8));
    want = descriptor_segment(&d, have->selector);
    if (m->cpu->arch.msr.efer & EFER_LMA)
        want.base = s == FS || s == GS ? have->base : want.base;
    return d.present && want.attr == have->attr && want.limit == have->limit && want.base == have->base;
}

/* returns: offset of the last byte of the trap's gate */
static u16 trap_gate_end(const struct cpu_arch *a)
{
    return (MATRIX_VECTOR + 1) * (a->msr.efer & EFER_LMA ? 16 : 8) - 1;
}

static bool can_be_asked(struct preset_machine *m, const struct rule_case *rc)
{
    const struct cpu_arch *a = &m->cpu->arch;

    if (is_about_the_board(rc) || !patches_can_be_made(rc) || (a->dr[7] & DR7_GD) || m->irq != NO_IRQ ||
        m->task_priority != 0)
        return false;
    if (a->shadow || a->nmi_pending || a->nmi_blocked || a->init_pending || a->smi_pending || a->pending_debug ||
        a->activity != ACTIVE || a->x87_status != 0 || a->xcr0 != 1 || a->mxcsr != 0x1F80 || a->msr.tsc_aux != 0)
        return false;
    for (enum seg s = ES; s <= GS; s++)
        if (!is_loaded(m, s))
            return false;
    if (a->cpl != 3 && m->cpu->d.mode != MODE_VM86 && (a->seg[CS].selector & 3) != a->cpl)
        return false;
    /* The image's own way in: its trap's gate, and the task register and tables as the presets have them. */
    return a->gdtr.base == AT_GDT && a->gdtr.limit == GDT_END - 1 && a->idtr.base == AT_IDT &&
           a->idtr.limit >= trap_gate_end(a) && a->tr.base == AT_TSS && a->tr.selector == TSS && a->tr.attr == 0x8B &&
           a->tr.limit == TSS_LIMIT && a->ldtr.selector == LDT && a->ldtr.base == AT_LDT &&
           linear_rip(m->cpu) < HIGH_PAGE;
}

/* ---- what software can see */

/* The manuals do not say what comes out, or not all of it: some bits of something, or a general register. What else a
 * case does not compare follows from its way in. */
static bool leaves_open(const struct rule_case *rc)
{
    if (rc->flags & CASE_UNPINNED)
        return true;
    for (const struct expectation *e = rc->expect; e != NULL && e->kind != EXPECT_NONE; e++)
        if (e->kind == EXPECT_ANY && (e->value != ~0ull || (e->where <= L_R15 && e->where != L_RSP)))
            return true;
    return false;
}

static bool can_fetch(struct cpu *cpu, u64 at)
{
    enum access_view view = cpu->arch.cpl == 3 ? VIEW_USER : VIEW_SUPERVISOR;

    return !(cpu->arch.cr0 & CR0_PG) || page_walk(cpu->physmem, &cpu->mmu.mode, at, ACCESS_EXECUTE, view).ok;
}

/* The trap comes back to level 0, and a debug trap would come before it. */
static bool can_be_seen(const struct making *k, struct preset_machine *m)
{
    const struct rule_case *rc = k->rc;
    bool bits64 = k->bits64;
    const struct cpu_arch *a = &m->cpu->arch;

    if (leaves_open(rc) || (rc->flags & CASE_NO_DELIVERY) || m->cpu->host.stop != STOP_NONE ||
        m->cpu->host.engine == NULL)
        return false;
    if (a->activity != ACTIVE || a->pending_debug || a->shadow || a->nmi_pending || a->init_pending ||
        (flags_get(m->cpu) & FLAG_TF))
        return false;
    if (a->cr4 & ~k->before.cr4 & (CR4_LA57 | CR4_PCIDE))
        return false; /* features of few */
    if (!(a->cr0 & CR0_PE) || a->idtr.base != AT_IDT || a->idtr.limit < trap_gate_end(a) || a->gdtr.base != AT_GDT ||
        linear_rip(m->cpu) >= MATRIX_CASE_END)
        return false;
    if (((a->msr.efer & EFER_LMA) != 0) != bits64)
        return false;
    if (!can_fetch(m->cpu, linear_rip(m->cpu)))
        return false;
    if (bits64 && a->tr.selector != TSS)
        return false; /* whose TSS has the trap's stack */
    if (m->cpu->d.mode != MODE_LONG && a->rip + 5 > a->seg[CS].limit)
        return false;
    return m->cpu->d.mode != MODE_VM86 || (flags_get(m->cpu) & FLAG_IOPL) == FLAG_IOPL;
}

static void prepared(void *context, struct preset_machine *m)
{
    struct making *k = context;

    k->asked = can_be_asked(m, k->rc);
    read_state(m->cpu, &k->before);
    k->code_at = m->code_base;
    physmem_read(m->pm, 0, k->memory_before, MATRIX_CASE_END, INITIATOR_LOADER);
}

static void step(void *context, struct preset_machine *m)
{
    struct making *k = context;

    if (k->steps < STEPS_MAX)
        k->stepped[k->steps] = linear_rip(m->cpu);
    k->steps++;
}

static void done(void *context, struct preset_machine *m)
{
    struct making *k = context;

    k->seen = k->steps <= STEPS_MAX && can_be_seen(k, m);
    k->cpl_after = m->cpu->arch.cpl;
    k->landing = linear_rip(m->cpu);
    k->call = k->cpl_after == 0 &&
              (m->cpu->d.mode == MODE_LONG || (m->cpu->d.mode == MODE_PM32 && m->cpu->arch.seg[CS].base == 0));
    read_state(m->cpu, &k->after);
    physmem_read(m->pm, 0, k->memory_after, MATRIX_CASE_END, INITIATOR_LOADER);
}

/* ---- landing places */

static bool is_landing_area(u64 at)
{
    return (at >= AT_CODE && at < AT_CODE + PAGE_SIZE) || (at >= AT_HANDLER && at < AT_TASK + PAGE_SIZE);
}

/* Wherever the case does not go: INT, at every even place, or every place that is even counted from the code's end. */
static void lay_traps(u8 *memory, u64 code_at, u8 code_size)
{
    for (u32 at = AT_CODE; at < AT_TASK + PAGE_SIZE; at++) {
        bool in_code = at >= code_at && at < code_at + code_size;
        u32 parity = at < AT_HANDLER ? (u32)(at - code_at - code_size) : at;

        if (is_landing_area(at) && !in_code && memory[at] == 0x90)
            memory[at] = parity & 1 ? MATRIX_VECTOR : 0xCD;
    }
}

static void keep_stepped(struct making *k, u8 *memory)
{
    for (unsigned i = 0; i < k->steps && i < STEPS_MAX; i++)
        if (k->stepped[i] < MATRIX_CASE_END - 1 && is_landing_area(k->stepped[i]))
            memory[k->stepped[i]] = k->memory_before[k->stepped[i]];
}

/* At the place where the case ends. */
static void lay_landing(const struct making *k, u8 *memory)
{
    u32 from = (u32)k->landing + 5, displacement = MATRIX_RESIDENT - from;

    if (!k->call) {
        memory[k->landing] = 0xCD;
        memory[k->landing + 1] = MATRIX_VECTOR;
        return;
    }
    memory[k->landing] = 0xE8;
    memcpy(memory + k->landing + 1, &displacement, 4);
}

static bool room_for_landing(const struct making *k)
{
    return k->landing + 8 < MATRIX_CASE_END && is_landing_area(k->landing) &&
           !(k->landing + 5 > k->code_at && k->landing < k->code_at + k->rc->code_size);
}

/* The trap's own gate; in long mode on a stack of its own, whose pointer stands in the TSS. */
static void lay_gate(const struct making *k, u8 *memory)
{
    u32 at = AT_IDT + MATRIX_VECTOR * (k->bits64 ? 16u : 8u), target = MATRIX_RESIDENT + 0x10;
    u64 gate = (target & 0xFFFF) | (u64)(k->bits64 ? K64 : K32) << 16 | (u64)(k->bits64 ? MATRIX_IST : 0) << 32 |
               0xEEull << 40 | (u64)(target >> 16) << 48;
    u64 upper = 0, stack = MATRIX_RESIDENT + 0x8000;

    memcpy(memory + at, &gate, 8);
    if (!k->bits64)
        return;
    memcpy(memory + at + 8, &upper, 8);
    memcpy(memory + AT_TSS + 0x24 + (MATRIX_IST - 1) * 8, &stack, 8);
}

/* ---- the file */

static void put(struct making *k, const void *bytes, size_t size)
{
    if (size != 0 && fwrite(bytes, 1, size, k->out) != size) {
        perror("make_cases");
        exit(EXIT_FILE);
    }
}

struct runs {
    u8 *bytes;
    size_t size;
    u32 count;
};

static void add_run(struct runs *r, u32 address, const u8 *bytes, u32 size)
{
    struct matrix_run run = {.address = address, .size = size, .fill = 0};
    u32 stored = (size + 7) & ~7u;

    for (u32 i = 1; i <= size; i++)
        if (i == size)
            run.fill = size > 8 ? bytes[0] + 1u : 0;
        else if (bytes[i] != bytes[0])
            break;
    if (run.fill != 0)
        stored = 0;
    r->bytes = realloc(r->bytes, r->size + sizeof run + stored);
    if (r->bytes == NULL)
        abort();
    memset(r->bytes + r->size, 0, sizeof run + stored);
    memcpy(r->bytes + r->size, &run, sizeof run);
    if (run.fill == 0)
        memcpy(r->bytes + r->size + sizeof run, bytes, size);
    r->size += sizeof run + stored;
    r->count++;
}

/* Where `to` differs from `from`, a page at a time so that filled pages are short. */
static void add_difference(struct runs *r, const u8 *from, const u8 *to, bool skip_tables)
{
    u32 at = 0;

    while (at < MATRIX_CASE_END) {
        u32 end, page_end = (at | 0xFFF) + 1;

        if (from[at] == to[at] ||
            (skip_tables && ((at >= AT_PML4 && at < AT_GDT) || at / PAGE_SIZE == AT_HIGH_PT / PAGE_SIZE))) {
            at++;
            continue;
        }
        for (end = at + 1; end < page_end && from[end] != to[end]; end++)
            ;
        add_run(r, at, to + at, end - at);
        at = end;
    }
}

static void put_case(struct making *k, unsigned preset)
{
    struct matrix_case c = {.preset = preset, .before = k->before, .after = k->after};
    struct runs before = {0}, after = {0};
    u8 *start = malloc(MATRIX_CASE_END);

    if (start == NULL)
        abort();
    snprintf(c.rule, sizeof c.rule, "%s", rule_name(k->rc->rule));
    snprintf(c.mode, sizeof c.mode, "%s", preset_name((enum preset_index)preset));
    snprintf(c.title, sizeof c.title, "%.*s", (int)sizeof c.title - 1, k->rc->title);
    memcpy(start, k->memory_before, MATRIX_CASE_END);
    lay_traps(start, k->code_at, k->rc->code_size);
    keep_stepped(k, start);
    lay_landing(k, start);
    lay_gate(k, start);
    add_difference(&before, k->base[preset], start, false);
    add_difference(&after, k->memory_before, k->memory_after, true);
    c.runs_before = before.count;
    c.runs_after = after.count;
    c.bytes = (u32)(sizeof c + before.size + after.size);
    put(k, &c, sizeof c);
    put(k, before.bytes, before.size);
    put(k, after.bytes, after.size);
    free(start);
    free(before.bytes);
    free(after.bytes);
    k->cases++;
}

/* ---- all cases */

static bool is_wanted(const struct making *k, unsigned preset)
{
    static const u32 legacy = VM86 | PM32_ANY | PAGED_0 | PAGED_3, long_mode = LONG_ANY | COMPAT_ANY;

    return (k->bits64 ? long_mode : legacy) >> preset & 1;
}

static void make_base(struct making *k, unsigned preset)
{
    struct preset_machine m;
    struct error err;

    if (!preset_open(&m, (enum preset_index)preset, k->vendor, &err)) {
        fprintf(stderr, "make_cases: %s\n", err.text);
        exit(EXIT_LIMIT);
    }
    physmem_read(m.pm, 0, k->base[preset], MATRIX_CASE_END, INITIATOR_LOADER);
    lay_traps(k->base[preset], AT_CODE, 0);
    lay_gate(k, k->base[preset]);
    preset_close(&m);
}

static void make_case(struct making *k, const struct rule_case *rc, unsigned preset)
{
    const struct rule_watch watch = {.context = k, .prepared = prepared, .step = step, .done = done};
    struct conform_result result = {.details = stderr};

    k->rc = rc;
    k->steps = 0;
    rule_run_watched(rc, (enum preset_index)preset, k->vendor, &result, &watch);
    if (result.failed != 0) {
        fprintf(stderr, "make_cases: %s \"%s\" fails here: 'ringside conform rules' first\n", rule_name(rc->rule),
                rc->title);
        exit(EXIT_DIFFERENT);
    }
    if (k->asked && k->seen && room_for_landing(k))
        put_case(k, preset);
    else
        k->left_out++;
}

static void put_bases(struct making *k)
{
    static const u8 zeros[MATRIX_CASE_END];

    for (unsigned preset = 0; preset < MATRIX_PRESETS; preset++) {
        struct matrix_memory memory = {0};
        struct runs runs = {0};

        if (preset < PRESET_COUNT && is_wanted(k, preset)) {
            make_base(k, preset);
            add_difference(&runs, zeros, k->base[preset], false);
        }
        memory.bytes = (u32)runs.size;
        memory.runs = runs.count;
        put(k, &memory, sizeof memory);
        put(k, runs.bytes, runs.size);
        free(runs.bytes);
    }
}

static void put_cases(struct making *k)
{
    for (unsigned t = 0; t < ARRAY_LEN(themes); t++)
        for (unsigned i = 0; i < themes[t]->count; i++)
            for (unsigned preset = 0; preset < PRESET_COUNT; preset++)
                if (is_wanted(k, preset) && (themes[t]->cases[i].presets >> preset & 1) &&
                    (themes[t]->cases[i].vendors >> k->vendor & 1))
                    make_case(k, &themes[t]->cases[i], preset);
}

int main(int argc, char **argv)
{
    struct matrix_header header = {.magic = MATRIX_MAGIC, .presets = MATRIX_PRESETS};
    struct making *k = calloc(1, sizeof *k);

    if (argc != 4 || k == NULL) {
        fputs("usage: make_cases 32|64 intel|amd FILE\n", stderr);
        return EXIT_USAGE;
    }
    k->bits64 = strcmp(argv[1], "64") == 0;
    k->vendor = strcmp(argv[2], "amd") == 0 ? VENDOR_AMD : VENDOR_INTEL;
    k->out = fopen(argv[3], "wb");
    if (k->out == NULL) {
        perror(argv[3]);
        return EXIT_FILE;
    }
    put(k, &header, sizeof header);
    put_bases(k);
    put_cases(k);
    header.cases = k->cases;
    rewind(k->out);
    put(k, &header, sizeof header);
    if (fclose(k->out) != 0) {
        perror(argv[3]);
        return EXIT_FILE;
    }
    printf("%u cases, %u left out\n", k->cases, k->left_out);
    free(k);
    return EXIT_OK;
}
