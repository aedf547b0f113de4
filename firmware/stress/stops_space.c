/* SPDX-License-Identifier: MIT
 * Stops: two address spaces, edits of the inactive one, global pages, PCID.
 * SDM 3A, "Process-Context Identifiers (PCIDs)", "Operations that Invalidate TLBs and Paging-Structure Caches".
 */
#include "stress.h"

CODE(tell, "movl $0, %eax\n ret\n");
/* Visit the space BX, call SI there, read DI there, and come back to the space BP. */
CODE(visit_space, "mov " BX ", %cr3\n call *" SI "\n movl (" DI "), %ecx\n mov " BP ", %cr3\n" EXIT);
CODE(visit_both, "mov " BX ", %cr3\n call *" SI "\n mov " AX ", " DX "\n mov " BP ", %cr3\n call *" SI "\n" EXIT);

static void speak(unsigned page, u32 value)
{
    PLACE((word)arena[page], tell);
    *(u32 *)(arena[page] + 1) = value;
    *(u32 *)(arena[page] + 64) = value + 1000;
}

static void inactive_tables(void)
{
    for (unsigned i = 0; i < 8; i++)
        speak(i, 100 + i);
    for (unsigned i = 0; i < 100; i++) {
        struct regs r = {.ip = (word)visit_space, .bx = space_b, .bp = space_a, .si = window(3), .di = window(3) + 64};
        u32 page = (i * 5) % 8;

        window_b[3] = frame_of(page) | PWU; /* nobody runs there: no INVLPG */
        run_clean(&r);
        check("code of the other space", 100 + page, r.ax);
        check("data of the other space", 1100 + page, r.cx);
        check("accessed there", frame_of(page) | PWU | PTE_A, window_b[3]);
    }
}

static void inactive_directory(void)
{
    static u64 other[512] __attribute__((aligned(4096)));

    for (unsigned i = 0; i < 512; i++)
        other[i] = frame_of(7) | PWU;
    speak(3, 103);
    speak(7, 107);
    for (unsigned i = 0; i < 40; i++) {
        struct regs r = {.ip = (word)visit_space, .bx = space_b, .bp = space_a, .si = window(3), .di = window(3) + 64};

        window_directory_b[0] = (i & 1 ? (word)other : (word)window_b) | PWU;
        run_clean(&r);
        check("through the new directory entry", i & 1 ? 107 : 103, r.ax);
        check("data", i & 1 ? 1107 : 1103, r.cx);
    }
}

/* Both spaces map the same table: an edit made in one is seen in the other after the switch. */
static void shared_table(void)
{
    speak(1, 101);
    speak(2, 102);
    window_directory_b[0] = (word)window_a | PWU;
    for (unsigned i = 0; i < 40; i++) {
        struct regs r = {.ip = (word)visit_both, .bx = space_b, .bp = space_a, .si = window(3)};

        map_only(3, frame_of(1 + (i & 1)) | PWU);
        run_clean(&r);
        check("there", 101 + (i & 1), r.dx);
        check("here", 101 + (i & 1), r.ax);
    }
}

/* Back and forth without any edit: the translations may be kept, what is seen must not change. */
static void back_and_forth(void)
{
    speak(1, 101);
    speak(2, 102);
    window_a[3] = frame_of(1) | PWU;
    window_b[3] = frame_of(2) | PWU;
    write_cr3(space_a);
    for (unsigned i = 0; i < 100; i++) {
        struct regs r = {.ip = (word)visit_both, .bx = space_b, .bp = space_a, .si = window(3)};

        run_clean(&r);
        check("there", 102, r.dx);
        check("here", 101, r.ax);
        mix(window_a[3] ^ window_b[3]);
        if (i % 16 == 7) { /* the flush that MOV CR3 is makes the walker set A again */
            window_a[3] &= ~(u64)PTE_A;
            window_b[3] &= ~(u64)PTE_A;
            run_clean(&(struct regs){.ip = (word)visit_both, .bx = space_b, .bp = space_a, .si = window(3)});
            check("accessed there", PTE_A, window_b[3] & PTE_A);
            check("accessed here", PTE_A, window_a[3] & PTE_A);
        }
    }
}

/* The code itself stands at different physical places in the two spaces: MOV CR3 changes what comes next. */
CODE(switches, "mov " BX ", %cr3\n" AT(switches_at) "movl $1, %eax\n mov " BP ", %cr3\n" EXIT);
extern const char switches_at[];

