/* SPDX-License-Identifier: MIT
 * The script's part about descriptors: copies, pipes, waiting for many, and what is no file.
 */
#include "exercise.h"

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/uio.h>

static char buffer[512];

static void copies(void)
{
    int fd = (int)S(openat, AT_FDCWD, "/tmp", O_RDWR | O_TMPFILE, 0600);
    int other = (int)S(dup, fd);

    S(dup2, fd, 50);
    S(dup2, fd, fd);
    S(dup3, fd, 51, O_CLOEXEC);
    S(dup3, fd, fd, 0);
    S(fcntl, fd, F_GETFL);
    S(fcntl, fd, F_SETFL, O_APPEND | O_NONBLOCK);
    S(fcntl, fd, F_GETFD);
    S(fcntl, fd, F_SETFD, FD_CLOEXEC);
    S(fcntl, fd, F_DUPFD, 60);
    S(fcntl, fd, F_DUPFD_CLOEXEC, 61);
    S(fcntl, 98, F_GETFL);
    S(close, other);
    S(close_range, 50, 70, 0);
    S(close, fd);
}

static void pipes(void)
{
    int fd[2], more[2];
    struct iovec out[] = {{"ab", 2}, {"cde", 3}};

    S(pipe, fd);
    S(pipe2, more, O_NONBLOCK | O_CLOEXEC);
    S(write, fd[1], "through the pipe", 16);
    S(ioctl, fd[0], 0x541B, buffer);
    S(read, fd[0], buffer, 7);
    S(read, fd[0], buffer, sizeof buffer);
    S(read, more[0], buffer, sizeof buffer);
    S(writev, more[1], out, 2);
    S(tee, more[0], fd[1], 100, 0);
    S(splice, more[0], 0, fd[1], 0, 100, 0);
    S(read, fd[0], buffer, sizeof buffer);
    S(close, fd[1]);
    S(read, fd[0], buffer, sizeof buffer);
    S(close, more[0]);
    S(close, fd[0]);
    S(close, more[1]);
}

static void waiting(void)
{
    int fd[2];
    struct pollfd polled[2];
    word set[1024 / (8 * sizeof(word))] = {0};
    word time[2] = {0, 1000};
    struct epoll_event event = {.events = EPOLLIN, .data = 7}, events[4];

    S(pipe2, fd, 0);
    polled[0] = (struct pollfd){.fd = fd[0], .events = POLLIN};
    polled[1] = (struct pollfd){.fd = fd[1], .events = POLLOUT};
    S(poll, polled, 2, 0);
    S(poll, polled, 1, 5);
    S(write, fd[1], "x", 1);
    polled[1].fd = 97;
    S(poll, polled, 2, 100);
    S(ppoll, polled, 1, time, 0, 8);
    set[0] = (word)1 << fd[0];
#ifdef __x86_64__
    S(select, fd[1] + 1, set, 0, 0, time);
#else
    S(_newselect, fd[1] + 1, set, 0, 0, time);
#endif
    time[1] = 2000;
    S(pselect6, 0, 0, 0, 0, time, 0);

    int epoll = (int)S(epoll_create1, EPOLL_CLOEXEC);
    S(epoll_ctl, epoll, EPOLL_CTL_ADD, fd[0], &event);
    S(epoll_ctl, epoll, EPOLL_CTL_ADD, fd[0], &event);
    S(epoll_wait, epoll, events, 4, 10);
    event.events = EPOLLIN | EPOLLET | EPOLLONESHOT;
    S(epoll_ctl, epoll, EPOLL_CTL_MOD, fd[0], &event);
    S(read, fd[0], buffer, sizeof buffer);
    S(epoll_pwait, epoll, events, 4, 1, 0, 8);
    S(epoll_ctl, epoll, EPOLL_CTL_DEL, fd[0], 0);
    S(close, epoll);
    S(close, fd[0]);
    S(close, fd[1]);
}

static void others(void)
{
    unsigned long long number = 5;
    int fd = (int)S(eventfd2, 3, O_NONBLOCK);

    S(write, fd, &number, 8);
    S(read, fd, buffer, 8);
    S(read, fd, buffer, 8);
    S(close, fd);
    fd = (int)S(memfd_create, "remembered", 1);
    S(write, fd, "memory", 6);
    S(ftruncate, fd, 8192);
    S(close, fd);
    fd = (int)S(inotify_init1, 0);
    S(inotify_add_watch, fd, "/tmp", 0x100);
    S(close, fd);
    fd = (int)S(openat, AT_FDCWD, "/dev/null", O_WRONLY);
    int in = (int)S(openat, AT_FDCWD, "/init", O_RDONLY);
    S(sendfile, fd, in, 0, 100);
#ifdef __x86_64__
    S(fadvise64, in, 0, 0, 1);
#else
    S(fadvise64_64, in, 0, 0, 0, 0, 1);
#endif
    S(close, in);
    S(close, fd);
    fd = (int)S(open, "/dev/console", O_RDWR | O_NOCTTY);
    S(ioctl, fd, 0x5401, buffer);
    S(ioctl, fd, 0x5413, buffer);
    S(ioctl, fd, 0x12345, 0);
    S(close, fd);
}

void exercise_descriptors(void)
{
    copies();
    pipes();
    waiting();
    others();
}
