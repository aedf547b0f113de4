/* SPDX-License-Identifier: MIT
 * The script's parts about memory, about who the process is, and about time.
 */
#include "exercise.h"

#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/time.h>

#ifdef __x86_64__
#define __NR_map __NR_mmap
#else
#define __NR_map __NR_mmap2
#endif

static char buffer[4096];

void exercise_memory(void)
{
    char *end = (char *)S(brk, 0);
    char *area;
    volatile char seen;

    S(brk, end + 8192);
    end[100] = 1;
    S(brk, end);
    area = (char *)S(map, 0, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    area[0] = 1;
    area[8192] = 2;
    S(mprotect, area, 4096, PROT_READ);
    seen = area[0];
    (void)seen;
    S(mprotect, area, 4096, PROT_NONE);
    S(madvise, area + 4096, 8192, MADV_DONTNEED);
    S(mincore, area, 16384, buffer);
    S(msync, area + 4096, 4096, 4);
    S(mlock, area + 4096, 4096);
    S(munlock, area + 4096, 4096);
    area = (char *)S(mremap, area, 16384, 32768, MREMAP_MAYMOVE, 0);
    S(munmap, area, 32768);
    S(munmap, 1, 4096);
    S(mprotect, 0x30000000, 4096, PROT_READ);
    S(map, 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    S(map, 0, 4096, PROT_READ, MAP_PRIVATE, 94, 0);
    S(map, 0x40000000, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

void exercise_identity(void)
{
    unsigned id[3];
    struct rlimit limit = {100, 200};
    unsigned capability[2] = {0x20080522, 0};

    S(getpid);
    S(getppid);
    S(gettid);
#ifdef __x86_64__
    S(getuid);
    S(geteuid);
    S(getgid);
    S(getegid);
    S(getresuid, id, id + 1, id + 2);
#else
    S(getuid32);
    S(geteuid32);
    S(getgid32);
    S(getegid32);
    S(getresuid32, id, id + 1, id + 2);
#endif
    S(getpgrp);
    S(getpgid, 0);
    S(getsid, 0);
    S(getpgid, 12345);
    S(setpgid, 0, 0);
    S(prctl, PR_SET_NAME, "renamed");
    S(prctl, PR_GET_NAME, buffer);
    S(prctl, PR_GET_DUMPABLE);
    S(capget, capability, buffer);
    S(uname, buffer);
    S(sysinfo, buffer);
    S(getrusage, RUSAGE_SELF, buffer);
    S(prlimit64, 0, RLIMIT_NOFILE, 0, buffer);
    S(setrlimit, RLIMIT_CORE, &limit);
    S(getpriority, PRIO_PROCESS, 0);
    S(setpriority, PRIO_PROCESS, 0, 5);
    S(sched_yield);
    S(sched_getscheduler, 0);
    S(sched_getparam, 0, buffer);
    S(sched_getaffinity, 0, 128, buffer);
    S(sched_get_priority_max, 1);
    S(getrandom, buffer, 8, 1);
    S(getcpu, id, id + 1, 0);
    S(membarrier, 0, 0, 0);
    S(getgroups, 0, 0);
    S(personality, 0xFFFFFFFF);
}

void exercise_time(void)
{
    struct timespec short_time = {0, 3000000}, bad = {0, 1000000000};
    struct itimerval interval = {{0, 0}, {5, 0}};
    int timer;

    S(time, buffer);
    S(gettimeofday, buffer, 0);
    S(clock_gettime, CLOCK_REALTIME, buffer);
    S(clock_gettime, CLOCK_MONOTONIC, buffer);
    S(clock_gettime, 55, buffer);
    S(clock_getres, CLOCK_MONOTONIC, buffer);
    S(nanosleep, &short_time, buffer);
    S(nanosleep, &bad, buffer);
    S(clock_nanosleep, CLOCK_MONOTONIC, 0, &short_time, 0);
    S(times, buffer);
    S(alarm, 100);
    S(alarm, 0);
    S(setitimer, ITIMER_VIRTUAL, &interval, 0);
    S(getitimer, ITIMER_VIRTUAL, buffer);
    interval.it_value.tv_sec = 0;
    S(setitimer, ITIMER_VIRTUAL, &interval, buffer);
    timer = (int)S(timerfd_create, CLOCK_MONOTONIC, 02000000);
    S(timerfd_gettime, timer, buffer);
    S(close, timer);
}
