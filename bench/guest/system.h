/* SPDX-License-Identifier: MIT
 * The system calls of the workloads, by number and by the structures that the kernel takes, on both widths.
 *
 * The 64-bit program calls by SYSCALL, the 32-bit one by INT 80h: an entry that every 32-bit processor has.
 */
#ifndef RINGSIDE_BENCH_GUEST_SYSTEM_H
#define RINGSIDE_BENCH_GUEST_SYSTEM_H

#include "../../tests/guest/guest.h"

#ifdef __x86_64__
enum {
    SYS_READ = 0,
    SYS_CLOSE = 3,
    SYS_MMAP = 9,
    SYS_MUNMAP = 11,
    SYS_RT_SIGACTION = 13,
    SYS_RT_SIGRETURN = 15,
    SYS_IOCTL = 16,
    SYS_PIPE = 22,
    SYS_MADVISE = 28,
    SYS_FORK = 57,
    SYS_EXIT = 60,
    SYS_WAIT4 = 61,
    SYS_KILL = 62,
    SYS_REBOOT = 169,
};

static inline long system_call4(long number, word a, word b, word c, word d)
{
    register word r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}
#else
enum {
    SYS_EXIT = 1,
    SYS_FORK = 2,
    SYS_READ = 3,
    SYS_CLOSE = 6,
    SYS_KILL = 37,
    SYS_PIPE = 42,
    SYS_IOCTL = 54,
    SYS_REBOOT = 88,
    SYS_MMAP = 90,
    SYS_MUNMAP = 91,
    SYS_WAIT4 = 114,
    SYS_RT_SIGRETURN = 173,
    SYS_RT_SIGACTION = 174,
    SYS_MADVISE = 219,
};

static inline long system_call4(long number, word a, word b, word c, word d)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
    return result;
}
#endif

enum { PAGE = 4096 };

/* Map fresh zero pages, readable and writable.
 * in: size in bytes, whole pages.   returns: their address, or a small negative number */
static inline char *map_pages(word size)
{
    enum { PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22 };
#ifdef __x86_64__
    register word r10 __asm__("r10") = MAP_PRIVATE_ANONYMOUS;
    register word r8 __asm__("r8") = (word)-1;
    register word r9 __asm__("r9") = 0;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_MMAP), "D"(0), "S"(size), "d"(PROT_READ_WRITE), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return (char *)result;
#else
    /* The 32-bit table's first mmap takes its six arguments in memory. */
    const word arguments[6] = {0, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, (word)-1, 0};

    return (char *)system_call3(SYS_MMAP, (word)arguments, 0, 0);
#endif
}

#endif
