/* SPDX-License-Identifier: MIT
 * Calls about files, file systems, terminals and waiting for descriptors.
 */
#include "exercise.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>
#include <utime.h>

static char buffer[4096];
static struct stat status;

static void open_and_close(void)
{
    static u64 how[3] = {O_RDONLY | O_CLOEXEC, 0, 8 /* RESOLVE_BENEATH */};
    long fd = A64(open, P("exercise.file"), O_RDWR | O_CREAT | O_TRUNC, 0640);
    A64(open, P("/nonexistent"), O_RDONLY | O_NONBLOCK);
    A64(open, P(bad_page), O_WRONLY);
    A64(open, 0, O_RDONLY);
    A64(open, P("a\"b\\c\n\t\001\0019\377"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC);
    A64(openat, AT_FDCWD, P("/etc/passwd"), O_RDONLY | O_CLOEXEC);
    A64(openat, AT_FDCWD, P("."), O_RDWR | O_TMPFILE, 0600);
    A64(openat, 77, P("x"), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_SYNC | O_DIRECT | O_NOATIME | 0x100000, 04755);
    A64(openat, AT_FDCWD, P("exercise.file"), 3 | O_ASYNC | O_DSYNC | O_NOCTTY | O_LARGEFILE);
    A64(openat2, AT_FDCWD, P("exercise.file"), P(how), sizeof how);
    A64(openat2, AT_FDCWD, P("exercise.file"), P(how), 8);
    A64(creat, P("exercise.other"), 0);
    A64(creat, P("exercise.other"), 0600);
    A64(write, fd, P("hello, world\n"), 13);
    A64(write, fd, P("0123456789abcdef0123456789abcdef0123456789"), 42);
    A64(write, fd, P("0123456789abcdef0123456789abcdef"), 32);
    A64(write, fd, P("\0\1\2\0017\f\v\r\177\200"), 10);
    A64(write, fd, P(bad_page), 10);
    A64(write, fd, 0, 0);
    A64(write, -1, P("x"), 1);
    A64(pwrite64, fd, P("abc"), 3, 1);
    A64(lseek, fd, 0, SEEK_SET);
    A64(lseek, fd, -5, SEEK_END);
    A64(lseek, fd, 0, 9);
    A64(lseek, fd, 0, SEEK_DATA);
    A64(read, fd, P(buffer), 20);
    A64(read, fd, P(buffer), sizeof buffer);
    A64(read, fd, P(buffer), sizeof buffer);
    A64(read, fd, P(bad_page), 10);
    A64(read, -1, P(buffer), 10);
    A64(pread64, fd, P(buffer), 5, 2);
    A64(pread64, fd, P(buffer), 5, -1);
    A64(close, fd);
    A64(close, 1000);
    A64(close_range, 500, 600, 4);
    A64(close_range, 500, 4294967295u, 2);
}

static void vectors(void)
{
    static struct iovec iov[3];
    iov[0] = (struct iovec){(void *)"one", 3};
    iov[1] = (struct iovec){(void *)"a long second string of more than 32 bytes", 42};
    iov[2] = (struct iovec){bad_page, 0};
    long fd = A64(open, P("exercise.file"), O_RDWR);
    A64(writev, fd, P(iov), 2);
    A64(writev, fd, P(iov), 3);
    A64(writev, fd, P(iov), 0);
    A64(writev, fd, P(bad_page), 2);
    A64(pwritev, fd, P(iov), 1, 100, 0);
    A64(pwritev2, fd, P(iov), 1, 100, 0, 2);
    iov[0] = (struct iovec){buffer, 2};
    iov[1] = (struct iovec){buffer + 100, 500};
    A64(preadv, fd, P(iov), 2, 0, 0);
    A64(preadv2, fd, P(iov), 2, 40, 0, 0);
    A64(lseek, fd, 0, SEEK_SET);
    A64(readv, fd, P(iov), 1);
    A64(readv, fd, P(iov), 2);
    A64(close, fd);
}

static void descriptors(void)
{
    static int fds[2];
    static struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 10};
    static struct f_owner_ex owner;
    static long offset, other;
    long fd = A64(open, P("exercise.file"), O_RDWR);
    A64(dup, fd);
    A64(dup2, fd, 90);
    A64(dup3, fd, 91, O_CLOEXEC);
    A64(dup3, fd, 91, 0x40000001);
    A64(pipe, P(fds));
    A64(pipe2, P(fds), O_CLOEXEC | O_NONBLOCK);
    A64(pipe2, P(fds), 0);
    A64(pipe2, 0, 0);
    A64(fcntl, fd, F_GETFD);
    A64(fcntl, 91, F_GETFD);
    A64(fcntl, fd, F_SETFD, FD_CLOEXEC);
    A64(fcntl, fd, F_SETFD, 0);
    A64(fcntl, fd, F_GETFL);
    A64(fcntl, fd, F_SETFL, O_RDONLY | O_NONBLOCK | O_APPEND);
    A64(fcntl, fd, F_DUPFD, 100);
    A64(fcntl, fd, F_DUPFD_CLOEXEC, 100);
    A64(fcntl, fd, F_SETLK, P(&lock));
    A64(fcntl, fd, F_GETLK, P(&lock));
    A64(fcntl, fd, F_OFD_SETLKW, P(bad_page));
    A64(fcntl, fd, F_GETOWN);
    A64(fcntl, fd, F_SETOWN, 0);
    A64(fcntl, fd, F_GETOWN_EX, P(&owner));
    A64(fcntl, fd, F_GETSIG);
    A64(fcntl, fd, F_SETSIG, 10);
    A64(fcntl, fd, F_GETSIG);
    A64(fcntl, fds[0], F_GETPIPE_SZ);
    A64(fcntl, fd, F_GETLEASE);
    A64(fcntl, fd, F_SETLEASE, F_RDLCK);
    A64(fcntl, fd, F_GET_SEALS);
    A64(fcntl, fd, 9999, 5);
    A64(flock, fd, 2 | 4);
    A64(flock, fd, 8);
    A64(ftruncate, fd, 10000);
    A64(truncate, P("exercise.file"), 9000);
    A64(truncate, P("exercise.file"), -1);
    A64(fallocate, fd, 1, 0, 100);
    A64(fallocate, fd, 0, 0, 20000);
    A64(fadvise64, fd, 0, 100, 3);
    A64(readahead, fd, 0, 100);
    A64(sync_file_range, fd, 0, 0, 7);
    A64(fsync, fd);
    A64(fdatasync, fd);
    A64(syncfs, fd);
    A64(sendfile, fds[1], fd, P(&offset), 100);
    A64(sendfile, fds[1], fd, 0, 10);
    other = 5;
    A64(splice, fd, P(&other), fds[1], 0, 20, 1);
    A64(tee, fds[0], fds[1], 10, 2);
    A64(copy_file_range, fd, P(&offset), fd, P(&other), 1, 0);
    A64(memfd_create, P("name"), 3);
    A64(memfd_create, P("huge"), 4 | 21 << 26);
}

