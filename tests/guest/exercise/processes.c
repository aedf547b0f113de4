/* SPDX-License-Identifier: MIT
 * The script's part about processes: every way to make one, and every way in which one ends.
 */
#include "exercise.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/time.h>

enum { CHILD_SIGNAL = 17, KILL = 9, TERM = 15, STACK = 16384 };

static char buffer[512];
static unsigned word_in_memory;
static char thread_stack[STACK] __attribute__((aligned(16)));

/* VFORK returns twice on one stack: there may be no function around it that has returned in between. */
static inline __attribute__((always_inline)) long vfork_here(void)
{
    long result;

#ifdef __x86_64__
    __asm__ volatile("syscall" : "=a"(result) : "a"(__NR_vfork) : "rcx", "r11", "memory");
#else
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(__NR_vfork) : "memory");
#endif
    return result;
}

/* A thread that begins with a function whose address stands on top of its stack. */
static long start_thread(word flags, void (*function)(void), unsigned *parent_tid, unsigned *child_tid)
{
    word *top = (word *)(thread_stack + STACK) - 1;
    long result;

    *top = (word)function;
#ifdef __x86_64__
    register word r10 __asm__("r10") = (word)child_tid;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "pop %%rax\n\t"
                     "call *%%rax\n\t"
                     "ud2\n"
                     "1:"
                     : "=a"(result)
                     : "a"(__NR_clone), "D"(flags), "S"(top), "d"(parent_tid), "r"(r10)
                     : "rcx", "r11", "memory");
#else
    __asm__ volatile("int $0x80\n\t"
                     "test %%eax, %%eax\n\t"
                     "jnz 1f\n\t"
                     "pop %%eax\n\t"
                     "call *%%eax\n\t"
                     "ud2\n"
                     "1:"
                     : "=a"(result)
                     : "a"(__NR_clone), "b"(flags), "c"(top), "d"(parent_tid), "S"(0), "D"(child_tid)
                     : "memory");
#endif
    return result;
}

static void thread(void)
{
    touch_pages(1);
    S(gettid);
    word_in_memory = 1;
    S(futex, &word_in_memory, FUTEX_WAKE, 1);
    for (;;)
        S(exit, 5);
}

static void threads(void)
{
    static unsigned parent_tid, child_tid = 1;
    struct timespec short_time = {0, 1000000};

    S(futex, &word_in_memory, FUTEX_WAIT, 7, 0);
    S(futex, &word_in_memory, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &short_time);
    start_thread(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
                 thread, &parent_tid, &child_tid);
    while (*(volatile unsigned *)&word_in_memory == 0)
        S(futex, &word_in_memory, FUTEX_WAIT, 0, 0);
    while (*(volatile unsigned *)&child_tid != 0)
        S(futex, &child_tid, FUTEX_WAIT, *(volatile unsigned *)&child_tid, 0);
}

static void leave(int status)
{
    for (;;)
        S(exit_group, status);
}

static void forks(char **argv)
{
    static char *child[] = {0, "child", "21", 0}, *environment[] = {"A=1", "LONG=x", 0};
    long pid;

    child[0] = argv[0];
    if (S(fork) == 0) {
        touch_pages(2);
        S(getppid);
        leave(11);
    }
    S(wait4, -1, buffer, 0, 0);
    pid = S(clone, CHILD_SIGNAL, 0, 0, 0, 0);
    if (pid == 0) {
        touch_pages(3);
        leave(12);
    }
    S(waitid, 1, pid, buffer, 4, 0);
    if (vfork_here() == 0) {
        S(execve, "/no/such/program", child, environment);
        S(execve, "/proc/self/exe", child, environment);
        leave(13);
    }
    S(wait4, -1, buffer, 0, buffer + 64);
    S(wait4, -1, buffer, 1, 0);
    S(execve, BAD_POINTER, 0, 0);
}

static void deaths(void)
{
    struct timespec short_time = {0, 5000000}, long_time = {100, 0};
    long pid = S(fork);

    if (pid == 0) {
        touch_pages(4);
        S(nanosleep, &long_time, 0);
        leave(14);
    }
    S(nanosleep, &short_time, 0); /* until the child sleeps too */
    S(kill, pid, KILL);
    S(wait4, pid, buffer, 0, 0);
    pid = S(fork);
    if (pid == 0) {
        touch_pages(5);
        volatile char *nowhere = BAD_POINTER;

        __asm__("" : "+r"(nowhere));
        *nowhere = 1;
        leave(15);
    }
    S(wait4, pid, buffer, 0, 0);
    pid = S(fork);
    if (pid == 0) {
        touch_pages(6);
        pid = S(getpid);
        S(kill, pid, TERM);
        leave(16);
    }
    S(wait4, pid, buffer, 0, 0);
    pid = S(fork);
    if (pid == 0) {
        touch_pages(7);
        S(exit, 255);
    }
    S(wait4, pid, buffer, 0, 0);
}

#ifdef __x86_64__
/* 64-bit code may use the gate of the 32-bit interface: the 32-bit numbers hold, and 32 bits of each register. */
static long gate_call(long number, word a, word b, word c)
{
    long result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "r8", "r9", "r10", "r11", "memory");
    return result;
}

static void by_the_other_gate(void)
{
    enum { I386_OPEN = 5, I386_WRITE = 4, I386_CLOSE = 6, I386_GETPID = 20, I386_UNAME = 122 };
    static const char name[] = "/dev/null", text[] = "by int 0x80";
    long fd;

    gate_call(I386_GETPID, 0, 0, 0);
    fd = gate_call(I386_OPEN, (word)name, 1, 0);
    gate_call(I386_WRITE, (word)fd, (word)text, sizeof text - 1);
    gate_call(I386_CLOSE, (word)fd, 0, 0);
    gate_call(I386_CLOSE, (word)fd, 0, 0);
    gate_call(I386_UNAME, (word)buffer, 0, 0);
    S(getpid);
}
#else
static void by_the_other_gate(void) { S(waitpid, -1, buffer, 1); }
#endif

void exercise_processes(char **argv)
{
    threads();
    forks(argv);
    deaths();
    by_the_other_gate();
}
