/* SPDX-License-Identifier: MIT
 * walk64, walk32: a few system calls, one of a kind, whose walks through the kernel are known. In order, by every way
 * into the kernel that the program's code has where the way is named:
 *
 *     sendto          one datagram to a UDP socket on the loopback interface and one to an AF_UNIX socket
 *     number 4660     there is no such call
 *     kill            SIGUSR1 to itself, which is pending when the call is done
 *     getpid          by a child whose parent traces its calls
 *
 * A line at the end: WALK sent=4 unix=4 wrong=-38 signals=1 traced=0 (each way of walk32 prints one).
 */
#include "guest.h"

enum {
    AF_UNIX = 1,
    AF_INET = 2,
    DATAGRAM = 2,
    NO_SUCH_CALL = 4660,
    SIGUSR1 = 10,
    SIGSTOP = 19,
    TRACEME = 0,
    SYSCALL_STOP = 24
};

#ifdef __x86_64__
enum {
    CALL_SIGACTION = 13, /* rt_ */
    CALL_SOCKET = 41,
    CALL_SENDTO = 44,
    CALL_SOCKETPAIR = 53,
    CALL_FORK = 57,
    CALL_WAIT = 61,
    CALL_KILL = 62,
    CALL_PTRACE = 101
};
#define SA_RESTORER 0x04000000ul
#define SA_SIGINFO 4ul
#define SIGRETURN "mov $15, %eax\n syscall\n"
#else
enum {
    CALL_FORK = 2,
    CALL_PTRACE = 26,
    CALL_KILL = 37,
    CALL_WAIT = 114,
    CALL_SIGACTION = 174, /* rt_ */
    CALL_SOCKET = 359,
    CALL_SOCKETPAIR = 360,
    CALL_SENDTO = 369
};
#define SA_RESTORER 0x04000000ul
#define SA_SIGINFO 4ul
#define SIGRETURN "mov $173, %eax\n int $0x80\n"
#endif

typedef long caller(long number, const word *arg);

#ifdef __x86_64__
static long call_plain(long number, const word *arg)
{
    register word r10 __asm__("r10") = arg[3];
    register word r8 __asm__("r8") = arg[4];
    register word r9 __asm__("r9") = arg[5];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(arg[0]), "S"(arg[1]), "d"(arg[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#else
static word vdso_entry; /* __kernel_vsyscall */

/* The sixth argument is in EBP, which the compiler may need. */
__asm__("call_by: push %ebp\n push %ebx\n push %esi\n push %edi\n"
        "mov 20(%esp), %eax\n mov 24(%esp), %edi\n push 28(%esp)\n"
        "mov (%edi), %ebx\n mov 4(%edi), %ecx\n mov 8(%edi), %edx\n mov 12(%edi), %esi\n mov 20(%edi), %ebp\n mov "
        "16(%edi), %edi\n"
        "cmpl $0, (%esp)\n jne 1f\n int $0x80\n jmp 2f\n"
        "1: call *(%esp)\n"
        "2: add $4, %esp\n pop %edi\n pop %esi\n pop %ebx\n pop %ebp\n ret\n");
long call_by(long number, const word *arg, word entry);

static long call_plain(long number, const word *arg) { return call_by(number, arg, 0); }
static long call_vdso(long number, const word *arg) { return call_by(number, arg, vdso_entry); }
#endif

static volatile int signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

__asm__("restorer: " SIGRETURN);
extern const char restorer[];

static long call(caller *by, long number, word a, word b, word c, word d, word e, word f)
{
    const word arg[6] = {a, b, c, d, e, f};

    return by(number, arg);
}

/* Parent and child: the child stops, its parent goes on with every stop of its next calls until it is gone. */
static long traced(caller *by)
{
    long child = call(call_plain, CALL_FORK, 0, 0, 0, 0, 0, 0), gone = 0;
    int status = 0;

    if (child == 0) {
        call(call_plain, CALL_PTRACE, TRACEME, 0, 0, 0, 0, 0);
        call(call_plain, CALL_KILL, (word)system_call3(SYS_GETPID, 0, 0, 0), SIGSTOP, 0, 0, 0, 0);
        call(by, SYS_GETPID, 0, 0, 0, 0, 0, 0);
        system_call3(SYS_EXIT_GROUP, 0, 0, 0);
    }
    while (!gone) {
        long who = call(call_plain, CALL_WAIT, (word)child, (word)&status, 0x40000000, 0, 0, 0);

        gone = who < 0 || (status & 0x7F) != 0x7F;
        if (!gone)
            call(call_plain, CALL_PTRACE, SYSCALL_STOP, (word)child, 0, 0, 0, 0);
    }
    return status;
}

static void add(struct text *t, const char *name, long value)
{
    text_add(t, name);
    if (value < 0)
        text_add(t, "-");
    text_add_decimal(t, (word)(value < 0 ? -value : value));
}

static void walk(caller *by)
{
    struct {
        unsigned short family;
        unsigned char port[2], address[4], zero[8];
    } to = {AF_INET, {0, 9}, {127, 0, 0, 1}, {0}};
    struct text t = {.size = 0};
    word self = (word)system_call3(SYS_GETPID, 0, 0, 0);
    long udp = call(by, CALL_SOCKET, AF_INET, DATAGRAM, 0, 0, 0, 0);
    int pair[2] = {-1, -1};

    signals = 0;
    call(by, CALL_SOCKETPAIR, AF_UNIX, DATAGRAM, 0, (word)pair, 0, 0);
    text_add(&t, "WALK");
    add(&t, " sent=", call(by, CALL_SENDTO, (word)udp, (word) "walk", 4, 0, (word)&to, sizeof to));
    add(&t, " unix=", call(by, CALL_SENDTO, (word)pair[0], (word) "walk", 4, 0, 0, 0));
    add(&t, " wrong=", call(by, NO_SUCH_CALL, 1, 2, 3, 4, 5, 6));
    call(by, CALL_KILL, self, SIGUSR1, 0, 0, 0, 0);
    add(&t, " signals=", signals);
    add(&t, " traced=", traced(by));
    text_add(&t, "\n");
    text_print(&t);
}

int program(const struct start *start)
{
    const word action[] = {(word)on_signal, SA_SIGINFO | SA_RESTORER, (word)restorer, 0, 0};

    call(call_plain, CALL_SIGACTION, SIGUSR1, (word)action, 0, 8, 0, 0);
    walk(call_plain);
#ifndef __x86_64__
    vdso_entry = start_auxiliary(start, 32 /* AT_SYSINFO */);
    if (vdso_entry != 0)
        walk(call_vdso);
#else
    (void)start;
#endif
    return 0;
}