static void next_from_other_space(void)
{
    PLACE((word)arena[1] + 0x50, switches);
    PLACE((word)arena[2] + 0x50, switches);
    *(u32 *)(arena[2] + 0x50 + OFFSET(switches_at, switches) + 1) = 2;
    window_a[3] = frame_of(1) | PWU;
    window_b[3] = frame_of(2) | PWU;
    write_cr3(space_a);
    for (unsigned i = 0; i < 50; i++) {
        struct regs r = {.ip = window(3) + 0x50, .bx = space_b, .bp = space_a};

        run_clean(&r);
        check("the instruction after MOV CR3", 2, r.ax);
        r = (struct regs){.ip = window(3) + 0x50, .bx = space_a, .bp = space_a};
        run_clean(&r);
        check("MOV CR3 to the same space", 1, r.ax);
    }
}

/* ---- global pages */

static u32 listen(void)
{
    struct regs r = {.ip = (word)arena[0], .si = window(3)};

    run_clean(&r);
    return (u32)r.ax;
}

CODE(calls, "call *" SI "\n" EXIT);
enum { CR4_PGE = 0x80 };

static void global_pages(void)
{
    PLACE((word)arena[0], calls);
    speak(1, 101);
    speak(2, 102);
    write_cr4(read_cr4() | CR4_PGE);
    for (unsigned i = 0; i < 30; i++) {
        map_only(3, frame_of(1) | PWU | G);
        write_cr4(read_cr4() & ~(word)CR4_PGE);
        write_cr4(read_cr4() | CR4_PGE);
        check("before", 101, listen());
        map_only(3, frame_of(2) | PWU | (i & 1 ? G : 0));
        write_cr3(read_cr3());
        mix(listen()); /* the old page or the new one */
        switch (i % 3) {
        case 0: invlpg(window(3)); break;
        case 1:
            write_cr4(read_cr4() & ~(word)CR4_PGE);
            write_cr4(read_cr4() | CR4_PGE);
            break;
        default: write_cr4(read_cr4() & ~(word)CR4_PGE); break;
        }
        check("after a flush of global pages", 102, listen());
        write_cr4(read_cr4() | CR4_PGE);
    }
    write_cr4(read_cr4() & ~(word)CR4_PGE);
}

/* ---- PCID */

#if BITS == 64
enum { CR4_PCIDE = 1 << 17 };
#define KEEP (1ull << 63)

static void invpcid(u64 type, u64 pcid, word address)
{
    u64 descriptor[2] = {pcid, address};

    __asm__ volatile("invpcid (%0), %1" : : "r"(descriptor), "r"(type) : "memory");
}

static u32 listen_in(u64 cr3)
{
    struct regs r = {
        .ip = (word)visit_space, .bx = cr3, .bp = space_a | 1 | KEEP, .si = window(3), .di = window(3) + 64};

    run_clean(&r);
    check("data beside it", r.ax + 1000, r.cx);
    return (u32)r.ax;
}

static void pcid(void)
{
    if (!features.pcid) {
        skip("no PCID");
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        speak(i, 100 + i);
    write_cr4(read_cr4() | CR4_PCIDE);
    write_cr3(space_a | 1);
    for (unsigned i = 0; i < 60; i++) {
        unsigned page = i % 8, next = (i * 3 + 1) % 8;

        window_b[3] = frame_of(page) | PWU;
        check("PCID 2, flushed", 100 + page, listen_in(space_b | 2));
        check("PCID 2, kept", 100 + page, listen_in(space_b | 2 | KEEP));
        window_b[3] = frame_of(next) | PWU;
        mix(listen_in(space_b | 2 | KEEP)); /* the old page or the new one */
        check("PCID 3, flushed", 100 + next, listen_in(space_b | 3));
        if (features.invpcid) {
            switch (i % 4) {
            case 0: invpcid(0, 2, window(3)); break;
            case 1: invpcid(1, 2, 0); break;
            case 2: invpcid(2, 0, 0); break;
            default: invpcid(3, 0, 0); break;
            }
            check("PCID 2 after INVPCID", 100 + next, listen_in(space_b | 2 | KEEP));
        }
        check("PCID 2 after a flush", 100 + next, listen_in(space_b | 2));
    }
    write_cr3(space_a); /* PCID 0: PCIDE can only be cleared there */
    write_cr4(read_cr4() & ~(word)CR4_PCIDE);
}
#else
static void pcid(void) { skip("PCID is for long mode"); }
#endif

const struct stop stops_space[] = {
    {"Tables of the inactive address space", inactive_tables},
    {"A directory of the inactive address space", inactive_directory},
    {"A page table that two address spaces share", shared_table},
    {"To the other address space and back", back_and_forth},
    {"Code that MOV CR3 replaces", next_from_other_space},
    {"Global pages and CR4.PGE", global_pages},
    {"Process-context identifiers", pcid},
};
const unsigned stops_space_count = ARRAY_LEN(stops_space);
