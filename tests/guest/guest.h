/* SPDX-License-Identifier: MIT
 * What a guest program without a C library has: raw system calls, and text on its standard output.
 */
#ifndef RINGSIDE_TESTS_GUEST_GUEST_H
#define RINGSIDE_TESTS_GUEST_GUEST_H

typedef unsigned long word; /* as wide as a pointer */

#ifdef __x86_64__
enum { SYS_WRITE = 1, SYS_GETPID = 39, SYS_EXIT_GROUP = 231 };

static inline long system_call3(long number, word a, word b, word c)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
#else
enum { SYS_WRITE = 4, SYS_GETPID = 20, SYS_EXIT_GROUP = 252 };

static inline long system_call3(long number, word a, word b, word c)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}
#endif

/* What the kernel put above the initial stack pointer. */
struct start {
    word argc;
    char **argv;
    const word *auxv; /* pairs (type, value), ended by type 0 */
};

/* The program: its result is the exit status. */
int program(const struct start *start);

/* Text gathered here leaves in one write, so that lines stay whole. */
struct text {
    char bytes[256];
    word size;
};

static inline void text_add(struct text *t, const char *s)
{
    while (*s != '\0' && t->size < sizeof t->bytes)
        t->bytes[t->size++] = *s++;
}

static inline void text_add_hex(struct text *t, word value)
{
    char digits[2 * sizeof value + 3];
    char *p = digits + sizeof digits;

    *--p = '\0';
    do
        *--p = "0123456789abcdef"[value & 15];
    while ((value >>= 4) != 0);
    *--p = 'x';
    *--p = '0';
    text_add(t, p);
}

static inline void text_add_decimal(struct text *t, word value)
{
    char digits[24];
    char *p = digits + sizeof digits;

    *--p = '\0';
    do
        *--p = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    text_add(t, p);
}

static inline void text_print(struct text *t)
{
    system_call3(SYS_WRITE, 1, (word)t->bytes, t->size);
    t->size = 0;
}

/* returns: the value of an auxiliary vector entry, 0 when there is none */
static inline word start_auxiliary(const struct start *start, word type)
{
    for (const word *a = start->auxv; a[0] != 0; a += 2)
        if (a[0] == type)
            return a[1];
    return 0;
}

/* The first C code of the program: stack is the initial stack pointer. */
void start_c(word *stack) __attribute__((noreturn));

#endif
