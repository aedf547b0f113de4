/* SPDX-License-Identifier: MIT
 * Stops: page tables that change under the code that runs.
 * SDM 3A, "Invalidation of TLBs and Paging-Structure Caches", "Accessed and Dirty Flags".
 */
#include "stress.h"

CODE(says, AT(says_at) "movl $0, %eax\n" EXIT);

/* Put code into an arena page that ends with `value` in EAX. */
static void speak(unsigned page, unsigned offset, u32 value)
{
    PLACE((word)arena[page] + offset, says);
    *(u32 *)(arena[page] + offset + 1) = value;
}

static u32 listen(word address)
{
    struct regs r = {.ip = address};

    run_clean(&r);
    return (u32)r.ax;
}

static void with_invlpg(void)
{
    speak(0, 0x123, 100);
    speak(1, 0x123, 101);
    speak(2, 0x123, 102);
    for (unsigned i = 0; i < 60; i++) {
        map(5, i % 3);
        check("the page that is mapped", 100 + i % 3, listen(window(5) + 0x123));
    }
}

/* Until something flushes, the old translation may be used or not; after MOV CR3 it may not. */
static void with_mov_cr3(void)
{
    speak(0, 0x321, 100);
    speak(1, 0x321, 101);
    for (unsigned i = 0; i < 40; i++) {
        map_only(5, frame_of(i & 1) | PWU);
        if (i & 2)
            mix(listen(window(5) + 0x321));
        write_cr3(read_cr3());
        check("the page that is mapped", 100 + (i & 1), listen(window(5) + 0x321));
    }
}

