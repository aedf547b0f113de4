/* SPDX-License-Identifier: MIT
 * The host's side of a traced program: its standard streams, and what the guest's first process reports.
 */
#ifndef RINGSIDE_CLI_TRACE_STREAMS_H
#define RINGSIDE_CLI_TRACE_STREAMS_H

#include "cli/console.h"
#include "trace_init/protocol.h"

#define TRACE_CONSOLE_BYTES 65536u
#define TRACE_REPORT_MAX 512u

struct trace_streams {
    struct machine *machine; /* set once it exists */
    struct console console;  /* the terminal, when standard input is one */
    struct machine_world terminal;
    enum trace_stream kind[3]; /* standard input, output, error */
    int terminal_fd;           /* where the guest's terminal shows; -1: nowhere */
    u8 *input;                 /* the contents of standard input, when it is a file */
    size_t input_size;
    bool wanted; /* the guest waits for standard input */
    struct {
        u8 bytes[4096];
        size_t size;
    } waiting[3];                          /* not yet written: 0 the terminal, 1 standard output, 2 standard error */
    char kernel_says[TRACE_CONSOLE_BYTES]; /* the end of what came on the kernel's console */
    size_t kernel_said;                    /* bytes, also of those that did not fit */
    u8 report[TRACE_REPORT_MAX];
    size_t reported;
    /* What was reported. */
    u32 pid; /* 0: the program was not started */
    bool exited, failed;
    int status; /* of wait4() */
    int error;  /* failed: a Linux error number, 0 = none */
    char what[TRACE_REPORT_MAX];
    bool broken_pipe, write_failed;
    void (*started)(void *context, u32 pid); /* the next execve() of this process is the program's */
    void *started_context;
};

/* Look at the host's streams, and read standard input if it is a regular file (of stdin_from, NULL: as it is).
 * returns: false with err set (EXIT_FILE) */
bool trace_streams_open(struct trace_streams *s, const char *stdin_from, struct error *err);
/* Write what waits, give the terminal back, free. */
void trace_streams_close(struct trace_streams *s);
/* The world's callbacks; context is the streams. */
void trace_streams_world(struct trace_streams *s, struct machine_world *world);
/* Print what the kernel said last to stderr, each line marked. */
void trace_streams_print_kernel(const struct trace_streams *s);
/* Rows and columns of the terminal; false: there is none. */
bool trace_streams_window(const struct trace_streams *s, unsigned *rows, unsigned *columns);

#endif
