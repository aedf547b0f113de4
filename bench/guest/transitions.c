/* SPDX-License-Identifier: MIT
 * Workloads that spend their time in the kernel and on the way to it and back.
 */
#include "system.h"
#include "workload.h"

word work_mmap(word count)
{
    word sum = 0;

    for (word i = 0; i < count; i++) {
        char *p = map_pages(4 * PAGE);

        /* Written, not read before: a fresh page that is only read is the shared zero page, and faults again on a write. */
        for (word page = 0; page < 4; page++)
            p[page * PAGE] = (char)i;
        sum += (unsigned char)p[0];
        sum += (word)system_call3(SYS_MUNMAP, (word)p, 4 * PAGE, 0);
    }
    return sum;
}

word work_faults(word count)
{
    enum { PAGES = 1024, MADV_DONTNEED = 4, MADV_NOHUGEPAGE = 15 };
    char *p = map_pages(PAGES * PAGE);
    word sum = 0;

    /* A huge page would take 512 faults at once. A kernel without huge pages refuses the advice, and needs none. */
    system_call3(SYS_MADVISE, (word)p, PAGES * PAGE, MADV_NOHUGEPAGE);
    for (word done = 0; done < count;) {
        for (word page = 0; page < PAGES && done < count; page++, done++)
            p[page * PAGE] = 1;
        sum += (unsigned char)p[0];
        system_call3(SYS_MADVISE, (word)p, PAGES * PAGE, MADV_DONTNEED);
    }
    system_call3(SYS_MUNMAP, (word)p, PAGES * PAGE, 0);
    return sum; /* one for each batch */
}

/* Where a handler returns to: the stack pointer must be as the kernel left it, so this is no C function. */
void signal_return(void);
#ifdef __x86_64__
__asm__("signal_return: mov $15, %eax\n\tsyscall\n");
#else
__asm__("signal_return: mov $173, %eax\n\tint $0x80\n");
#endif

static volatile word signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

word work_signal(word count)
{
    enum { SIGUSR1 = 10, SA_SIGINFO = 4, SA_RESTORER = 0x04000000, MASK_BYTES = 8 };
    /* The kernel's own layout, which is not the C library's. SA_SIGINFO gives both widths the frame of rt_sigreturn. */
    struct {
        void (*handler)(int);
        word flags;
        void (*restorer)(void);
        unsigned char mask[MASK_BYTES];
    } action = {on_signal, SA_SIGINFO | SA_RESTORER, signal_return, {0}};
    word self = (word)system_call3(SYS_GETPID, 0, 0, 0);

    signals = 0;
    if (system_call4(SYS_RT_SIGACTION, SIGUSR1, (word)&action, 0, MASK_BYTES) != 0)
        return 0;
    for (word i = 0; i < count; i++)
        system_call3(SYS_KILL, self, SIGUSR1, 0);
    return signals;
}

word work_fork(word count)
{
    word waited = 0;

    for (word i = 0; i < count; i++) {
        long child = system_call3(SYS_FORK, 0, 0, 0);

        if (child == 0)
            system_call3(SYS_EXIT, 0, 0, 0);
        waited += system_call4(SYS_WAIT4, (word)child, 0, 0, 0) == child;
    }
    return waited;
}

static void echo_until_closed(int from, int to)
{
    char byte;

    while (system_call3(SYS_READ, (word)from, (word)&byte, 1) == 1) {
        byte++;
        system_call3(SYS_WRITE, (word)to, (word)&byte, 1);
    }
    system_call3(SYS_EXIT, 0, 0, 0);
}

word work_pipe(word count)
{
    int there[2], back[2];
    long child;
    char byte = 0;
    word sum = 0;

    if (system_call3(SYS_PIPE, (word)there, 0, 0) != 0 || system_call3(SYS_PIPE, (word)back, 0, 0) != 0)
        return 0;
    child = system_call3(SYS_FORK, 0, 0, 0);
    if (child == 0) {
        system_call3(SYS_CLOSE, (word)there[1], 0, 0);
        echo_until_closed(there[0], back[1]);
    }
    for (word i = 0; i < count; i++) {
        system_call3(SYS_WRITE, (word)there[1], (word)&byte, 1);
        sum += (word)system_call3(SYS_READ, (word)back[0], (word)&byte, 1);
    }
    for (int i = 0; i < 2; i++) {
        system_call3(SYS_CLOSE, (word)there[i], 0, 0);
        system_call3(SYS_CLOSE, (word)back[i], 0, 0);
    }
    system_call4(SYS_WAIT4, (word)child, 0, 0, 0);
    return sum + (unsigned char)byte;
}
