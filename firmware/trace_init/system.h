/* SPDX-License-Identifier: MIT
 * Linux system calls and port output for a program without a C library, in both widths.
 * Linux manual pages, section 2; the numbers are those of the kernel's public headers.
 */
#ifndef RINGSIDE_TRACE_INIT_SYSTEM_H
#define RINGSIDE_TRACE_INIT_SYSTEM_H

typedef unsigned long word;
typedef unsigned char byte;

#ifdef __x86_64__
enum {
    SYS_READ = 0,
    SYS_WRITE = 1,
    SYS_OPEN = 2,
    SYS_CLOSE = 3,
    SYS_POLL = 7,
    SYS_SIGPROCMASK = 14,
    SYS_IOCTL = 16,
    SYS_DUP2 = 33,
    SYS_GETPID = 39,
    SYS_FORK = 57,
    SYS_EXECVE = 59,
    SYS_EXIT = 60,
    SYS_WAIT4 = 61,
    SYS_KILL = 62,
    SYS_FCNTL = 72,
    SYS_CHDIR = 80,
    SYS_MKDIR = 83,
    SYS_UNLINK = 87,
    SYS_SETSID = 112,
    SYS_MOUNT = 165,
    SYS_REBOOT = 169,
    SYS_IOPERM = 173,
    SYS_SIGNALFD4 = 289,
    SYS_PIPE2 = 293,
};

static inline long system_call(long number, word a, word b, word c, word d, word e)
{
    register word r10 __asm__("r10") = d;
    register word r8 __asm__("r8") = e;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}
#else
enum {
    SYS_EXIT = 1,
    SYS_FORK = 2,
    SYS_READ = 3,
    SYS_WRITE = 4,
    SYS_OPEN = 5,
    SYS_CLOSE = 6,
    SYS_UNLINK = 10,
    SYS_EXECVE = 11,
    SYS_CHDIR = 12,
    SYS_GETPID = 20,
    SYS_MOUNT = 21,
    SYS_KILL = 37,
    SYS_MKDIR = 39,
    SYS_IOCTL = 54,
    SYS_DUP2 = 63,
    SYS_SETSID = 66,
    SYS_REBOOT = 88,
    SYS_IOPERM = 101,
    SYS_WAIT4 = 114,
    SYS_POLL = 168,
    SYS_SIGPROCMASK = 175,
    SYS_FCNTL = 221,
    SYS_SIGNALFD4 = 327,
    SYS_PIPE2 = 331,
};

static inline long system_call(long number, word a, word b, word c, word d, word e)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
    return result;
}
#endif

#define CALL0(n) system_call(n, 0, 0, 0, 0, 0)
#define CALL1(n, a) system_call(n, (word)(a), 0, 0, 0, 0)
#define CALL2(n, a, b) system_call(n, (word)(a), (word)(b), 0, 0, 0)
#define CALL3(n, a, b, c) system_call(n, (word)(a), (word)(b), (word)(c), 0, 0)
#define CALL4(n, a, b, c, d) system_call(n, (word)(a), (word)(b), (word)(c), (word)(d), 0)
#define CALL5(n, a, b, c, d, e) system_call(n, (word)(a), (word)(b), (word)(c), (word)(d), (word)(e))

enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_NOCTTY = 0400, O_NONBLOCK = 04000, O_CLOEXEC = 02000000 };
enum { F_SETFL = 4 };
enum { WNOHANG = 1 };
enum { EINTR = 4, EAGAIN = 11 };
enum { SIGCHLD = 17, SIGKILL = 9, SIG_BLOCK = 0, SIG_UNBLOCK = 1 };
enum { POLLIN = 1, POLLHUP = 0x10, POLLERR = 8 };
enum { TCGETS = 0x5401, TCSETS = 0x5402, TCSBRK = 0x5409, TIOCSWINSZ = 0x5414 };

struct pollfd {
    int fd;
    short events, revents;
};

/* The kernel's struct termios. */
struct termios {
    unsigned iflag, oflag, cflag, lflag;
    byte line, cc[19];
};

struct winsize {
    unsigned short rows, columns, x, y;
};

static inline void port_write(unsigned port, const void *bytes, word size)
{
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(size) : "d"(port) : "memory");
}

#endif
