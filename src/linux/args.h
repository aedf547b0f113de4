/* SPDX-License-Identifier: MIT
 * Printers of arguments, one for each row of linux/kinds.def: arg_NAME(p, i) prints argument i, and those that follow
 * when its kind stands for several (put_next() between them).
 */
#ifndef RINGSIDE_LINUX_ARGS_H
#define RINGSIDE_LINUX_ARGS_H

#include "linux/print.h"

typedef void arg_fn(struct print *p, unsigned i);

#define KIND(name, memory, arguments, printer, table) arg_fn arg_##printer;
#include "linux/kinds.def"
#undef KIND

/* "3", "-1 ENOENT (No such file or directory)", and what some calls say behind it (linux/result.c). */
void put_result(struct print *p, bool raw);
/* The call inside a multiplexer (socketcall, ipc), by p->arg; NULL: none, or none that is known. */
const struct linux_syscall *multiplexed_row(struct print *p);

/* What stands in parentheses behind a result. */
void result_poll(struct print *p);
/* in: args  nfds, three sets, timeout; wide  the timeout has 64-bit fields; nanoseconds  it is a timespec */
void result_select(struct print *p, const u64 *args, bool nanoseconds, bool wide);
/* The same of a structure of arguments (i386). */
void result_select_old(struct print *p);
/* The entry that the kernel chose: set_thread_area. */
void result_thread_area(struct print *p);
void result_fcntl(struct print *p);
void result_prctl(struct print *p);
void put_ioprio(struct print *p, u32 priority);
void put_personality(struct print *p, u32 personality);
/* in: mask  the first 64 signals; signals  how many it covers */
void put_sigset(struct print *p, u64 mask, unsigned signals);

/* Time, as the structure of the caller or with 64-bit fields. */
struct linux_time {
    i64 seconds, fraction;
};
/* in: wide  both fields have 64 bits whatever the caller is. returns: false when unknown */
bool time_read(struct print *p, u64 address, bool wide, struct linux_time *time);
size_t time_size(const struct print *p, bool wide);
void time_get(const struct print *p, const u8 *bytes, bool wide, struct linux_time *time);
void put_timespec(struct print *p, const struct linux_time *time);
void put_timeval(struct print *p, const struct linux_time *time);
/* Processor time: "5 / * 0.05 s * /" */
void put_ticks(struct print *p, i64 ticks);
/* "2022-11-30T12:00:00+0000" */
void put_date(struct print *p, i64 seconds);

/* "{sa_family=AF_INET, ...}" of size bytes. */
void put_sockaddr(struct print *p, u64 address, u64 size);
/* Message headers: shared by the calls of one message and of several. in: bytes  a struct msghdr; data  bytes that
 * arrived, ~0 when it is one to send; room  for the name at the entry, -1 when that is not known or not asked */
size_t msghdr_size(const struct print *p);
void put_msghdr(struct print *p, const u8 *bytes, u64 data, i32 room);
/* Buffers of struct iovec: what they hold, at most data bytes in all. */
void put_iovec(struct print *p, u64 address, u64 count, u64 data);
/* struct ucred: process, user, group. */
void put_credentials(struct print *p, const u8 *bytes);
/* "SIG_DFL", "0x401000" */
void put_handler(struct print *p, u64 handler);
/* struct user_desc as it is at the return. */
void put_user_desc_at(struct print *p, u64 address);
/* A command of ioctl that takes a struct ifreq, with its argument. returns: false when it is another command */
bool put_interface_command(struct print *p, u32 command, u64 argument);
void put_siginfo(struct print *p, u64 address);
void put_open_flags(struct print *p, u32 flags);

#endif