/* The code replaces the page it stands on and goes on in the other one, at the next instruction. */
#define LEAVES(name, how)                                                                                              \
    CODE(name, "mov " DX ", (" DI ")\n" how AT(name##_at) "movl $1, %eax\n" EXIT);                                     \
    extern const char name##_at[]
LEAVES(leaves_invlpg, "invlpg (" SI ")\n");
LEAVES(leaves_cr3, "mov " BX ", %cr3\n");
LEAVES(leaves_invlpg_late, "invlpg (" SI ")\n nop\n nop\n lea (" AX "), " CX "\n");
LEAVES(leaves_stale, "nop\n nop\n nop\n");

static void under_its_feet(void)
{
    static const struct {
        const char *begin, *end, *at;
        bool flushes;
    } ways[] = {
        {leaves_invlpg, leaves_invlpg_end, leaves_invlpg_at, true},
        {leaves_cr3, leaves_cr3_end, leaves_cr3_at, true},
        {leaves_invlpg_late, leaves_invlpg_late_end, leaves_invlpg_late_at, true},
        {leaves_stale, leaves_stale_end, leaves_stale_at, false},
    };

    for (unsigned i = 0; i < ARRAY_LEN(ways); i++) {
        for (unsigned again = 0; again < 20; again++) {
            unsigned offset = 0x200 + again * 5;
            unsigned from = 10 + (again & 1), to = 11 - (again & 1);
            struct regs r = {.ip = window(5) + offset, .di = (word)&window_a[5], .si = window(5), .bx = read_cr3()};

            map(5, from);
            place((word)arena[from] + offset, ways[i].begin, ways[i].end);
            place((word)arena[to] + offset, ways[i].begin, ways[i].end);
            *(u32 *)(arena[to] + offset + OFFSET(ways[i].at, ways[i].begin) + 1) = 2;
            r.dx = (word)(frame_of(to) | PWU);
            run_clean(&r);
            if (ways[i].flushes)
                check("the instruction after the flush, from the new page", 2, r.ax);
            else
                mix(r.ax);
        }
    }
}

/* An instruction that straddles two pages, whose second page is replaced. */
static void straddling(void)
{
    for (unsigned before = 1; before < 5; before++) {
        map(5, 0);
        map(6, 1);
        PLACE(window(6) - before, says);
        map(6, 2);
        PLACE(window(6) - before, says);
        map(6, 1);
        *(volatile u8 *)(window(6) - before + 4) = 0x11; /* the immediate's last byte: in the second page */
        map(6, 2);
        *(volatile u8 *)(window(6) - before + 4) = 0x22;
        for (unsigned i = 0; i < 12; i++) {
            map(6, 1 + (i & 1));
            check("the second page's byte", i & 1 ? 0x22000000 : 0x11000000, listen(window(6) - before));
            if (i % 4 == 3) {
                *(volatile u8 *)(arena[2] + 4 - before) = 0x33;
                check("after a store to the second page", 0x33000000, listen(window(6) - before));
                *(volatile u8 *)(arena[2] + 4 - before) = 0x22;
            }
        }
        map_only(6, 0);
        invlpg(window(6));
        struct regs r = {.ip = window(6) - before};
        check("without the second page: #PF", V_PF, run(&r, NULL));
        check("at the instruction", window(6) - before, r.ip);
        check("CR2: the second page", window(6), traps[0].cr2);
        check("error code: a fetch where NX is known", features.nx ? 0x10 : 0, traps[0].error);
        map(6, 1);
    }
}

/* ---- accessed and dirty */

CODE(reads, "movl (" DI "), %eax\n" EXIT);
CODE(writes, "movl %eax, (" DI ")\n" EXIT);
CODE(modifies, "addl $1, (" DI ")\n" EXIT);
CODE(compares, "movl $1, %eax\n lock cmpxchgl %edx, (" DI ")\n" EXIT); /* not equal: written all the same */
CODE(copies, "rep movsb\n" EXIT);
CODE(pushes, "mov " DI ", " SP "\n push " DX "\n" EXIT);
CODE(reads_many, "movl $100, %ecx\n 1: addl (" DI "), %eax\n decl %ecx\n jnz 1b\n" EXIT);

static void accessed_and_dirty(void)
{
    static const struct {
        const char *what, *code;
        word cx;
        u64 bits; /* of the page that DI points into */
    } rows[] = {
        {"read", reads, 0, PTE_A},
        {"write", writes, 0, PTE_A | PTE_D},
        {"add to memory", modifies, 0, PTE_A | PTE_D},
        {"LOCK CMPXCHG that fails", compares, 0, PTE_A | PTE_D},
        {"REP MOVSB", copies, 5, PTE_A | PTE_D},
        {"REP MOVSB of nothing", copies, 0, 0},
        {"push", pushes, 0, PTE_A | PTE_D},
        {"a loop of reads", reads_many, 0, PTE_A},
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned way = 0; way < 3; way++) {
            struct regs r = {
                .ip = (word)rows[i].code, .di = window(20) + 0x40, .si = (word)arena[30], .cx = rows[i].cx};

            map(20, 20);
            r.dx = *(volatile u32 *)window(20);
            if (way > 0)
                *(volatile u32 *)window(20) = 7; /* the dirty translation is cached */
            map_only(20, frame_of(20) | PWU);    /* A and D are clear again */
            if (way == 1)
                invlpg(window(20));
            else
                write_cr3(read_cr3());
            run_clean(&r);
            check(rows[i].what, frame_of(20) | PWU | rows[i].bits, window_a[20]);
        }
    }
}

static void accessed_by_fetch(void)
{
    for (unsigned i = 0; i < 20; i++) {
        speak(21, i, i);
        map_only(21, frame_of(21) | PWU);
        if (i & 1)
            invlpg(window(21));
        else
            write_cr3(read_cr3());
        check("fetched code", i, listen(window(21) + i));
        check("accessed, not dirty", frame_of(21) | PWU | PTE_A, window_a[21]);
    }
}

/* ---- rights that change in the middle of straight code */

CODE(protect, "movl $1, (" SI ")\n mov " DX ", (" DI ")\n invlpg (" SI
              ")\n incl %eax\n" AT(protect_at) "movl $2, (" SI ")\n incl %eax\n" EXIT);
extern const char protect_at[];

static word opens;

static bool open_again(struct frame *f)
{
    if (f->vector != V_PF)
        return false;
    opens++;
    map(22, 22);
    return true;
}

static void write_protection(void)
{
    for (unsigned i = 0; i < 20; i++) {
        struct regs r = {.ip = (word)protect, .si = window(22) + 8, .di = (word)&window_a[22]};

        opens = 0;
        map(22, 22);
        r.dx = (word)(frame_of(22) | P | U);
        check("end", INT_EXIT, run(&r, open_again));
        check("one fault", 1, opens);
        check("at the second store", (word)protect_at, traps[0].ip);
        check("error code: a write, the page is there", 3, traps[0].error);
        check("CR2", window(22) + 8, traps[0].cr2);
        check("EAX then", 1, traps[0].ax);
        check("EAX at the end", 2, r.ax);
    }
}

CODE(wp, "mov %cr0, " AX "\n and " CX ", " AX "\n mov " AX ", %cr0\n movl %edx, (" DI ")\n"
         "or $0x10000, " AX "\n mov " AX ", %cr0\n" AT(wp_at) "movl %ecx, (" DI ")\n" EXIT);
extern const char wp_at[];

static void cr0_wp(void)
{
    for (unsigned i = 0; i < 20; i++) {
        struct regs r = {.ip = (word)wp, .di = window(23), .cx = ~(word)CR0_WP, .dx = 1000 + i};

        map_only(23, frame_of(23) | P | U);
        invlpg(window(23));
        check("the second store faults", V_PF, run(&r, NULL));
        check("there", (word)wp_at, r.ip);
        check("the first was done", 1000 + i, *(u32 *)arena[23]);
    }
}

static void no_execute(void)
{
    if (!features.nx) {
        skip("no NX");
        return;
    }
    for (unsigned i = 0; i < 10; i++) {
        struct regs r = {.ip = window(24) + i};

        map(24, 24);
        speak(24, i, i);
        check("may execute", i, listen(window(24) + i));
        map_only(24, frame_of(24) | PWU | 1ull << 63);
        invlpg(window(24));
        check("may not", V_PF, run(&r, NULL));
        check("error code", 0x11, traps[0].error);
        check("CR2", window(24) + i, traps[0].cr2);
        check("may be read", i, *(volatile u32 *)(window(24) + i + 1));
    }
}

/* ---- large pages: the second entry of WINDOW's directory */

static void large_pages(void)
{
    static u64 small[512] __attribute__((aligned(4096)));
    const word base = WINDOW + 0x200000;
    const u64 first = 0x2000000, second = 0x2200000; /* nothing else is there */

    for (unsigned i = 0; i < 512; i++)
        small[i] = frame_of(i % ARENA_PAGES) | PWU;
    for (unsigned i = 0; i < 24; i++) {
        word offset = i * 0x15000u + 0x77;

        PLACE((word)first + offset, says);
        *(u32 *)((word)first + offset + 1) = 1;
        PLACE((word)second + offset, says);
        *(u32 *)((word)second + offset + 1) = 2;
        window_directory_a[1] = first | PWU | LARGE;
        invlpg(base + offset);
        check("first large page", 1, listen(base + offset));
        check("and its end", 0, *(volatile u8 *)(base + 0x1FFFFF));
        window_directory_a[1] = second | PWU | LARGE;
        invlpg(base + 0x1FFFFF); /* any address in the page */
        check("second large page", 2, listen(base + offset));
        speak((offset >> 12) % ARENA_PAGES, 0x77, 3);
        window_directory_a[1] = (word)small | PWU;
        if (i & 1)
            write_cr3(read_cr3());
        else
            invlpg(base + offset);
        check("in small pages", 3, listen(base + offset));
    }
    window_directory_a[1] = 0;
    write_cr3(read_cr3());
}

/* ---- page tables that are written in unusual ways */

CODE(stos_table, "mov " DX ", " AX "\n rep stosl\n invlpg (" SI ")\n call *" SI "\n" EXIT);
CODE(push_table, "mov " SP ", " BP "\n mov " DI ", " SP "\n push " DX "\n mov " BP ", " SP "\n invlpg (" SI
                 ")\n call *" SI "\n" EXIT);
CODE(xchg_table, "xchg " DX ", (" DI ")\n invlpg (" SI ")\n call *" SI "\n" EXIT);
CODE(returns, "movl $0, %eax\n ret\n");

static void tables_by_any_store(void)
{
    for (unsigned i = 0; i < 40; i++) {
        unsigned to = 12 + (i & 3);
        struct regs r = {.si = window(25), .di = (word)&window_a[25], .dx = (word)(frame_of(to) | PWU)};

        PLACE((word)arena[to], returns);
        *(u32 *)(arena[to] + 1) = to;
        switch (i % 3) {
        case 0:
            r.ip = (word)stos_table;
            r.cx = 1; /* the entry's low half; its high half is zero */
            break;
        case 1:
            r.ip = (word)push_table;
            r.di += sizeof(word);
            break;
        default: r.ip = (word)xchg_table; break;
        }
        run_clean(&r);
        check("the new page's code", to, r.ax);
    }
}

const struct stop stops_page[] = {
    {"A page replaced, with INVLPG", with_invlpg},
    {"A page replaced, with MOV CR3 later", with_mov_cr3},
    {"Code that replaces its own page", under_its_feet},
    {"An instruction on two pages", straddling},
    {"Accessed and dirty bits", accessed_and_dirty},
    {"Accessed bits of fetches", accessed_by_fetch},
    {"Write protection in the middle of code", write_protection},
    {"CR0.WP in the middle of code", cr0_wp},
    {"No-execute pages", no_execute},
    {"Large pages that change and part", large_pages},
    {"Page tables written by PUSH, XCHG and STOS", tables_by_any_store},
};
const unsigned stops_page_count = ARRAY_LEN(stops_page);
