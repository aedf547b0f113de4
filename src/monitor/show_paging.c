/* SPDX-License-Identifier: MIT
 * info mem, info tlb, gva2gpa: what linear addresses mean now, by the page tables and by the processor's TLB.
 * SDM 3A, "Paging", "Caching Translation Information".
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "mmu/explain.h"
#include "monitor/command.h"

/* A guest's tables can map everything in single pages, or be their own tables: looking ends somewhere. */
#define WALKS_MAX (1u << 22)
#define LINES_MAX 2000u

static unsigned address_bits(const struct cpu *cpu)
{
    return cpu->mmu.mode.levels < 4 ? 32 : cpu->mmu.mode.levels == 4 ? 48 : 57;
}

bool paging_has_address(const struct cpu *cpu, laddr_t laddr)
{
    unsigned bits = address_bits(cpu);

    return bits == 32 ? laddr >> 32 == 0 : is_canonical(laddr, bits);
}

int paging_address_digits(const struct cpu *cpu) { return address_bits(cpu) == 32 ? 8 : 16; }

static const char *page_size_name(unsigned shift)
{
    switch (shift) {
    case 12: return "4K";
    case 21: return "2M";
    case 22: return "4M";
    case 30: return "1G";
    default: return "-";
    }
}

static bool paging_is_on(struct monitor *m, const struct cpu *cpu)
{
    if (cpu->mmu.mode.levels != 0)
        return true;
    fputs("paging is off: linear addresses are physical ones\n", m->out);
    return false;
}

/* ---- info mem */

struct range {
    laddr_t first, last;
    char rights[5];
    bool any;
};

/* How much of the linear space the walk of `at` tells of: the page, or all below the entry that is not present. */
static unsigned walk_shift(const struct cpu *cpu, const struct walk *walk, laddr_t at)
{
    const struct paging_mode *mode = &cpu->mmu.mode;
    struct walk_story story;

    if (walk->ok)
        return walk->page_shift;
    story = page_walk_explain(cpu->physmem, mode, at, ACCESS_READ, VIEW_SUPERVISOR_AC);
    return PAGE_SHIFT + (mode->levels == 2 ? 10u : 9u) * (story.level[story.levels - 1].level - 1u);
}

static void print_range(FILE *out, int digits, struct range *r)
{
    if (r->any)
        fprintf(out, "%0*llx-%0*llx %s\n", digits, (unsigned long long)r->first, digits, (unsigned long long)r->last,
                r->rights);
    r->any = false;
}

/* The address behind `last`.  returns: false at the end of the space */
static bool next_address(const struct cpu *cpu, laddr_t last, laddr_t *at)
{
    unsigned bits = address_bits(cpu);

    if (last == (bits == 32 ? 0xFFFFFFFFull : ~0ull))
        return false;
    *at = last + 1;
    if (bits != 32 && *at == BIT(bits - 1))
        *at = -BIT(bits - 1); /* over the hole of addresses that are not canonical */
    return true;
}

static void list_ranges(struct monitor *m, const struct cpu *cpu, laddr_t at)
{
    int digits = paging_address_digits(cpu);
    struct range range = {.any = false};
    unsigned walks = 0, lines = 0;
    laddr_t last;

    do {
        struct walk walk = page_walk(cpu->physmem, &cpu->mmu.mode, at, ACCESS_READ, VIEW_SUPERVISOR_AC);
        char rights[5] = {walk.user ? 'u' : '-', 'r', walk.writable ? 'w' : '-', walk.executable ? 'x' : '-', '\0'};

        last = at | (BIT(walk_shift(cpu, &walk, at)) - 1);
        if (range.any && (!walk.ok || range.last + 1 != at || memcmp(range.rights, rights, 4) != 0)) {
            print_range(m->out, digits, &range);
            lines++;
        }
        if (walk.ok && !range.any) {
            range = (struct range){.first = at, .any = true};
            memcpy(range.rights, rights, sizeof rights);
        }
        if (walk.ok)
            range.last = last;
        if (++walks == WALKS_MAX || lines == LINES_MAX) {
            print_range(m->out, digits, &range);
            if (next_address(cpu, last, &at))
                fprintf(m->out, "... the rest: info mem 0x%llx\n", (unsigned long long)at);
            return;
        }
    } while (next_address(cpu, last, &at));
    print_range(m->out, digits, &range);
}

void info_mem(struct monitor *m, const char *arguments)
{
    const struct cpu *cpu = machine_cpu(m->machine);
    u64 at = 0;

    if (*arguments != '\0' && !command_address(m, arguments, &at))
        return;
    if (!paging_is_on(m, cpu))
        return;
    if (!paging_has_address(cpu, at))
        command_error(m, "0x%llx is no linear address of this mode", (unsigned long long)at);
    else
        list_ranges(m, cpu, at & PAGE_MASK);
}

/* ---- info tlb */

struct held {
    laddr_t page;
    paddr_t physical;
    u8 shift;
    bool global;
    char rights[ACCESS_VIEWS][4];
};

static int by_page(const void *a, const void *b)
{
    const struct held *x = a, *y = b;

    return x->page != y->page ? (x->page < y->page ? -1 : 1)
                              : (x->physical > y->physical) - (x->physical < y->physical);
}

