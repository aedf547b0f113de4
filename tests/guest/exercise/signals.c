/* SPDX-License-Identifier: MIT
 * The script's part about signals: handlers, masks, and calls that a signal interrupts, restarted or not.
 */
#include "exercise.h"

#include <linux/time.h>

enum { SIGQUIT_ = 3, SIGUSR1_ = 10, SIGUSR2_ = 12, SIGALRM_ = 14, SIGCHLD_ = 17, SIGSEGV_ = 11 };
enum { SIGINFO = 4, RESTORER = 0x04000000, ONSTACK = 0x08000000, RESTART = 0x10000000 };
enum { BLOCK = 0, UNBLOCK = 1 };

struct action {
    void *handler;
    word flags;
    void *restorer;
    unsigned mask[2];
};

/* Where a handler returns to. The 32-bit kernel makes the older frame for a handler without SA_SIGINFO, and each frame
 * has a call of its own. */
void restore(void), restore_old(void);
#ifdef __x86_64__
__asm__(".text\n.globl restore, restore_old\nrestore: restore_old: mov $15, %eax\n syscall\n ud2");
#else
__asm__(".text\n.globl restore, restore_old\nrestore: mov $173, %eax\n int $0x80\n ud2\n"
        "restore_old: pop %eax\n mov $119, %eax\n int $0x80\n ud2");
#endif

static int pipe_ends[2];
static char buffer[1024];

static void plain(int number) { S(gettid, number); }

static void feed(int number)
{
    (void)number;
    S(write, pipe_ends[1], "!", 1);
}

/* Step over the instruction that faulted: nothing but the page's protection is mended. */
static void mend(int number)
{
    (void)number;
    S(mprotect, 0x41000000, 4096, 3);
}

static void handle(int number, void *handler, word flags)
{
    struct action action = {.handler = handler, .flags = flags | RESTORER};

    action.restorer = (void *)(flags & SIGINFO ? restore : restore_old);

    S(rt_sigaction, number, &action, 0, 8);
}

static void masks(void)
{
    unsigned mask[2] = {1u << (SIGUSR1_ - 1) | 1u << (SIGUSR2_ - 1), 0};
    struct timespec none = {0, 0};
    long me = S(getpid);

    handle(SIGUSR1_, plain, 0);
    S(rt_sigaction, SIGUSR1_, 0, buffer, 8);
    S(rt_sigaction, 99, 0, buffer, 8);
    S(kill, me, SIGUSR1_);
    S(rt_sigprocmask, BLOCK, mask, 0, 8);
    S(kill, me, SIGUSR1_);
    S(tgkill, me, me, SIGUSR2_);
    S(rt_sigpending, buffer, 8);
    S(rt_sigtimedwait, mask, buffer, &none, 8);
    S(rt_sigtimedwait, mask, buffer, &none, 8);
    S(rt_sigtimedwait, mask, buffer, &none, 8);
    S(rt_sigprocmask, UNBLOCK, mask, buffer, 8);
    S(kill, me, 0);
    S(kill, 31999, SIGUSR1_);
    S(tkill, me, SIGUSR1_);
}

static void alarm_in(long milliseconds)
{
    struct itimerval interval = {{0, 0}, {0, milliseconds * 1000}};

    S(setitimer, ITIMER_REAL, &interval, 0);
}

static void interrupted(void)
{
    struct timespec second = {1, 0}, rest;
    unsigned none[2] = {0, 0};

    S(pipe2, pipe_ends, 0);
    handle(SIGALRM_, feed, RESTART);
    alarm_in(10);
    S(read, pipe_ends[0], buffer, 1); /* made again, and then there is something */
    handle(SIGALRM_, plain, 0);
    alarm_in(10);
    S(read, pipe_ends[0], buffer, 1); /* EINTR */
    alarm_in(10);
    S(nanosleep, &second, &rest);
    alarm_in(10);
    S(rt_sigsuspend, none, 8);
    alarm_in(10);
    S(pause);
    S(close, pipe_ends[0]);
    S(close, pipe_ends[1]);
}

static void faults(void)
{
    static char stack[16384] __attribute__((aligned(16)));
    struct {
        void *base;
        int flags;
        word size;
    } other = {stack, 0, sizeof stack};

    S(sigaltstack, &other, 0);
    handle(SIGSEGV_, mend, ONSTACK | SIGINFO);
#ifdef __x86_64__
    S(mmap, 0x41000000, 4096, 1, 0x32, -1, 0);
#else
    S(mmap2, 0x41000000, 4096, 1, 0x32, -1, 0);
#endif
    *(volatile char *)0x41000000 = 5;
    S(munmap, 0x41000000, 4096);
    other.flags = 2;
    S(sigaltstack, &other, buffer);
    handle(SIGSEGV_, 0, 0);
}

#ifndef __x86_64__
static void old_forms(void)
{
    unsigned mask = 1u << (SIGUSR2_ - 1);
    struct {
        void *handler;
        word mask, flags;
        void *restorer;
    } action = {(void *)plain, 0, 0, 0};

    S(sigaction, SIGUSR2_, &action, 0);
    S(sigprocmask, BLOCK, &mask, buffer);
    long me = S(getpid);
    S(kill, me, SIGUSR2_);
    S(sigpending, buffer);
    S(sigprocmask, UNBLOCK, &mask, 0);
}
#endif

void exercise_signals(void)
{
    masks();
    interrupted();
    faults();
#ifndef __x86_64__
    old_forms();
#endif
}
