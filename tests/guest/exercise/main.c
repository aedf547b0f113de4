/* SPDX-License-Identifier: MIT
 * exercise64, exercise32: the script; exercise64 child N: a program that touches its pages and exits with N.
 */
#include "exercise.h"

#include <linux/mman.h>

__attribute__((noinline)) long raw_call(long number, word a, word b, word c, word d, word e, word f)
{
    long result;

#ifdef __x86_64__
    register word r10 __asm__("r10") = d;
    register word r8 __asm__("r8") = e;
    register word r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
#else
    /* The sixth argument goes into EBP, which no constraint names. */
    word sixth = f;

    __asm__ volatile("push %[sixth]\n\t"
                     "push %%ebp\n\t"
                     "mov 4(%%esp), %%ebp\n\t"
                     "int $0x80\n\t"
                     "pop %%ebp\n\t"
                     "add $4, %%esp"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), [sixth] "m"(sixth)
                     : "memory");
#endif
    return result;
}

/* The compiler may call these for what is written as a loop or an initialiser. */
void *memset(void *to, int value, word size);
void *memset(void *to, int value, word size)
{
    for (word i = 0; i < size; i++)
        ((volatile char *)to)[i] = (char)value;
    return to;
}

void *memcpy(void *to, const void *from, word size);
void *memcpy(void *to, const void *from, word size)
{
    for (word i = 0; i < size; i++)
        ((volatile char *)to)[i] = ((const char *)from)[i];
    return to;
}

void touch_pages(unsigned area)
{
    word base = TOUCH_BASE + area * TOUCH_STRIDE;
    word size = TOUCH_PAGES * 4096;

#ifdef __x86_64__
    S(mmap, base, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
#else
    S(mmap2, base, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
#endif
    for (word i = 0; i < TOUCH_PAGES; i++)
        *(volatile char *)(base + i * 4096 + i) = 1;
}

static word parse(const char *s)
{
    word value = 0;

    for (; *s >= '0' && *s <= '9'; s++)
        value = value * 10 + (word)(*s - '0');
    return value;
}

int program(const struct start *start)
{
    if (start->argc > 2) {
        touch_pages((unsigned)parse(start->argv[2]));
        return (int)parse(start->argv[2]);
    }
    touch_pages(0);
    exercise_files();
    exercise_descriptors();
    exercise_sockets();
    exercise_memory();
    exercise_identity();
    exercise_time();
    exercise_signals();
    exercise_processes(start->argv);
    return 3;
}
