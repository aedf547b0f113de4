/* SPDX-License-Identifier: MIT
 * Stops: code that is written while it runs.
 * SDM 3A, "Self-Modifying Code": on one processor a store is seen by the next fetch after a jump; since the P6 without
 * one.
 */
#include "stress.h"

/* One store, then the instruction whose immediate it changed. */
#define STORE(name, store)                                                                                             \
    CODE(name, store AT(name##_at) "movl $0x11223344, %eax\n" EXIT);                                                   \
    extern const char name##_at[]

STORE(by_byte, "movb %dl, (" DI ")\n");
STORE(by_word, "movl %edx, (" DI ")\n");
STORE(by_two, "addl $1, (" DI ")\n addl $1, (" DI ")\n");
STORE(by_xchg, "mov " DX ", " CX "\n xchgl %ecx, (" DI ")\n");
STORE(by_lock, "lock addl %edx, (" DI ")\n");
STORE(by_cmpxchg, "movl $0x11223344, %eax\n lock cmpxchgl %edx, (" DI ")\n");
STORE(by_bts, "lock btsl $31, (" DI ")\n");
STORE(by_setcc, "cmp %eax, %eax\n sete (" DI ")\n");
STORE(by_stos, "mov " DX ", " AX "\n stosb\n");
STORE(by_movs, "movsl\n");
STORE(by_movnti, "movntil %edx, (" DI ")\n");
STORE(by_movd, "movd %edx, %xmm0\n movd %xmm0, (" DI ")\n");
STORE(by_fist, "fildl (" SI ")\n fistpl (" DI ")\n");
STORE(by_push, "xchg " DI ", " SP "\n push " DX "\n xchg " DI ", " SP "\n");
STORE(by_cmpxchg8b, "movl (" DI "), %eax\n mov 4(" DI "), %edx\n mov (" SI "), %ebx\n mov %edx, %ecx\n"
                    "cmpxchg8b (" DI ")\n");
STORE(by_far_off, "movb %dl, (" DI ")\n .rept 40\n lea 1(" BX "), " BX "\n .endr\n");

static const struct {
    const char *name, *begin, *end, *at;
    u32 expected; /* for edx = 99AABBCC, (si) = 77665544 */
} stores[] = {
#define ROW(name, expected)                                                                                            \
    {                                                                                                                  \
#name, name, name##_end, name##_at, expected                                                                   \
    }
    ROW(by_byte, 0x112233CC), ROW(by_word, 0x99AABBCC), ROW(by_two, 0x11223346),       ROW(by_xchg, 0x99AABBCC),
    ROW(by_lock, 0xAACCEF10), ROW(by_bts, 0x91223344),  ROW(by_cmpxchg, 0x99AABBCC),   ROW(by_setcc, 0x11223301),
    ROW(by_stos, 0x112233CC), ROW(by_movs, 0x77665544), ROW(by_movnti, 0x99AABBCC),    ROW(by_movd, 0x99AABBCC),
    ROW(by_fist, 0x77665544), ROW(by_push, 0x99AABBCC), ROW(by_cmpxchg8b, 0x77665544), ROW(by_far_off, 0x112233CC),
#undef ROW
};

/* Place at `code`, store through `alias` (the same bytes at another linear address), at `offset` in the page. */
static void try_store(unsigned i, word code, word alias, unsigned offset)
{
    word at = OFFSET(stores[i].at, stores[i].begin) + 1;

    for (unsigned again = 0; again < 3; again++) {
        /* In 64-bit mode PUSH writes eight bytes: the upper four are an EXIT. */
        struct regs r = {
            .ip = code + offset, .dx = (word)0x41CD99AABBCC, .di = alias + offset + at, .si = (word)arena[40]};

        *(u32 *)arena[40] = 0x77665544;
        place(code + offset, stores[i].begin, stores[i].end);
        if (stores[i].begin == by_push)
            r.di += sizeof(word);
        run_clean(&r);
        check(stores[i].name, stores[i].expected, r.ax);
    }
}

static void next_instruction(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(stores); i++)
        try_store(i, (word)arena[0], (word)arena[0], 0x800);
}

static void through_alias(void)
{
    map(5, 0);
    map(6, 0);
    for (unsigned i = 0; i < ARRAY_LEN(stores); i++) {
        try_store(i, window(5), window(6), 0x800);
        try_store(i, (word)arena[0], window(6), 0x840);
        try_store(i, window(5), (word)arena[0], 0x880);
    }
}

/* The code lies across two pages at every possible place; the pages are neighbours in the window only. */
static void across_pages(void)
{
    map(5, 2);
    map(6, 9);
    map(7, 2);
    map(8, 9);
    for (unsigned i = 0; i < ARRAY_LEN(stores); i++) {
        unsigned length = (unsigned)(stores[i].end - stores[i].begin);

        for (unsigned before = 1; before < length && before < 24; before++) {
            try_store(i, window(5), window(5), 4096 - before);
            try_store(i, window(5), window(7), 4096 - before);
        }
    }
}

CODE(other_page, "call *" SI "\n movb %dl, (" DI ")\n call *" SI "\n" EXIT);
CODE(called, "add $1, " AX "\n ret\n"); /* the immediate is its last byte but one */

static void in_another_page(void)
{
    PLACE((word)arena[0], other_page);
    for (unsigned i = 0; i < 200; i++) {
        struct regs r = {.ip = (word)arena[0], .si = (word)arena[3] + i, .dx = i & 0x7F};

        PLACE(r.si, called);
        r.di = r.si + OFFSET(called_end, called) - 2;
        run_clean(&r);
        check("the called code, before and after", 1 + (i & 0x7F), r.ax);
    }
}

CODE(growing, "1: addl $1, %eax\n addb %dl, (" DI ")\n decl %ecx\n jnz 1b\n" EXIT);

/* A loop that changes an instruction behind the store. */
static void behind(void)
{
    for (u32 step = 0; step < 8; step++) {
        struct regs r = {.ip = (word)arena[0] + 0x100, .cx = 12, .dx = step};

        r.di = r.ip + 2;
        PLACE(r.ip, growing);
        run_clean(&r);
        check("sum of immediates that grow", 12 + step * 66, r.ax);
    }
}

CODE(rep_ahead, "rep stosb\n" AT(rep_ahead_at) "ud2\n ud2\n ud2\n ud2\n" EXIT);
CODE(rep_copy, "rep movsb\n" AT(rep_copy_at) "ud2\n ud2\n ud2\n ud2\n" EXIT);
CODE(rep_words, "rep movsl\n" AT(rep_words_at) "ud2\n ud2\n ud2\n ud2\n" EXIT);
CODE(rep_source, "movl $0x1234567, %eax\n nop\n nop\n nop\n");
extern const char rep_ahead_at[], rep_copy_at[], rep_words_at[];

static void by_rep(void)
{
    map(5, 2);
    map(6, 9);
    for (unsigned offset = 4096 - 14; offset <= 4096; offset++) {
        struct regs r = {.ip = window(5) + offset, .ax = 0x90, .cx = 8};

        PLACE(r.ip, rep_ahead);
        r.di = r.ip + OFFSET(rep_ahead_at, rep_ahead);
        run_clean(&r);
        check("REP STOSB over the next instructions", 0x90, r.ax);
        r = (struct regs){.ip = window(5) + offset, .cx = 8, .si = (word)rep_source};
        PLACE(r.ip, rep_copy);
        r.di = r.ip + OFFSET(rep_copy_at, rep_copy);
        run_clean(&r);
        check("REP MOVSB", 0x1234567, r.ax);
        r = (struct regs){.ip = window(5) + offset, .cx = 8, .flags = FLAG_DF, .si = (word)rep_source + 7};
        PLACE(r.ip, rep_copy);
        r.di = r.ip + OFFSET(rep_copy_at, rep_copy) + 7;
        run_clean(&r);
        check("REP MOVSB, downwards", 0x1234567, r.ax);
        r = (struct regs){.ip = window(5) + offset, .cx = 2, .si = (word)rep_source};
        PLACE(r.ip, rep_words);
        r.di = r.ip + OFFSET(rep_words_at, rep_words);
        run_clean(&r);
        check("REP MOVSD", 0x1234567, r.ax);
    }
}

CODE(becomes_exit, "movw %dx, (" DI ")\n" AT(becomes_exit_at) "ud2\n" EXIT);
CODE(becomes_fault, "movw %dx, (" DI ")\n" AT(becomes_fault_at) "nop\n nop\n" EXIT);
CODE(becomes_jump, "movw %dx, (" DI ")\n" AT(becomes_jump_at) "nop\n nop\n ud2\n" EXIT);
extern const char becomes_exit_at[], becomes_fault_at[], becomes_jump_at[];

/* The instruction changes its kind: a fault, a branch, an interrupt, at the end of a block or no more. */
static void another_kind(void)
{
    for (unsigned i = 0; i < 50; i++) {
        struct regs r = {.ip = (word)arena[1] + i * 7, .dx = 0x9090};

        PLACE(r.ip, becomes_exit);
        r.di = r.ip + OFFSET(becomes_exit_at, becomes_exit);
        run_clean(&r);
        r = (struct regs){.ip = (word)arena[1] + i * 7, .dx = 0x0B0F};
        PLACE(r.ip, becomes_fault);
        r.di = r.ip + OFFSET(becomes_fault_at, becomes_fault);
        check("UD2 where NOPs were: vector", V_UD, run(&r, NULL));
        check("its address", r.di, r.ip);
        r = (struct regs){.ip = (word)arena[1] + i * 7, .dx = 0x02EB};
        PLACE(r.ip, becomes_jump);
        r.di = r.ip + OFFSET(becomes_jump_at, becomes_jump);
        run_clean(&r);
    }
}

/* A page that is code and data by turns, many times: it must not lose its place as code. */
CODE(counting, "1: incl (" DI ")\n movl (" DI "), %eax\n decl %ecx\n jnz 1b\n" EXIT);

static void code_and_data(void)
{
    for (unsigned distance = 32; distance < 2048; distance = distance * 5 / 3) {
        struct regs r = {.ip = (word)arena[4], .di = (word)arena[4] + distance, .cx = 300};

        arena_fill(4, 0);
        PLACE(r.ip, counting);
        run_clean(&r);
        check("a counter in the code's own page", 300, r.ax);
        for (u32 i = 0; i < 10; i++) {
            r = (struct regs){.ip = (word)arena[4] + distance, .dx = i, .di = (word)arena[4] + distance + 8};
            place(r.ip, by_word, by_word_end);
            r.di = r.ip + OFFSET(by_word_at, by_word) + 1;
            run_clean(&r);
            check("and code again", i, r.ax);
        }
    }
}

const struct stop stops_code[] = {
    {"Stores of every kind into the next instruction", next_instruction},
    {"The same through another linear address", through_alias},
    {"The same across a page boundary", across_pages},
    {"Code in another page", in_another_page},
    {"A loop that writes behind itself", behind},
    {"REP STOS and REP MOVS over the code that follows", by_rep},
    {"Instructions that change their kind", another_kind},
    {"Code and data in one page", code_and_data},
};
const unsigned stops_code_count = ARRAY_LEN(stops_code);
