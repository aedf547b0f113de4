/* SPDX-License-Identifier: MIT
 * Calls of i386's table, made by INT 80h: this program lies below 4 GiB.
 */
#include "exercise.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char buffer[4096];
static u32 words[64];

static u32 *set_words(u32 a, u32 b, u32 c, u32 d, u32 e, u32 f)
{
    const u32 values[] = {a, b, c, d, e, f};
    memcpy(words, values, sizeof values);
    return words;
}

#define W(...) P(set_words(__VA_ARGS__))

static void files(void)
{
    static u32 iov[4];
    static u32 fds[2];
    static u32 lock[8] = {1, 0, 10, 0};
    static u32 set[32];
    static u32 time[4];
    static struct pollfd polled[1];
    long fd = I32(open, P("exercise.file"), O_RDWR | O_CREAT | O_TRUNC, 0640);
    I32(openat, -100, P("/nonexistent"), O_RDONLY | O_LARGEFILE);
    I32(write, fd, P("hello, world\n"), 13);
    I32(pwrite64, fd, P("abc"), 3, 1, 1);
    I32(pread64, fd, P(buffer), 5, 2, 0);
    I32(lseek, fd, 0, SEEK_SET);
    I32(_llseek, fd, 1, 5, P(buffer), SEEK_SET);
    I32(_llseek, fd, -1, -5, P(buffer), SEEK_END);
    I32(_llseek, -1, 0, 5, P(buffer), SEEK_SET);
    I32(lseek, fd, -2, SEEK_CUR);
    I32(lseek, fd, 0, SEEK_SET);
    I32(read, fd, P(buffer), 20);
    iov[0] = (u32)P("one");
    iov[1] = 3;
    iov[2] = (u32)P("two two");
    iov[3] = 7;
    I32(writev, fd, P(iov), 2);
    I32(pwritev, fd, P(iov), 2, 7, 1);
    I32(truncate64, P("exercise.file"), 5, 1);
    I32(ftruncate64, fd, 100, 0);
    I32(truncate, P("exercise.file"), 50);
    I32(ftruncate, fd, 40);
    I32(stat64, P("exercise.file"), P(buffer));
    I32(lstat64, P("/dev/null"), P(buffer));
    I32(fstat64, fd, P(buffer));
    I32(fstatat64, AT_FDCWD, P("/"), P(buffer), 0);
    I32(stat, P("exercise.file"), P(buffer));
    I32(stat, P("/dev/tty"), P(buffer));
    I32(oldstat, P("/dev/null"), P(buffer));
    I32(statfs, P("/proc"), P(buffer));
    I32(statfs64, P("/proc"), 84, P(buffer));
    I32(fstatfs64, fd, 84, P(buffer));
    I32(fcntl64, fd, F_GETFL);
    I32(fcntl64, fd, F_SETFD, 1);
    I32(fcntl64, fd, F_SETLK, P(lock));
    lock[1] = 5;
    lock[3] = 9;
    lock[2] = 0;
    lock[4] = 0;
    I32(fcntl64, fd, 13, P(lock));
    I32(fcntl64, fd, 12, P(lock));
    I32(fcntl, fd, F_GETLK, P(lock));
    I32(fadvise64, fd, 0, 1, 100, 3);
    I32(fadvise64_64, fd, 1, 0, 2, 0, 3);
    I32(fallocate, fd, 0, 0, 0, 100, 0);
    I32(readahead, fd, 0, 0, 10);
    I32(sync_file_range, fd, 0, 0, 10, 0, 7);
    I32(pipe, P(fds));
    I32(pipe2, P(fds), O_CLOEXEC);
    words[10] = 0;
    I32(sendfile, fds[1], fd, P(words + 10), 10);
    I32(sendfile64, fds[1], fd, P(words + 10), 10);
    polled[0] = (struct pollfd){(int)fds[0], POLLIN, 0};
    I32(poll, P(polled), 1, 0);
    I32(ppoll, P(polled), 1, P(time), 0, 0);
    I32(ppoll_time64, P(polled), 1, P(time), 0, 0);
    set[fds[0] / 32] = 1u << (fds[0] % 32);
    I32(_newselect, 32, P(set), 0, 0, P(time));
    I32(pselect6, 32, P(set), 0, 0, P(time), 0);
    I32(pselect6_time64, 32, P(set), 0, 0, P(time), 0);
    I32(select, W(32, (u32)P(set), 0, 0, (u32)P(time), 0));
    I32(getdents64, fd, P(buffer), 100);
    long directory = I32(open, P("/"), O_RDONLY | O_DIRECTORY);
    I32(getdents, directory, P(buffer), sizeof buffer);
    I32(lseek, directory, 0, 0);
    I32(getdents64, directory, P(buffer), sizeof buffer);
    I32(chown, P("/nonexistent"), 1, 0xFFFF);
    I32(chown32, P("/nonexistent"), 1, -1);
    I32(umask, 022);
    I32(utime, P("/nonexistent"), W(1, 2, 0, 0, 0, 0));
    I32(utimes, P("/nonexistent"), W(1, 2, 3, 4, 0, 0));
    I32(utimensat, AT_FDCWD, P("/nonexistent"), W(1, 2, 3, 4, 0, 0), 0);
    I32(utimensat_time64, AT_FDCWD, P("/nonexistent"), W(1, 0, 2, 0, 3, 0), 0);
    I32(umount, P("/nonexistent"));
    I32(fanotify_mark, -1, 1, 2, 0, AT_FDCWD, P("/"));
    I32(access, P(bad_page), 0);
    I32(ioctl, fd, 0x5401, P(buffer));
    I32(close, fd);
    unlink("exercise.file");
}

