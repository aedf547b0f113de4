/* SPDX-License-Identifier: MIT
 * The slide: how far from its link-time addresses the kernel runs. Several anchors each say a slide: the entry points
 * that the processor holds (LSTAR, CSTAR, SYSENTER_EIP, the IDT) against the symbols of their stubs. One anchor can
 * mislead (with page-table isolation before 4.20 LSTAR led to a trampoline; early IDT entries are early stubs), so the
 * slide that most agree on is taken, and only when at least two do. The banner and pieces of code, which say nothing by
 * themselves, then confirm or do not.
 */
#include "guest/internal.h"

#include <stdio.h>

/* Debian's amd64 kernels slide by multiples of 2 MiB (CONFIG_PHYSICAL_ALIGN), as the page tables of the image demand;
 * on i386 the smallest alignment that can be configured is 8 KiB. */
#define SLIDE_ALIGN_64 0x200000u
#define SLIDE_ALIGN_32 0x2000u

#define IDT_VECTORS 32u
#define VOTES_MAX 48u
#define CODE_PIECES 16u
#define CODE_BYTES 128u

/* What a vector's gate leads to, by kernel version: 5.8 and later first. */
static const char *const stubs[IDT_VECTORS][2] = {
    {"asm_exc_divide_error", "divide_error"},
    {"asm_exc_debug", "debug"},
    {"asm_exc_nmi", "nmi"},
    {"asm_exc_int3", "int3"},
    {"asm_exc_overflow", "overflow"},
    {"asm_exc_bounds", "bounds"},
    {"asm_exc_invalid_op", "invalid_op"},
    {"asm_exc_device_not_available", "device_not_available"},
    {"asm_exc_double_fault", "double_fault"},
    {"asm_exc_coproc_segment_overrun", "coprocessor_segment_overrun"},
    {"asm_exc_invalid_tss", "invalid_TSS"},
    {"asm_exc_segment_not_present", "segment_not_present"},
    {"asm_exc_stack_segment", "stack_segment"},
    {"asm_exc_general_protection", "general_protection"},
    {"asm_exc_page_fault", "page_fault"},
    {NULL, NULL},
    {"asm_exc_coprocessor_error", "coprocessor_error"},
    {"asm_exc_alignment_check", "alignment_check"},
    {"asm_exc_machine_check", "machine_check"},
    {"asm_exc_simd_coprocessor_error", "simd_coprocessor_error"},
};
static const char *const int80_stubs[] = {"entry_INT80_compat", "asm_int80_emulation", "int80_emulation",
                                          "entry_INT80_32"};

struct vote {
    u64 slide;
    u8 vector; /* of an IDT anchor */
    const char *what;
};

struct ballot {
    const struct guest *g;
    const struct cpu *cpu;
    size_t votes;
    struct vote vote[VOTES_MAX];
};

/* An anchor: the processor goes to `address`, which would be the symbol. in: what  static; NULL for an IDT entry */
static void ballot_add(struct ballot *b, const char *what, u8 vector, u64 address, const char *symbol)
{
    bool is64 = b->g->kernel->is64;
    u64 link, slide, align = is64 ? SLIDE_ALIGN_64 : SLIDE_ALIGN_32;

    if (!guest_is_kernel_address(is64, address) || !symbols_find(b->g->kernel->symbols, symbol, &link))
        return;
    slide = is64 ? address - link : (u32)(address - link);
    if (slide % align || b->votes == VOTES_MAX)
        return;
    b->vote[b->votes++] = (struct vote){slide, vector, what};
}

static bool gate_target(const struct ballot *b, unsigned vector, u64 *target)
{
    const struct table_register *idtr = &b->cpu->arch.idtr;
    unsigned size = cpu_long_mode(b->cpu) ? 16 : 8;
    u8 gate[16] = {0};

    if (idtr->limit < (vector + 1) * size - 1 || !guest_read(b->cpu, idtr->base + vector * size, gate, size))
        return false;
    if (!(gate[5] & 0x80) || (gate[5] & 0xE) != 0xE) /* present; interrupt or trap gate, 32 or 64 bits */
        return false;
    *target = load_le16(gate) | (u64)load_le16(gate + 6) << 16 | (u64)load_le32(gate + 8) << 32;
    return true;
}

/* While it boots, a kernel's IDT leads to an array of equal stubs, one for each exception: together one anchor. */
static void ballot_add_early(struct ballot *b)
{
    u64 first, second, target;

    if (!gate_target(b, 0, &first) || !gate_target(b, 1, &second) || second - first - 1 >= 32)
        return;
    for (unsigned v = 2; v < IDT_VECTORS; v++)
        if (!gate_target(b, v, &target) || target != first + v * (second - first))
            return;
    ballot_add(b, "early IDT=early_idt_handler_array", 0, first, "early_idt_handler_array");
}

static void ballot_add_idt(struct ballot *b)
{
    u64 target;

    for (unsigned v = 0; v < IDT_VECTORS; v++)
        for (unsigned name = 0; name < 2; name++)
            if (stubs[v][name] && gate_target(b, v, &target))
                ballot_add(b, NULL, (u8)v, target, stubs[v][name]);
    for (unsigned i = 0; i < ARRAY_LEN(int80_stubs); i++)
        if (gate_target(b, 0x80, &target))
            ballot_add(b, NULL, 0x80, target, int80_stubs[i]);
}

