/* SPDX-License-Identifier: MIT
 * A row of linux/syscalls.def as a structure, and the codes that its columns are written in.
 */
#ifndef RINGSIDE_LINUX_KINDS_H
#define RINGSIDE_LINUX_KINDS_H

#include "linux/linux.h"

/* Groups, as strace's %file and so on; one letter is one bit of linux_syscall_groups(). */
enum linux_group {
    GROUP_D = 1u << 0, /* desc */
    GROUP_F = 1u << 1, /* file */
    GROUP_N = 1u << 2, /* network */
    GROUP_P = 1u << 3, /* process */
    GROUP_M = 1u << 4, /* memory */
    GROUP_S = 1u << 5, /* signal */
    GROUP_I = 1u << 6, /* ipc */
    GROUP_C = 1u << 7, /* creds */
    GROUP_K = 1u << 8, /* clock */
};

/* What a result is. */
enum linux_result {
    RESULT_INT,         /* a number */
    RESULT_FD,          /* a new file descriptor */
    RESULT_ADDRESS,     /* hexadecimal */
    RESULT_OCTAL,       /* a mode */
    RESULT_NONE,        /* it does not return */
    RESULT_TICKS,       /* unsigned: never an error but by its name */
    RESULT_FCNTL,       /* depends on the command */
    RESULT_PRCTL,       /* depends on the option */
    RESULT_POLL,        /* a number, and what the descriptors have */
    RESULT_SELECT,      /* a number, and the sets that are left */
    RESULT_SELECT_OLD,  /* the same, arguments in a structure */
    RESULT_SCHED,       /* a scheduling policy */
    RESULT_IOPRIO,      /* an I/O priority */
    RESULT_PERSONALITY, /* a personality */
    RESULT_ADJTIMEX,    /* the state of the clock */
    RESULT_SIGMASK,     /* a set of signals */
    RESULT_MEMBARRIER,  /* depends on the command */
    RESULT_SIGNAL,      /* a signal */
    RESULT_HANDLER,     /* of a signal */
    RESULT_OLD_SIGMASK, /* the set that was */
    RESULT_THREAD_AREA, /* a number, and a descriptor's */
    RESULT_TIME,        /* seconds */
};

/* Whether an argument points to memory. */
enum linux_direction { DIRECTION_0 = 0, IN = 1, OUT = 2, ALWAYS = 4 };

/* What an argument is: a row of linux/kinds.def. */
enum linux_kind {
    KIND____ = 0, /* none */
#define KIND(name, memory, arguments, printer, table) KIND_##name,
#include "linux/kinds.def"
#undef KIND
    KINDS
};

struct linux_syscall {
    const char *name;
    u16 groups;           /* bits of enum linux_group */
    u8 result;            /* enum linux_result */
    u8 args;              /* how many */
    u8 memory;            /* IN, OUT: of all arguments together */
    u16 kind[LINUX_ARGS]; /* enum linux_kind; the first that is none ends them */
};

#endif