static void memory_and_tasks(void)
{
    I32(clone, 0x01200000 | SIGCHLD, 0, 0, 0, P(words + 40));
    I32(waitpid, -1, P(words), 0);
    I32(fork);
    I32(wait4, -1, P(words), 0, P(words + 4));
    I32(clone, 0x00090000, 0, 0, W(~0u, 0x1234, 0xFFFFF, 0x51, 0, 0), 0);
    I32(waitid, 0, 0, P(buffer), WEXITED, 0);
    static const u32 empty[1];
    I32(brk, 0);
    long page = I32(mmap2, 0, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    I32(mmap2, 0, 8192, 3, MAP_PRIVATE, -1, 5);
    I32(mmap, W(0, 4096, 1, MAP_PRIVATE | MAP_ANONYMOUS, ~0u, 0));
    I32(mprotect, page & 0xFFFFFFFF, 4096, 1);
    I32(munmap, page & 0xFFFFFFFF, 8192);
    I32(execve, P("/nonexistent"), W((u32)P("a"), (u32)P("b"), 0, 0, 0, 0), P(empty));
    I32(waitpid, -1, P(words), WNOHANG);
    I32(wait4, -1, P(words), WNOHANG, P(words));
    I32(getpid);
    I32(getuid32);
    I32(getuid);
    I32(setresuid32, -1, -1, -1);
    I32(setresuid, 0xFFFF, 0xFFFF, 0xFFFF);
    I32(getresuid, P(words), P(words + 1), P(words + 2));
    I32(getresgid32, P(words), P(words + 1), P(words + 2));
    I32(getgroups, 64, P(words));
    I32(getgroups32, 64, P(words));
    I32(getrlimit, RLIMIT_STACK, P(words));
    I32(ugetrlimit, RLIMIT_NOFILE, P(words));
    I32(ugetrlimit, RLIMIT_CPU, P(words));
    I32(prlimit64, 0, RLIMIT_CPU, 0, P(words));
    I32(getrusage, RUSAGE_SELF, P(words));
    I32(times, P(words));
    I32(sysinfo, P(words));
    I32(uname, P(buffer));
    I32(getcpu, P(words), P(words + 1), 0);
    I32(set_thread_area, W(~0u, 0x1234, 0xFFFFF, 0x51, 0, 0));
    I32(get_thread_area, P(words));
    I32(set_robust_list, P(words), 12);
    I32(futex, P(words), 129, 1);
    I32(futex, P(words), 0, 99, W(0, 5, 0, 0, 0, 0));
    I32(futex_time64, P(words), 0, 99, P(words + 8));
    I32(sched_getaffinity, 0, 128, P(words));
    I32(nice, 0);
    I32(personality, 0xFFFFFFFF);
    I32(prctl, 16, P(buffer));
}

static void signals_and_time(void)
{
    I32(rt_sigaction, SIGUSR1, W(1, 0, 0, 0, 0, 0), P(words + 16), 8);
    I32(rt_sigaction, SIGUSR1, W(0x401234, 0x14000000, 0x402000, 3, 0, 0), 0, 8);
    I32(sigaction, SIGUSR1, W(0x401234, 2, 0x04000000, 0x402000, 0, 0), P(words + 16));
    I32(sigaction, SIGUSR1, W(1, 0, 0, 0, 0, 0), P(words + 16));
    I32(signal, SIGUSR2, 1);
    I32(signal, SIGUSR2, 0x401234);
    I32(signal, SIGUSR2, 1);
    I32(sigprocmask, SIG_BLOCK, W(2, 0, 0, 0, 0, 0), P(words + 8));
    I32(sgetmask);
    I32(ssetmask, 0);
    I32(rt_sigprocmask, SIG_SETMASK, W(0, 0, 0, 0, 0, 0), P(words + 8), 8);
    I32(sigpending, P(words));
    I32(sigaltstack, 0, P(words));
    I32(kill, getpid(), 0);
    I32(time, 0);
    I32(time, P(words));
    I32(gettimeofday, P(words), 0);
    I32(clock_gettime, 1, P(words));
    I32(clock_gettime64, 0, P(words));
    I32(clock_getres_time64, 1, P(words));
    I32(nanosleep, W(0, 1000, 0, 0, 0, 0), P(words + 8));
    I32(clock_nanosleep_time64, 1, 0, W(0, 0, 1000, 0, 0, 0), 0);
    I32(setitimer, 0, W(0, 0, 0, 0, 0, 0), P(words + 8));
    I32(timer_create, 0, 0, P(words));
    I32(timer_settime, words[0], 0, P(words + 16), P(words + 32));
    I32(timer_settime64, words[0], 0, P(words + 16), P(words + 32));
    I32(timer_gettime, words[0], P(words + 16));
}

static void sockets(void)
{
    static u32 fds[2];
    I32(socket, AF_UNIX, SOCK_STREAM, 0);
    I32(socketcall, 1, W(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0));
    I32(socketcall, 8, W(AF_UNIX, SOCK_STREAM, 0, (u32)P(fds), 0, 0));
    I32(socketcall, 9, W(fds[0], (u32)P("text"), 4, MSG_NOSIGNAL, 0, 0));
    I32(socketcall, 10, W(fds[1], (u32)P(buffer), 100, 0, 0, 0));
    I32(socketcall, 11, W(fds[0], (u32)P("more"), 4, 0, 0, 0));
    I32(socketcall, 13, W(fds[0], 1, 0, 0, 0, 0));
    I32(socketcall, 3, W(~0u, (u32)P("\1\0/dev/log"), 10, 0, 0, 0));
    I32(socketcall, 5, W(~0u, 0, 0, 0, 0, 0));
    I32(socketcall, 14, W(fds[0], 1, 2, (u32)P(buffer), 4, 0));
    I32(socketcall, 99, W(1, 0, 0, 0, 0, 0));
    I32(socketcall, 1, P(bad_page));
    I32(sendmsg, -1, P(buffer + 3000), 0);
    I32(recvmsg, -1, P(buffer + 3000), 0);
    long id = I32(shmget, 0, 4096, 01600);
    I32(shmctl, id, 0x100, 0);
    id = I32(ipc, 2, 0, 1, 01600, 0, 0);
    I32(ipc, 3, id, 0, 0x100, P(words), 0);
    id = I32(ipc, 13, 0, 01600, 0, 0, 0);
    I32(ipc, 14, id, 0x100, 0, 0, 0);
    id = I32(ipc, 23, 0, 4096, 01600, 0, 0);
    I32(ipc, 24, id, 0x100, 0, 0, 0);
}

void exercise_i386(void)
{
    files();
    memory_and_tasks();
    signals_and_time();
    sockets();
}