static void ballot_add_msrs(struct ballot *b)
{
    const struct msr_file *msr = &b->cpu->arch.msr;

    if (b->g->kernel->is64) {
        ballot_add(b, "LSTAR=entry_SYSCALL_64", 0, msr->lstar, "entry_SYSCALL_64");
        ballot_add(b, "CSTAR=entry_SYSCALL_compat", 0, msr->cstar, "entry_SYSCALL_compat");
        ballot_add(b, "SYSENTER_EIP=entry_SYSENTER_compat", 0, msr->sysenter_eip, "entry_SYSENTER_compat");
    } else {
        ballot_add(b, "SYSENTER_EIP=entry_SYSENTER_32", 0, msr->sysenter_eip, "entry_SYSENTER_32");
    }
}

/* ---- what confirms a slide */

static bool banner_is_there(const struct guest *g, const struct cpu *cpu, u64 slide)
{
    size_t length = strlen(g->kernel->banner);
    char text[256];
    u64 link;

    if (length == 0 || !symbols_find(g->kernel->symbols, "linux_banner", &link))
        return false;
    if (length > sizeof text)
        length = sizeof text;
    return guest_read(cpu, guest_run_address(g, link, slide), text, length) &&
           memcmp(text, g->kernel->banner, length) == 0;
}

/* Most bytes of most pieces of code are as in the image. Not all: a booting kernel patches its code, and a slide
 * changes the addresses in it. Under another slide hardly a tenth is. Pieces that are not mapped, as init code later,
 * say nothing. */
static bool code_is_there(const struct guest *g, const struct cpu *cpu, u64 slide)
{
    size_t count = symbols_count(g->kernel->symbols), compared = 0, equal = 0;

    for (size_t i = 0; i < CODE_PIECES && count; i++) {
        struct symbol s = symbols_at(g->kernel->symbols, count * i / CODE_PIECES);
        u8 text[CODE_BYTES];
        const u8 *image;

        /* The next code symbol, near by. */
        for (size_t j = 0; j < 512 && s.type != 't' && s.type != 'T' && count * i / CODE_PIECES + j < count; j++)
            s = symbols_at(g->kernel->symbols, count * i / CODE_PIECES + j);
        image = kernel_bytes(g->kernel, s.address, sizeof text);
        if ((s.type != 't' && s.type != 'T') || !image ||
            !guest_read(cpu, guest_run_address(g, s.address, slide), text, sizeof text))
            continue;
        compared += sizeof text;
        for (size_t j = 0; j < sizeof text; j++)
            equal += text[j] == image[j];
    }
    return compared >= 4 * CODE_BYTES && equal >= compared / 4 * 3;
}

/* ---- the count */

/* Anchors for this slide. A vector has one vote, however many names lead there. */
static unsigned ballot_count(const struct ballot *b, u64 slide)
{
    unsigned count = 0;

    for (size_t i = 0; i < b->votes; i++) {
        bool again = false;

        for (size_t j = 0; j < i; j++)
            again |= b->vote[j].slide == b->vote[i].slide && b->vote[j].what == b->vote[i].what &&
                     b->vote[j].vector == b->vote[i].vector;
        count += b->vote[i].slide == slide && !again;
    }
    return count;
}

static void how_append(struct guest *g, const char *between, const char *what)
{
    size_t length = strlen(g->slide_how);

    snprintf(g->slide_how + length, sizeof g->slide_how - length, "%s%s", between, what);
}

static void how_write(struct guest *g, const struct ballot *b, u64 slide, bool banner, bool code)
{
    const char *between = "";
    char vector[8];
    bool idt = false;

    snprintf(g->slide_how, sizeof g->slide_how, "slide %llx: ", (unsigned long long)slide);
    for (size_t i = 0; i < b->votes; i++) {
        if (b->vote[i].slide != slide || !b->vote[i].what)
            continue;
        how_append(g, between, b->vote[i].what);
        between = ", ";
    }
    for (size_t i = 0; i < b->votes; i++) {
        if (b->vote[i].slide != slide || b->vote[i].what)
            continue;
        if (!idt)
            how_append(g, between, "IDT");
        snprintf(vector, sizeof vector, "%u", b->vote[i].vector);
        how_append(g, idt ? "," : " ", vector);
        between = ", ";
        idt = true;
    }
    if (banner)
        how_append(g, between, "banner");
    if (code)
        how_append(g, ", ", "code");
}

bool slide_find(struct guest *g, const struct cpu *cpu, u64 *slide)
{
    struct ballot b = {.g = g, .cpu = cpu};
    unsigned best = 0, second = 0;
    bool banner, code;

    if (g->kernel->is64 != cpu_long_mode(cpu))
        return false;
    ballot_add_msrs(&b);
    ballot_add_idt(&b);
    ballot_add_early(&b);
    for (size_t i = 0; i < b.votes; i++) {
        unsigned count = ballot_count(&b, b.vote[i].slide);

        if (best && b.vote[i].slide == *slide)
            continue;
        if (count > best) {
            second = best;
            best = count;
            *slide = b.vote[i].slide;
        } else if (count > second) {
            second = count;
        }
    }
    if (!best || best == second)
        return false;
    banner = banner_is_there(g, cpu, *slide);
    code = code_is_there(g, cpu, *slide);
    if (best + banner + code < 2)
        return false;
    g->anchors = best + banner + code;
    how_write(g, &b, *slide, banner, code);
    return true;
}

bool guest_symbol(const struct guest *g, const char *name, u64 *address)
{
    if (!g->slid || !symbols_find(g->kernel->symbols, name, address))
        return false;
    *address = guest_run_address(g, *address, g->slide);
    return true;
}