static void names(void)
{
    static struct statx extended;
    static struct statfs fs;
    static struct timespec times[2] = {{1000000000, 5}, {0, UTIME_OMIT}};
    static struct timeval seconds[2] = {{1000000000, 123}, {1, 0}};
    static struct utimbuf both = {1, 1000000000};
    A64(stat, P("/etc/passwd"), P(&status));
    A64(stat, P("/dev/null"), P(&status));
    A64(stat, P("/nonexistent"), P(&status));
    A64(lstat, P("/tmp"), P(&status));
    A64(fstat, 0, P(&status));
    A64(fstat, 0, P(bad_page));
    A64(newfstatat, AT_FDCWD, P("/"), P(&status), 0);
    A64(newfstatat, 0, P(""), P(&status), AT_EMPTY_PATH);
    A64(newfstatat, AT_FDCWD, P("/proc/self/exe"), P(&status), AT_SYMLINK_NOFOLLOW | 0x40000);
    A64(statx, AT_FDCWD, P("/etc/passwd"), AT_STATX_SYNC_AS_STAT, STATX_ALL, P(&extended));
    A64(statx, AT_FDCWD, P("/dev/null"), AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, P(&extended));
    A64(statx, AT_FDCWD, P("/"), AT_NO_AUTOMOUNT, STATX_TYPE | STATX_MODE, P(&extended));
    A64(statfs, P("/proc"), P(&fs));
    A64(statfs, P("/tmp"), P(&fs));
    A64(fstatfs, 0, P(&fs));
    A64(access, P("/etc/passwd"), R_OK | W_OK);
    A64(access, P("/etc/passwd"), F_OK);
    A64(access, P("/etc/passwd"), 64);
    A64(faccessat, AT_FDCWD, P("/"), X_OK);
    A64(faccessat2, AT_FDCWD, P("/"), X_OK, AT_EACCESS);
    A64(getcwd, P(buffer), sizeof buffer);
    A64(getcwd, P(buffer), 1);
    A64(chdir, P("."));
    A64(fchdir, 1000);
    A64(mkdir, P("exercise.dir"), 0755);
    A64(mkdirat, AT_FDCWD, P("exercise.dir"), 01777);
    A64(rmdir, P("exercise.dir"));
    A64(mknod, P("exercise.fifo"), S_IFIFO | 0600, 0);
    A64(mknodat, AT_FDCWD, P("/nonexistent/null"), S_IFCHR | 0666, 0x103);
    A64(mknod, P("/nonexistent/x"), 0644, 7);
    A64(link, P("exercise.fifo"), P("exercise.link"));
    A64(linkat, AT_FDCWD, P("exercise.fifo"), AT_FDCWD, P("exercise.link"), AT_SYMLINK_FOLLOW);
    A64(symlink, P("target"), P("exercise.symlink"));
    A64(symlinkat, P("target"), AT_FDCWD, P("exercise.symlink"));
    A64(readlink, P("exercise.symlink"), P(buffer), sizeof buffer);
    A64(readlinkat, AT_FDCWD, P("exercise.symlink"), P(buffer), 3);
    A64(readlink, P("exercise.fifo"), P(buffer), 3);
    A64(rename, P("exercise.link"), P("exercise.link2"));
    A64(renameat, AT_FDCWD, P("exercise.link"), AT_FDCWD, P("x"));
    A64(renameat2, AT_FDCWD, P("exercise.link"), AT_FDCWD, P("x"), 1);
    A64(unlink, P("exercise.link2"));
    A64(unlinkat, AT_FDCWD, P("exercise.symlink"), 0);
    A64(unlinkat, AT_FDCWD, P("exercise.dir"), AT_REMOVEDIR);
    A64(chmod, P("exercise.fifo"), 0);
    A64(chmod, P("exercise.fifo"), 04711);
    A64(fchmod, 1000, 0644);
    A64(fchmodat, AT_FDCWD, P("exercise.fifo"), 0644);
    A64(chown, P("exercise.fifo"), -1, -1);
    A64(lchown, P("exercise.fifo"), 0, 0);
    A64(fchown, 1000, 1, 2);
    A64(fchownat, AT_FDCWD, P("exercise.fifo"), 0, -1, AT_SYMLINK_NOFOLLOW);
    A64(umask, 022);
    A64(umask, 022);
    A64(umask, 0);
    A64(utimensat, AT_FDCWD, P("exercise.fifo"), P(times), 0);
    A64(utimensat, AT_FDCWD, P("exercise.fifo"), 0, AT_SYMLINK_NOFOLLOW);
    A64(utimes, P("exercise.fifo"), P(seconds));
    A64(futimesat, AT_FDCWD, P("exercise.fifo"), P(seconds));
    A64(utime, P("exercise.fifo"), P(&both));
    A64(setxattr, P("exercise.fifo"), P("user.x"), P("value"), 5, 1);
    A64(getxattr, P("exercise.fifo"), P("user.x"), P(buffer), 100);
    A64(listxattr, P("/"), P(buffer), 100);
    A64(removexattr, P("exercise.fifo"), P("user.x"));
    A64(unlink, P("exercise.fifo"));
    long fd = A64(open, P("/"), O_RDONLY | O_DIRECTORY);
    A64(getdents64, fd, P(buffer), sizeof buffer);
    A64(getdents64, fd, P(buffer), 1);
    A64(lseek, fd, 0, SEEK_SET);
    A64(getdents, fd, P(buffer), sizeof buffer);
    A64(getdents, 1000, P(buffer), sizeof buffer);
    A64(chroot, P("/nonexistent"));
}

