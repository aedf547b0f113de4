/* SPDX-License-Identifier: MIT
 * The script's part about files and directories, and what goes wrong with them.
 */
#include "exercise.h"

#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/uio.h>

#define DIR "/tmp/exercise"
#ifndef SEEK_SET
enum { SEEK_SET, SEEK_CUR, SEEK_END };
#endif

static char buffer[4096];

static void contents(void)
{
    int fd = (int)S(openat, AT_FDCWD, DIR "/a", O_RDWR | O_CREAT | O_TRUNC, 0640);
    struct iovec out[] = {{"first, ", 7}, {"second\n", 7}, {"\1\2\3\377", 4}};
    struct iovec in[] = {{buffer, 5}, {buffer + 100, 200}};

    S(write, fd, "hello, world\n", 13);
    S(write, fd, "a text that is longer than the thirty-two bytes that are shown\n", 63);
    S(write, fd, "\0\1\2\t\"\\\200binary", 13);
    S(writev, fd, out, 3);
#ifdef __x86_64__
    S(lseek, fd, 0, SEEK_SET);
    S(pwrite64, fd, "XYZ", 3, 2);
    S(pread64, fd, buffer, 16, 1);
    S(lseek, fd, 5, SEEK_CUR);
    S(lseek, fd, -1, SEEK_SET);
#else
    S(lseek, fd, 0, SEEK_SET);
    S(pwrite64, fd, "XYZ", 3, 2, 0);
    S(pread64, fd, buffer, 16, 1, 0);
    S(_llseek, fd, 0, 5, buffer, SEEK_CUR);
    S(lseek, fd, -1, SEEK_SET);
#endif
    S(read, fd, buffer, 8);
    S(read, fd, buffer, sizeof buffer);
    S(read, fd, buffer, sizeof buffer);
    S(lseek, fd, 0, SEEK_END);
    S(lseek, fd, 3, SEEK_SET);
    S(readv, fd, in, 2);
    S(ftruncate, fd, 40);
    S(fallocate, fd, 0, 0, 4096);
    S(fsync, fd);
    S(fdatasync, fd);
    S(fchmod, fd, 0600);
    S(fchown, fd, 0, 0);
    S(flock, fd, 2);
    S(flock, fd, 8);
    S(close, fd);
}

static void names(void)
{
    S(access, DIR "/a", 4);
    S(faccessat, AT_FDCWD, DIR "/none", 0);
    S(link, DIR "/a", DIR "/b");
    S(linkat, AT_FDCWD, DIR "/a", AT_FDCWD, DIR "/c", 0);
    S(symlink, "a", DIR "/s");
    S(symlinkat, "nowhere", AT_FDCWD, DIR "/t");
    S(readlink, DIR "/s", buffer, sizeof buffer);
    S(readlinkat, AT_FDCWD, DIR "/a", buffer, sizeof buffer);
    S(rename, DIR "/b", DIR "/d");
    S(renameat2, AT_FDCWD, DIR "/c", AT_FDCWD, DIR "/d", 1);
    S(unlink, DIR "/c");
    S(unlinkat, AT_FDCWD, DIR "/d", 0);
    S(chmod, DIR "/a", 0644);
    S(fchmodat, AT_FDCWD, DIR "/a", 0755);
    S(chown, DIR "/a", 0, 0);
    S(truncate, DIR "/a", 20);
    S(mknod, DIR "/fifo", S_IFIFO | 0600, 0);
    S(mkdirat, AT_FDCWD, DIR "/sub", 0700);
    S(umask, 022);
    S(chdir, DIR);
    S(getcwd, buffer, sizeof buffer);
    S(getcwd, buffer, 3);
    S(utimensat, AT_FDCWD, "a", 0, 0);
}

static void status(void)
{
    int fd = (int)S(openat, AT_FDCWD, DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

#ifdef __x86_64__
    S(stat, "a", buffer);
    S(lstat, "s", buffer);
    S(fstat, fd, buffer);
    S(newfstatat, fd, "a", buffer, 0);
    S(stat, "none", buffer);
    S(statfs, "/tmp", buffer);
    S(fstatfs, fd, buffer);
#else
    S(stat64, "a", buffer);
    S(lstat64, "s", buffer);
    S(fstat64, fd, buffer);
    S(fstatat64, fd, "a", buffer, 0);
    S(stat64, "none", buffer);
    S(statfs64, "/tmp", 84, buffer);
    S(fstatfs64, fd, 84, buffer);
#endif
    S(statx, AT_FDCWD, "a", 0, 0x7FF, buffer);
    S(getdents64, fd, buffer, sizeof buffer);
    S(getdents64, fd, buffer, sizeof buffer);
    S(fchdir, fd);
    S(close, fd);
}

static void errors(void)
{
    int fd;

    S(openat, AT_FDCWD, "/no/such/file", O_RDONLY);
    S(openat, AT_FDCWD, BAD_POINTER, O_RDONLY);
    S(openat, AT_FDCWD, DIR, O_WRONLY);
    S(open, DIR "/a", O_WRONLY | O_CREAT | O_EXCL, 0600);
    S(openat, 77, "relative", O_RDONLY);
    S(openat, AT_FDCWD, "", O_RDONLY);
    S(close, 99);
    S(close, -1);
    S(read, 99, buffer, 10);
    S(mkdir, DIR, 0777);
    S(rmdir, DIR);
    S(rmdir, DIR "/none");
    S(unlink, DIR "/none");
    S(readlink, DIR "/none", buffer, 100);
    S(chdir, "a");
    fd = (int)S(open, DIR "/a", O_RDWR | O_APPEND | O_NONBLOCK);
    S(write, fd, BAD_POINTER, 5);
    S(read, fd, BAD_POINTER, 5);
    S(read, fd, buffer, 0);
    S(ioctl, fd, 0x5401, buffer);
    S(close, fd);
    raw_call(999, 1, 2, 3, 4, 5, 6);
    raw_call(1024, 0, 0, 0, 0, 0, 0);
}

static void clean(void)
{
    S(chdir, "/");
    S(unlink, DIR "/a");
    S(unlink, DIR "/s");
    S(unlink, DIR "/t");
    S(unlink, DIR "/fifo");
    S(unlinkat, AT_FDCWD, DIR "/sub", 0x200);
    S(rmdir, DIR);
}

void exercise_files(void)
{
    S(mkdir, DIR, 0755);
    contents();
    names();
    status();
    errors();
    clean();
}