static struct held *add_held(struct held *rows, size_t *count, laddr_t page, paddr_t physical, unsigned shift,
                             bool global)
{
    struct held *h = &rows[(*count)++];

    *h =
        (struct held){.page = page & PAGE_MASK, .physical = physical & PAGE_MASK, .shift = (u8)shift, .global = global};
    for (unsigned v = 0; v < ACCESS_VIEWS; v++)
        memcpy(h->rights[v], "---", 4);
    return h;
}

static size_t collect_view(const struct tlb_view *view, unsigned which, struct held *rows)
{
    size_t count = 0;

    for (unsigned i = 0; i < TLB_ENTRIES; i++) {
        const struct tlb_entry *e = &view->data[i];
        bool reads = !(e->read_tag & TLB_INVALID), writes = !(e->write_tag & TLB_INVALID);
        struct held *h;

        if (!reads && !writes)
            continue;
        h = add_held(rows, &count, reads ? e->read_tag : e->write_tag, e->page, e->page & TLB_SIZE,
                     (e->page & TLB_GLOBAL) != 0);
        h->rights[which][0] = reads ? 'r' : '-';
        h->rights[which][1] = writes ? 'w' : '-';
    }
    for (unsigned i = 0; i < ITLB_ENTRIES; i++) {
        const struct itlb_entry *e = &view->insn[i];

        if (!(e->tag & TLB_INVALID))
            add_held(rows, &count, e->tag, e->page, e->page_shift, e->global != 0)->rights[which][2] = 'x';
    }
    return count;
}

/* Data and instructions, and the views, in one row where they agree about the page. */
static size_t merge(struct held *rows, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct held *last = kept == 0 ? NULL : &rows[kept - 1];

        if (last == NULL || last->page != rows[i].page || last->physical != rows[i].physical ||
            last->shift != rows[i].shift || last->global != rows[i].global) {
            rows[kept++] = rows[i];
            continue;
        }
        for (unsigned v = 0; v < ACCESS_VIEWS; v++)
            for (unsigned r = 0; r < 3; r++)
                if (rows[i].rights[v][r] != '-')
                    last->rights[v][r] = rows[i].rights[v][r];
    }
    return kept;
}

void info_tlb(struct monitor *m, const char *arguments)
{
    const struct cpu *cpu = machine_cpu(m->machine);
    int digits = paging_address_digits(cpu);
    struct held *rows;
    size_t count = 0;

    (void)arguments;
    rows = calloc((size_t)ACCESS_VIEWS * (TLB_ENTRIES + ITLB_ENTRIES), sizeof *rows);
    if (rows == NULL)
        abort();
    for (unsigned v = 0; v < ACCESS_VIEWS; v++)
        if (cpu->mmu.view[v].used)
            count += collect_view(&cpu->mmu.view[v], v, rows + count);
    qsort(rows, count, sizeof *rows, by_page);
    count = merge(rows, count);
    fprintf(m->out, "%-*s    physical          page     kernel  AC=1  user\n", digits, "linear");
    for (size_t i = 0; i < count; i++)
        fprintf(m->out, "%0*llx -> %016llx  %-2s %s  %s     %s   %s\n", digits, (unsigned long long)rows[i].page,
                (unsigned long long)rows[i].physical, page_size_name(rows[i].shift),
                rows[i].global ? "global" : "      ", rows[i].rights[VIEW_SUPERVISOR],
                rows[i].rights[VIEW_SUPERVISOR_AC], rows[i].rights[VIEW_USER]);
    fprintf(m->out, "%zu translations of the address space with CR3=%016llx\n", count,
            (unsigned long long)cpu->arch.cr3);
    free(rows);
}

/* ---- gva2gpa */

static void print_level(FILE *out, const struct walk_level *l)
{
    static const struct {
        u64 bit;
        const char *name;
    } names[] = {{BIT(0), "P"}, {BIT(1), "W"}, {BIT(2), "U"},  {BIT(5), "A"},
                 {BIT(6), "D"}, {BIT(8), "G"}, {BIT(63), "XD"}};

    fprintf(out, "%-5s ", walk_level_name(l->level));
    if (l->in_register)
        fputs("(register)      ", out);
    else
        fprintf(out, "%016llx", (unsigned long long)l->paddr);
    fprintf(out, ": %0*llx ", l->bytes * 2, (unsigned long long)l->entry);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if ((l->entry & names[i].bit) && (l->leaf || (names[i].bit != BIT(6) && names[i].bit != BIT(8))))
            fprintf(out, " %s", names[i].name);
    fputs(l->no_memory ? " (nothing is at this address)\n" : "\n", out);
}

void command_gva2gpa(struct monitor *m, const char *arguments)
{
    const struct cpu *cpu = machine_cpu(m->machine);
    struct walk_story story;
    u64 at;

    if (!command_address(m, arguments, &at) || !paging_is_on(m, cpu))
        return;
    if (!paging_has_address(cpu, at)) {
        command_error(m, "0x%llx is no linear address of this mode", (unsigned long long)at);
        return;
    }
    story = page_walk_explain(cpu->physmem, &cpu->mmu.mode, at, ACCESS_READ, VIEW_SUPERVISOR_AC);
    for (unsigned i = 0; i < story.levels; i++)
        print_level(m->out, &story.level[i]);
    if (story.ok)
        fprintf(m->out, "physical 0x%llx\n", (unsigned long long)story.paddr);
    else
        fprintf(m->out, "not mapped: %s\n",
                story.end == WALK_ABSENT     ? "the last entry is not present"
                : story.end == WALK_RESERVED ? "a reserved bit is set in the last entry"
                                             : "the access is not allowed");
}
