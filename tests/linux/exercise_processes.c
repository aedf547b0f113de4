/* SPDX-License-Identifier: MIT
 * Calls about processes, memory, signals, time, users and the system.
 */
#include "exercise.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <mqueue.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buffer[4096];

static void memory(void)
{
    static unsigned char resident[64];
    static int policy;
    static unsigned long nodes[16];
    A64(brk, 0);
    long page = A64(mmap, 0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    A64(mmap, 0, 4096, PROT_NONE, MAP_SHARED | MAP_NORESERVE | MAP_STACK, 1000, 0x3000);
    A64(mmap, page, 4096, PROT_READ | PROT_EXEC, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    A64(mmap, 0, 2 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << 26, -1, 0);
    A64(mmap, 0, 4096, 0x100, 0x10000000, -1, 0);
    A64(mprotect, page, 4096, PROT_READ | PROT_WRITE);
    A64(mprotect, page, 4096, PROT_NONE);
    A64(mprotect, page + 1, 4096, PROT_NONE | 0x40);
    A64(mremap, page + 4096, 4096, 8192, 0);
    long moved = A64(mremap, page + 8192, 4096, 8192, MREMAP_MAYMOVE);
    A64(mremap, moved, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, page);
    A64(msync, page, 4096, MS_SYNC | MS_INVALIDATE);
    A64(mincore, page, 8192 * 2, P(resident));
    A64(mincore, page, 1, P(bad_page));
    A64(madvise, page, 4096, MADV_DONTNEED);
    A64(madvise, page, 4096, 4711);
    A64(mlock, page, 4096);
    A64(mlock2, page, 4096, 1);
    A64(munlock, page, 4096);
    A64(mlockall, MCL_FUTURE | 8);
    A64(munlockall);
    A64(munmap, page, 65536);
    A64(munmap, 1, 1);
    A64(pkey_alloc, 0, 1);
    A64(pkey_mprotect, page, 4096, 1, -1);
    A64(pkey_free, 77);
    A64(membarrier, 0, 0);
    A64(remap_file_pages, page, 4096, 0, 0, 0);
    A64(mbind, page, 4096, 0, 0, 0, 0);
    A64(get_mempolicy, P(&policy), P(nodes), 1024, 0, 0);
    A64(set_mempolicy, 1, P(nodes), 65);
    A64(set_mempolicy, 0, 0, 0);
}

static void new_processes(void)
{
    static int status, thread, descriptor;
    static u64 arguments[11] = {0, 0, 0, 0, SIGCHLD};
    A64(fork);
    A64(wait4, -1, P(&status), 0, 0);
    A64(clone, SIGCHLD, 0, 0, 0, 0);
    A64(wait4, -1, 0, 0, 0);
    A64(clone, 0x01200000 | SIGCHLD, 0, 0, P(&thread), 0);
    A64(wait4, -1, P(&status), 0, 0);
    A64(clone, 0x00100000 | SIGCHLD, 0, P(&thread), 0, 0);
    A64(wait4, -1, P(&status), 0, 0);
    A64(clone, 0x00001000 | SIGCHLD, 0, P(&descriptor), 0, 0);
    A64(wait4, -1, P(&status), 0, 0);
    A64(clone, 0x00010000, 0, 0, 0, 0x1000); /* a thread without memory in common: EINVAL */
    A64(clone, 0x00090000 | 77, 0x1000, 0, 0, 0x1000);
    A64(clone3, P(arguments), 64);
    A64(wait4, -1, P(&status), 0, 0);
    arguments[0] = 0x01301000;
    arguments[1] = (u64)&descriptor;
    arguments[2] = (u64)&thread;
    arguments[3] = (u64)&status;
    A64(clone3, P(arguments), sizeof arguments);
    A64(wait4, -1, P(&status), 0, 0);
    arguments[0] = 0x00090000;
    A64(clone3, P(arguments), sizeof arguments);
    A64(clone3, P(arguments), 8);
    A64(clone3, P(bad_page), 88);
}

static void child_processes(void)
{
    static int status;
    static struct rusage usage;
    static siginfo_t information;
    static const char *const arguments[] = {"name", "two\n", NULL};
    static const char *const environment[] = {"A=1", "B=2", NULL};
    static const char *const many[] = {
        "0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11",
        "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23",
        "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "a string of more than thirty-two bytes",
        NULL};
    A64(execve, P("/nonexistent"), P(arguments), P(environment));
    A64(execve, P("/nonexistent"), P(many), P(many));
    A64(execve, P("/nonexistent"), 0, 0);
    A64(execve, P("/nonexistent"), P(arguments + 2), P(environment + 1));
    A64(execve, P("/nonexistent"), P(bad_page), P(bad_page));
    A64(execveat, AT_FDCWD, P("/nonexistent"), P(arguments), P(environment), AT_EMPTY_PATH);
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    A64(wait4, child, P(&status), 0, P(&usage));
    child = fork();
    if (child == 0) {
        signal(SIGTERM, SIG_DFL);
        pause();
    }
    A64(wait4, child, P(&status), WNOHANG, 0);
    A64(kill, child, SIGTERM);
    A64(waitid, P_PID, child, P(&information), WEXITED | WNOWAIT, 0);
    A64(waitid, P_PID, child, P(&information), WEXITED, P(&usage));
    child = fork();
    if (child == 0)
        _exit(7);
    A64(waitid, P_ALL, 0, P(&information), WEXITED, P(&usage));
    child = fork();
    if (child == 0)
        abort();
    A64(wait4, -1, P(&status), WUNTRACED, 0);
    A64(wait4, -1, P(&status), __WALL, 0);
    A64(wait4, 999999, 0, 0, 0);
    child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    A64(waitid, P_PID, child, P(&information), WSTOPPED | WNOWAIT, 0);
    A64(wait4, child, P(&status), WUNTRACED, P(&usage));
    A64(kill, child, SIGCONT);
    A64(wait4, child, P(&status), 0, 0);
    new_processes();
}

static void identity(void)
{
    static unsigned real, effective, saved, groups[64];
    static struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    static struct __user_cap_data_struct data[2];
    A64(getpid);
    A64(gettid);
    A64(getppid);
    A64(getpgrp);
    A64(getpgid, 0);
    A64(getsid, 0);
    A64(setpgid, 0, 0);
    A64(setsid);
    A64(getuid);
    A64(geteuid);
    A64(getgid);
    A64(getegid);
    A64(setuid, 0);
    A64(setgid, 0);
    A64(setreuid, -1, -1);
    A64(setresuid, -1, 0, -1);
    A64(setresgid, -1, -1, -1);
    A64(getresuid, P(&real), P(&effective), P(&saved));
    A64(getresgid, P(&real), P(&effective), P(bad_page));
    A64(setfsuid, -1);
    A64(setfsgid, -1);
    A64(getgroups, 0, 0);
    A64(getgroups, 0, P(groups));
    A64(getgroups, 64, P(groups));
    groups[0] = 4;
    groups[1] = 20;
    A64(setgroups, 2, P(groups));
    A64(getgroups, 64, P(groups));
    A64(capget, P(&header), P(data));
    A64(capset, P(&header), P(data));
    header.version = 5;
    A64(capget, P(&header), 0);
}

static void signals(void)
{
    static struct {
        void (*handler)(int);
        unsigned long flags;
        void *restorer;
        u64 mask;
    } action, old;
    static u64 set;
    static stack_t stack = {.ss_sp = buffer, .ss_size = sizeof buffer, .ss_flags = 0}, old_stack;
    static siginfo_t information;
    static struct timespec zero;
    action.handler = SIG_IGN;
    A64(rt_sigaction, SIGUSR1, P(&action), P(&old), 8);
    A64(rt_sigaction, SIGUSR1, 0, P(&old), 8);
    action.handler = (void (*)(int))0x401234;
    action.flags = 0x14000000 | SA_RESTART | SA_NODEFER;
    action.mask = 1 << 1 | 1 << 14 | 1ull << 31 | 1ull << 33;
    action.restorer = (void *)0x402000;
    A64(rt_sigaction, SIGUSR2, P(&action), 0, 8);
    action.flags = 0x04000000 | SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
    action.mask = ~0ull;
    A64(rt_sigaction, 40, P(&action), 0, 8);
    A64(rt_sigaction, SIGKILL, P(&action), 0, 8);
    A64(rt_sigaction, 32, P(&action), P(&old), 8);
    A64(rt_sigaction, SIGUSR2, 0, P(&old), 8);
    action.handler = SIG_IGN;
    A64(rt_sigaction, SIGUSR2, P(&action), 0, 8);
    A64(rt_sigaction, 77, P(&action), 0, 8);
    A64(rt_sigaction, 7, P(&action), 0, 4);
    set = 1 << (SIGWINCH - 1) | 1 << (SIGCHLD - 1);
    A64(rt_sigprocmask, SIG_BLOCK, P(&set), P(&old), 8);
    A64(rt_sigprocmask, SIG_SETMASK, 0, P(&old), 8);
    set = ~(1ull << 8);
    A64(rt_sigprocmask, SIG_UNBLOCK, P(&set), 0, 8);
    set = 0;
    A64(rt_sigprocmask, SIG_SETMASK, P(&set), P(&old), 8);
    A64(rt_sigprocmask, 9, P(&set), P(&old), 8);
    set = 1ull << (SIGRTMIN + 3 - 1);
    A64(rt_sigprocmask, SIG_BLOCK, P(&set), 0, 8);
    A64(tgkill, getpid(), getpid(), SIGRTMIN + 3);
    A64(rt_sigpending, P(&set), 8);
    A64(rt_sigtimedwait, P(&set), P(&information), P(&zero), 8);
    A64(rt_sigtimedwait, P(&set), P(&information), P(&zero), 8);
    A64(rt_sigtimedwait, P(&set), 0, P(&zero), 8);
    memset(&information, 0, sizeof information);
    information.si_code = SI_QUEUE;
    information.si_signo = SIGUSR1;
    information.si_pid = getpid();
    A64(rt_sigqueueinfo, getpid(), SIGUSR1, P(&information));
    information.si_ptr = buffer;
    A64(rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, P(&information));
    A64(sigaltstack, P(&stack), P(&old_stack));
    A64(sigaltstack, 0, P(&old_stack));
    stack.ss_flags = SS_DISABLE;
    A64(sigaltstack, P(&stack), 0);
    A64(kill, 0, 0);
    A64(kill, -999999, SIGHUP);
    A64(tkill, getpid(), 0);
}

static void clocks(void)
{
    static struct timespec time = {0, 1000}, left;
    static struct timeval now;
    static struct timezone zone;
    static struct itimerval timer = {{0, 0}, {1000, 7}}, old;
    static struct itimerspec timer2 = {{1, 2}, {3000, 4}}, old2;
    static long seconds;
    static struct tms ticks;
    static int timer_id;
    static struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    static char adjust[208];
    A64(time, 0);
    A64(time, P(&seconds));
    A64(gettimeofday, P(&now), 0);
    A64(gettimeofday, P(&now), P(&zone));
    A64(clock_gettime, CLOCK_MONOTONIC, P(&time));
    A64(clock_gettime, 99, P(&time));
    A64(clock_gettime, -6, P(&time));
    A64(clock_gettime, ~getpid() << 3 | 2, P(&time));
    A64(clock_getres, CLOCK_REALTIME_COARSE, P(&time));
    A64(clock_getres, CLOCK_REALTIME, 0);
    A64(clock_settime, CLOCK_MONOTONIC, P(&time));
    time = (struct timespec){0, 1000};
    A64(nanosleep, P(&time), 0);
    A64(nanosleep, P(&time), P(&left));
    A64(nanosleep, P(bad_page), P(&left));
    A64(clock_nanosleep, CLOCK_REALTIME, 0, P(&time), P(&left));
    A64(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, P(&time), 0);
    A64(alarm, 100);
    A64(setitimer, ITIMER_REAL, P(&timer), P(&old));
    A64(getitimer, ITIMER_REAL, P(&old));
    A64(setitimer, ITIMER_VIRTUAL, P(&old), 0);
    A64(alarm, 0);
    A64(timer_create, CLOCK_REALTIME, 0, P(&timer_id));
    A64(timer_create, CLOCK_MONOTONIC, P(&event), P(&timer_id));
    A64(timer_settime, timer_id, 0, P(&timer2), P(&old2));
    A64(timer_gettime, timer_id, P(&old2));
    A64(timer_getoverrun, timer_id);
    A64(timer_delete, timer_id);
    event.sigev_notify = 4;
    event.sigev_value.sival_ptr = buffer;
    A64(timer_create, CLOCK_MONOTONIC, P(&event), P(&timer_id));
    A64(times, P(&ticks));
    A64(adjtimex, P(adjust));
    A64(settimeofday, 0, P(bad_page));
}

static void scheduling(void)
{
    static int parameter;
    static unsigned long processors[16];
    static struct timespec slice;
    static struct rlimit limit = {1024, 4096};
    static struct rlimit64 limit64, old64;
    static struct rusage usage;
    static unsigned cpu, node;
    static char attributes[64];
    A64(sched_yield);
    A64(sched_getscheduler, 0);
    A64(sched_setscheduler, 0, 0, P(&parameter));
    A64(sched_setscheduler, 0, 1 | 0x40000000, P(bad_page));
    A64(sched_getparam, 0, P(&parameter));
    A64(sched_setparam, 0, P(&parameter));
    A64(sched_get_priority_max, 1);
    A64(sched_get_priority_min, 2);
    A64(sched_rr_get_interval, 0, P(&slice));
    A64(sched_getaffinity, 0, sizeof processors, P(processors));
    A64(sched_setaffinity, 0, sizeof processors, P(processors));
    A64(sched_getaffinity, 0, 1, P(processors));
    A64(sched_getattr, 999999, P(attributes), 48, 0);
    A64(getpriority, PRIO_PROCESS, 0);
    A64(setpriority, PRIO_PROCESS, 0, 0);
    A64(ioprio_get, 1, 0);
    A64(ioprio_set, 1, 0, 2 << 13 | 4);
    A64(getcpu, P(&cpu), P(&node), 0);
    A64(getrlimit, RLIMIT_NOFILE, P(&limit));
    A64(getrlimit, RLIMIT_STACK, P(&limit));
    A64(getrlimit, 99, P(&limit));
    A64(setrlimit, RLIMIT_CORE, P(&limit));
    A64(prlimit64, 0, RLIMIT_CORE, 0, P(&old64));
    A64(prlimit64, 0, RLIMIT_CORE, P(&limit64), P(&old64));
    A64(getrusage, RUSAGE_SELF, P(&usage));
    A64(getrusage, RUSAGE_CHILDREN, P(&usage));
}

static void tasks(void)
{
    static unsigned word;
    static struct timespec zero;
    static int number;
    static u64 base;
    A64(futex, P(&word), FUTEX_WAKE, 1);
    A64(futex, P(&word), FUTEX_WAKE_PRIVATE, 0x7FFFFFFF);
    A64(futex, P(&word), FUTEX_WAIT_PRIVATE, 5, 0);
    A64(futex, P(&word), FUTEX_WAIT, 0, P(&zero));
    A64(futex, P(&word), FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 5, P(&zero), 0, FUTEX_BITSET_MATCH_ANY);
    A64(futex, P(&word), FUTEX_WAKE_BITSET, 5, 0, 0, 3);
    A64(futex, P(&word), FUTEX_REQUEUE, 1, 2, P(&word));
    A64(futex, P(&word), FUTEX_CMP_REQUEUE_PRIVATE, 1, 2, P(&word), 9);
    A64(futex, P(&word), FUTEX_WAKE_OP, 1, 2, P(&word), 0x04001001);
    A64(futex, P(&word), FUTEX_UNLOCK_PI);
    A64(futex, P(&word), FUTEX_TRYLOCK_PI_PRIVATE);
    A64(futex, P(&word), 77, 1, 2, 3, 4);
    A64(prctl, PR_SET_NAME, P("exercise"));
    A64(prctl, PR_GET_NAME, P(buffer));
    A64(prctl, PR_SET_PDEATHSIG, SIGTERM);
    A64(prctl, PR_GET_PDEATHSIG, P(&number));
    A64(prctl, PR_SET_PDEATHSIG, 0);
    A64(prctl, PR_GET_DUMPABLE);
    A64(prctl, PR_SET_DUMPABLE, 1);
    A64(prctl, PR_CAPBSET_READ, 5);
    A64(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    A64(prctl, PR_GET_SECCOMP);
    A64(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    A64(prctl, PR_GET_TIMERSLACK);
    A64(prctl, PR_SET_TIMERSLACK, 50000);
    A64(prctl, PR_GET_KEEPCAPS);
    A64(prctl, PR_SET_CHILD_SUBREAPER, 0);
    A64(prctl, PR_GET_SECUREBITS);
    A64(prctl, PR_SET_VMA, 0, P(buffer), 4096, P("x"));
    A64(prctl, PR_SET_MM, 1, 2, 3, 4);
    A64(prctl, 7777, 1, 2, 3, 4);
    A64(arch_prctl, ARCH_GET_FS, P(&base));
    A64(arch_prctl, ARCH_SET_FS, (long)base);
    A64(arch_prctl, ARCH_GET_GS, P(bad_page));
    A64(arch_prctl, 0x3001, P(&base));
    A64(personality, 0xFFFFFFFF);
    A64(personality, 0x40000);
    A64(personality, 0);
    A64(unshare, 0);
    A64(unshare, CLONE_FILES);
    A64(setns, 1000, CLONE_NEWNET);
    A64(set_tid_address, P(&word));
    A64(set_robust_list, P(buffer), 24);
    A64(rseq, P(buffer), 32, 0, 0x53053053);
    A64(kcmp, getpid(), getpid(), 1, 0, 0);
    A64(pidfd_open, getpid(), 0);
    A64(pidfd_send_signal, 1000, SIGHUP, 0, 0);
    A64(ptrace, 16, 999999, 0, 0);
}

static void communication(void)
{
    static struct sembuf operations[2] = {{0, 1, 0}, {0, -1, IPC_NOWAIT | SEM_UNDO}};
    static struct {
        long type;
        char text[64];
    } message = {5, "message text"};
    static struct mq_attr attributes;
    long id = A64(shmget, IPC_PRIVATE, 8192, IPC_CREAT | 0600);
    long address = A64(shmat, id, 0, 0);
    A64(shmat, id, 0, 010000);
    A64(shmdt, address);
    A64(shmctl, id, IPC_RMID, 0);
    A64(shmget, 0x1234, 1, 0);
    id = A64(semget, IPC_PRIVATE, 1, 0666 | IPC_CREAT | IPC_EXCL);
    A64(semop, id, P(operations), 2);
    A64(semctl, id, 0, GETVAL);
    A64(semctl, id, 0, IPC_RMID, 0);
    id = A64(msgget, IPC_PRIVATE, 0600);
    A64(msgsnd, id, P(&message), 12, IPC_NOWAIT);
    A64(msgrcv, id, P(&message), 12, 0, IPC_NOWAIT);
    A64(msgrcv, id, P(&message), 64, 0, IPC_NOWAIT);
    A64(msgctl, id, IPC_RMID, 0);
    long queue = A64(mq_open, P("exercise"), O_RDWR | O_CREAT | O_NONBLOCK, 0600, 0);
    A64(mq_timedsend, queue, P("text"), 4, 3, 0);
    A64(mq_getsetattr, queue, 0, P(&attributes));
    A64(mq_unlink, P("exercise"));
}

static void machine(void)
{
    static struct utsname name;
    static struct sysinfo information;
    A64(uname, P(&name));
    A64(uname, P(bad_page));
    A64(sysinfo, P(&information));
    A64(getrandom, P(buffer), 8, 1);
    A64(getrandom, P(buffer), 40, 0);
    A64(syslog, 10, 0, 0);
    A64(reboot, 0xfee1dead, 672274793, 0x77777777, 0);
    A64(reboot, 1, 2, 0xa1b2c3d4, P("command"));
    A64(sethostname, P(bad_page), 4);
    A64(iopl, 9);
    A64(ioperm, 70000, 1, 1);
    A64(delete_module, P("nosuch"), O_NONBLOCK);
    A64(finit_module, 1000, P(""), 1);
    A64(perf_event_open, P(bad_page), 0, -1, -1, 8);
    A64(process_vm_readv, 999999, 0, 0, 0, 0, 0);
}

void exercise_processes(void)
{
    memory();
    child_processes();
    identity();
    signals();
    clocks();
    scheduling();
    tasks();
    communication();
    machine();
}
