/* SPDX-License-Identifier: MIT
 * Linux's public system-call interface: numbers, names, what each argument is, errors; and a call printed as strace
 * prints it. Written from the public ABI (the headers of the C library's kernel interface, the manual pages of section
 * 2).
 */
#ifndef RINGSIDE_LINUX_LINUX_H
#define RINGSIDE_LINUX_LINUX_H

#include <stdio.h>

#include "base/types.h"

/* Which table a number belongs to. SYSCALL from 64-bit code: AMD64 (X32 when bit 30 of the number is set). int 0x80,
 * SYSENTER and SYSCALL from 32-bit code: I386, whatever the process is. */
enum linux_abi { LINUX_AMD64, LINUX_I386, LINUX_X32, LINUX_ABIS };

#define LINUX_ARGS 6u

struct linux_syscall; /* a row of linux/syscalls.def */

/* returns: NULL when the table has no such number */
const struct linux_syscall *linux_syscall(enum linux_abi abi, u64 number);
const char *linux_syscall_name(const struct linux_syscall *s);
unsigned linux_syscall_args(const struct linux_syscall *s);
/* Any argument points to memory that is read at the entry, or that the kernel has filled at the return. */
bool linux_syscall_reads(const struct linux_syscall *s);
bool linux_syscall_writes(const struct linux_syscall *s);
/* It ends the thread, or the program: exit, exit_group. */
bool linux_syscall_ends(const struct linux_syscall *s);
/* Groups, as strace's %network, %file, %process, %desc, %memory, %signal, %ipc, %creds, %clock: in: name without "%".
 * returns: bit of the group, 0 when there is no such group */
u32 linux_group(const char *name);
u32 linux_syscall_groups(const struct linux_syscall *s);
/* A row that has this name in any table; NULL when none has. A name may have two rows, with different arguments on
 * amd64 and on i386: whoever looks for a call by name compares names, not rows. */
const struct linux_syscall *linux_syscall_by_name(const char *name);

/* "ENOENT" for 2; NULL for a number without a name. Includes ERESTARTSYS and the like (512 and up). */
const char *linux_error_name(unsigned number);
const char *linux_error_text(unsigned number); /* "No such file or directory" */
/* "SIGSEGV" for 11; NULL. */
const char *linux_signal_name(unsigned number);

/* Guest memory as it was at the entry or at the return. read() returns false when any byte is not known: the printer
 * falls back to the address, as strace does. */
struct linux_memory {
    void *context;
    bool (*read)(void *context, u64 address, void *out, size_t size);
};

struct linux_call {
    enum linux_abi abi;
    u64 number;
    u64 arg[LINUX_ARGS];
    bool returned;
    i64 result;                     /* sign-extended from the width of the caller's code */
    const struct linux_memory *in;  /* at the entry */
    const struct linux_memory *out; /* at the return; NULL while it has not returned */
};

#define LINUX_STRING_MAX 16384u /* more of a string is never shown */

struct linux_style {
    unsigned string_limit; /* bytes of a string or buffer that are shown, as strace -s; 0 = 32 */
    bool raw;              /* arguments as numbers only */
};

/* "openat(AT_FDCWD, "/etc/passwd", O_RDONLY)": name and arguments, without the result.
 * The printer reads through in and out and nothing else: a recorder that runs it with readers which keep what they are
 * asked for has kept all that a later print will read. */
void linux_print_call(FILE *out, const struct linux_call *call, const struct linux_style *style);
/* "3", "-1 ENOENT (No such file or directory)", "0x7f...", "? ERESTARTSYS (To be restarted if SA_RESTART is set)". */
void linux_print_result(FILE *out, const struct linux_call *call, const struct linux_style *style);
/* The bytes that linux_print_call() and linux_print_result() would read at the entry (in) or at the return (out), by
 * calling the readers; prints nothing. Cheaper than printing. At the return call->in may give memory as it is then:
 * what the kernel fills is described by arguments that are still there, but for lengths that it makes smaller. */
void linux_visit_memory(const struct linux_call *call, const struct linux_style *style);

#endif