static void file_systems(void)
{
    A64(mount, P("proc"), P("/nonexistent"), P("proc"), MS_NOSUID | MS_NODEV, P("hidepid=2"));
    A64(mount, P("none"), P("/nonexistent"), 0, MS_REC | MS_PRIVATE, 0);
    A64(mount, P("a"), P("/nonexistent"), P("x"), MS_BIND, P("y"));
    A64(mount, P("a"), P("/nonexistent"), P("x"), 0xC0ED0000 | MS_REMOUNT | MS_RDONLY, P("y"));
    A64(umount2, P("/nonexistent"), MNT_DETACH | 8);
    A64(pivot_root, P("/nonexistent"), P("x"));
    A64(swapon, P("/nonexistent"), 0x8005);
    A64(swapoff, P("/nonexistent"));
    A64(fsopen, P("nosuchfs"), 1);
    A64(inotify_init);
    long fd = A64(inotify_init1, IN_CLOEXEC | IN_NONBLOCK);
    A64(inotify_add_watch, fd, P("/tmp"), IN_CREATE | IN_DELETE_SELF | IN_ONLYDIR);
    A64(inotify_rm_watch, fd, 1);
    A64(inotify_rm_watch, fd, 77);
    A64(sync);
}

static void terminals(void)
{
    static struct winsize size;
    static struct termios settings;
    static int number;
    static unsigned char set[64];
    long fd = A64(open, P("/dev/ptmx"), O_RDWR | O_NOCTTY);
    A64(ioctl, fd, TCGETS, P(&settings));
    A64(ioctl, fd, TCSETSW, P(&settings));
    A64(ioctl, fd, TIOCGWINSZ, P(&size));
    size.ws_row = 25;
    size.ws_col = 80;
    A64(ioctl, fd, TIOCSWINSZ, P(&size));
    A64(ioctl, fd, TIOCGWINSZ, P(&size));
    A64(ioctl, fd, TIOCGPTN, P(&number));
    number = 0;
    A64(ioctl, fd, TIOCSPTLCK, P(&number));
    A64(ioctl, fd, FIONREAD, P(&number));
    A64(ioctl, fd, FIONBIO, P(&number));
    A64(ioctl, fd, FIOCLEX);
    A64(ioctl, 1000, TCGETS, P(&settings));
    A64(ioctl, fd, 0x12345678, P(set));
    A64(ioctl, fd, 0xC0045A99, P(set));
    A64(ioctl, fd, TIOCGPGRP, P(&number));
    A64(ioctl, fd, TCFLSH, 2);
}

