/* SPDX-License-Identifier: MIT
 * The first process of a measured guest: runs the workloads named on the kernel's command line after "--", as
 * NAME:COUNT, each between two lines on the console, and powers off.
 *
 *     BENCH NAME BEGIN
 *     BENCH NAME END check=0x198e ticks=0x0:0x1de98f30
 *     BENCH DONE
 *
 * check: the workload's result, equal in every emulator. ticks: what the time-stamp counter counted meanwhile, high and
 * low half; in Ringside that is the number of instructions, because its clock counts one for each.
 */
#include "system.h"
#include "workload.h"

enum { AT_SYSINFO = 32, CONSOLE = 1 };

unsigned long loop_int80(word count, long expected, word entry);
unsigned long loop_syscall(word count, long expected, word entry);
unsigned long loop_vdso(word count, long expected, word entry);

static word sysinfo; /* __kernel_vsyscall: SYSENTER where the processor has it */

/* Each returns how many calls gave a wrong result. */
static word getpid_int80(word count) { return loop_int80(count, system_call3(SYS_GETPID, 0, 0, 0), 0); }
#ifdef __x86_64__
static word getpid_syscall(word count) { return loop_syscall(count, system_call3(SYS_GETPID, 0, 0, 0), 0); }
#else
static word getpid_sysenter(word count)
{
    return sysinfo != 0 ? loop_vdso(count, system_call3(SYS_GETPID, 0, 0, 0), sysinfo) : (word)-1;
}
#endif

static const struct {
    const char *name;
    workload *work;
} workloads[] = {
#ifdef __x86_64__
    {"getpid-syscall", getpid_syscall},
#else
    {"getpid-sysenter", getpid_sysenter},
#endif
    {"getpid-int80", getpid_int80},
    {"mmap", work_mmap},
    {"faults", work_faults},
    {"signal", work_signal},
    {"fork", work_fork},
    {"pipe", work_pipe},
    {"loop", work_loop},
    {"sieve", work_sieve},
    {"coremark", work_coremark},
    {"sha256", work_sha256},
    {"movsb", work_movsb},
    {"matmul-sse2", work_matmul_sse2},
    {"matmul-x87", work_matmul_x87},
};

/* Print a line, and wait until the serial port has sent it: sending is not part of what is measured. */
static void say(struct text *t)
{
    enum { TCSBRK = 0x5409, DRAIN = 1 };

    text_add(t, "\n");
    text_print(t);
    system_call3(SYS_IOCTL, CONSOLE, TCSBRK, DRAIN);
}

static void run(workload *work, const char *name, word count)
{
    struct text t = {.size = 0};
    unsigned low[2], high[2];
    word check;

    text_add(&t, "BENCH ");
    text_add(&t, name);
    text_add(&t, " BEGIN");
    say(&t);
    __asm__ volatile("rdtsc" : "=a"(low[0]), "=d"(high[0]));
    check = work(count);
    __asm__ volatile("rdtsc" : "=a"(low[1]), "=d"(high[1]));
    text_add(&t, "BENCH ");
    text_add(&t, name);
    text_add(&t, " END check=");
    text_add_hex(&t, check);
    text_add(&t, " ticks=");
    text_add_hex(&t, high[1] - high[0] - (low[1] < low[0]));
    text_add(&t, ":");
    text_add_hex(&t, low[1] - low[0]);
    say(&t);
}

/* NAME:COUNT is split in place. returns: whether there is such a workload */
static int run_named(char *text)
{
    char *colon = text;
    word count = 0;

    while (*colon != '\0' && *colon != ':')
        colon++;
    for (const char *digit = colon + (*colon == ':'); *digit >= '0' && *digit <= '9'; digit++)
        count = count * 10 + (word)(*digit - '0');
    *colon = '\0';
    for (word i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        const char *a = workloads[i].name, *b = text;

        while (*a == *b && *a != '\0')
            a++, b++;
        if (*a != *b)
            continue;
        run(workloads[i].work, text, count);
        return 1;
    }
    return 0;
}

int program(const struct start *start)
{
    enum { MAGIC = 0xFEE1DEAD, MAGIC2 = 672274793, POWER_OFF = 0x4321FEDC };
    struct text t = {.size = 0};

    sysinfo = start_auxiliary(start, AT_SYSINFO);
    for (word i = 1; i < start->argc; i++)
        if (!run_named(start->argv[i])) {
            text_add(&t, "BENCH UNKNOWN ");
            text_add(&t, start->argv[i]);
            say(&t);
        }
    text_add(&t, "BENCH DONE");
    say(&t);
    /* As an ordinary program, tried by hand, it must not stop the machine it runs on. */
    if (system_call3(SYS_GETPID, 0, 0, 0) == 1)
        system_call3(SYS_REBOOT, MAGIC, MAGIC2, POWER_OFF);
    return 0;
}