static void waiting(void)
{
    static struct pollfd polled[3];
    static struct epoll_event event = {EPOLLIN | EPOLLPRI, {.u64 = 7}}, events[4];
    static struct timeval zero;
    static struct timespec nothing;
    static fd_set reads, writes;
    static struct {
        const void *set;
        size_t size;
    } mask;
    static sigset_t signals;
    static struct itimerspec timer = {{0, 0}, {100, 5}}, old;
    int fds[2];
    if (pipe(fds) != 0 || write(fds[1], "x", 1) != 1)
        return;
    polled[0] = (struct pollfd){fds[0], POLLIN | POLLPRI, 0};
    polled[1] = (struct pollfd){fds[1], POLLOUT, 0};
    polled[2] = (struct pollfd){-1, POLLIN, 0};
    A64(poll, P(polled), 3, 100);
    A64(poll, P(polled), 1, -1);
    A64(poll, 0, 0, 0);
    polled[1].events = POLLWRNORM | POLLRDBAND;
    A64(poll, P(polled), 2, 0);
    polled[1].events = 0;
    A64(poll, P(polled + 1), 1, 0);
    A64(poll, P(bad_page), 1, 0);
    A64(ppoll, P(polled), 1, P(&nothing), P(&signals), 8);
    A64(ppoll, P(polled), 1, 0, 0, 8);
    A64(ppoll, P(polled + 2), 1, P(&nothing), 0, 0);
    FD_SET(fds[0], &reads);
    FD_SET(fds[1], &writes);
    A64(select, 64, P(&reads), P(&writes), 0, P(&zero));
    A64(select, 64, P(&reads), 0, 0, 0);
    A64(select, 0, 0, 0, 0, P(&zero));
    A64(select, -1, 0, 0, 0, P(&zero));
    mask.set = &signals;
    mask.size = 8;
    A64(pselect6, 64, P(&reads), 0, 0, P(&nothing), P(&mask));
    A64(pselect6, 64, P(&reads), 0, 0, 0, 0);
    A64(epoll_create, 5);
    long fd = A64(epoll_create1, EPOLL_CLOEXEC);
    A64(epoll_ctl, fd, EPOLL_CTL_ADD, fds[0], P(&event));
    event.data.u64 = 0x123456789ABCDEF;
    A64(epoll_ctl, fd, EPOLL_CTL_MOD, fds[0], P(&event));
    A64(epoll_wait, fd, P(events), 4, 0);
    A64(epoll_pwait, fd, P(events), 4, 0, P(&signals), 8);
    A64(epoll_pwait, fd, P(events), 4, 0, 0, 8);
    A64(epoll_ctl, fd, EPOLL_CTL_DEL, fds[0], P(&event));
    A64(epoll_wait, fd, P(events), 4, 0);
    A64(epoll_wait, fd, P(events), 0, 0);
    A64(eventfd, 3);
    A64(eventfd2, 3, EFD_SEMAPHORE | EFD_CLOEXEC);
    sigaddset(&signals, 2);
    A64(signalfd4, -1, P(&signals), 8, SFD_NONBLOCK);
    A64(signalfd, -1, P(&signals), 8);
    fd = A64(timerfd_create, 1, TFD_CLOEXEC);
    A64(timerfd_settime, fd, TFD_TIMER_ABSTIME, P(&timer), P(&old));
    A64(timerfd_settime, fd, 0, P(&timer), 0);
    A64(timerfd_gettime, fd, P(&old));
}

void exercise_files(void)
{
    open_and_close();
    vectors();
    descriptors();
    names();
    file_systems();
    terminals();
    waiting();
    unlink("exercise.file");
    unlink("exercise.other");
}
