/* SPDX-License-Identifier: MIT
 * The host's side of a traced program: its standard streams, and what the guest's first process reports.
 */
#include "cli/trace/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { TERMINAL, STANDARD_OUTPUT, STANDARD_ERROR }; /* indices of `waiting` */

#define INPUT_MAX_BYTES (1ull << 30)

/* ---- what the host's streams are */

static enum trace_stream stream_kind(int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return TRACE_STREAM_NULL; /* closed */
    if (isatty(fd))
        return TRACE_STREAM_TERMINAL;
    if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
        return TRACE_STREAM_NULL;
    return fd == STDIN_FILENO && S_ISREG(st.st_mode) ? TRACE_STREAM_FILE : TRACE_STREAM_PIPE;
}

/* All of a file, from where it is. A reader of the host's would find it read to its end afterwards, too. */
static bool read_input(struct trace_streams *s, int fd, const char *name, struct error *err)
{
    size_t room = 0;

    for (;;) {
        ssize_t n;

        if (s->input_size == room) {
            room = room == 0 ? 65536 : 2 * room;
            s->input = realloc(s->input, room);
            if (s->input == NULL || room > INPUT_MAX_BYTES)
                return error_set(err, EXIT_LIMIT, "standard input (%s) is too large to be put into the guest", name);
        }
        n = read(fd, s->input + s->input_size, room - s->input_size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, EXIT_FILE, "cannot read standard input (%s): %s", name, strerror(errno));
        if (n == 0)
            return true;
        s->input_size += (size_t)n;
    }
}

static bool read_input_file(struct trace_streams *s, const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    bool ok;

    if (fd < 0)
        return error_set(err, EXIT_FILE, "cannot read '%s' (--stdin-from): %s", path, strerror(errno));
    s->kind[0] = TRACE_STREAM_FILE;
    if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) {
        s->kind[0] = TRACE_STREAM_NULL;
        ok = true;
    } else if (S_ISCHR(st.st_mode)) {
        ok = error_set(err, EXIT_FILE, "'%s' (--stdin-from) is a device, not a file", path);
    } else {
        ok = read_input(s, fd, path, err);
    }
    close(fd);
    return ok;
}

bool trace_streams_open(struct trace_streams *s, const char *stdin_from, struct error *err)
{
    *s = (struct trace_streams){.terminal_fd = -1, .console = {.in = -1, .out = -1}};
    for (int fd = 0; fd < 3; fd++)
        s->kind[fd] = stream_kind(fd);
    if (stdin_from != NULL && !read_input_file(s, stdin_from, err))
        return false;
    for (int i = 0; i < 3 && s->terminal_fd < 0; i++) {
        static const int order[3] = {STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO};

        if (s->kind[order[i]] == TRACE_STREAM_TERMINAL)
            s->terminal_fd = order[i];
    }
    if (stdin_from == NULL && s->kind[0] == TRACE_STREAM_FILE)
        return read_input(s, STDIN_FILENO, "a file", err);
    return true;
}

bool trace_streams_window(const struct trace_streams *s, unsigned *rows, unsigned *columns)
{
    struct winsize size;

    if (s->terminal_fd < 0 || ioctl(s->terminal_fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
        return false;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return true;
}

/* ---- output */

static void write_out(struct trace_streams *s, int fd, const u8 *bytes, size_t size)
{
    while (size != 0 && !s->write_failed && !s->broken_pipe) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};

            if (console_interrupted())
                return;
            poll(&wait, 1, 100);
            continue;
        }
        if (n <= 0) {
            s->broken_pipe = n < 0 && errno == EPIPE;
            s->write_failed = !s->broken_pipe;
            machine_quit(s->machine);
            return;
        }
        bytes += n;
        size -= (size_t)n;
    }
}

static void flush_one(struct trace_streams *s, unsigned which)
{
    int fd = which == TERMINAL ? s->terminal_fd : which == STANDARD_OUTPUT ? STDOUT_FILENO : STDERR_FILENO;
    size_t size = s->waiting[which].size;

    s->waiting[which].size = 0;
    if (fd >= 0)
        write_out(s, fd, s->waiting[which].bytes, size);
}

static void flush(struct trace_streams *s)
{
    for (unsigned i = 0; i < 3; i++)
        if (s->waiting[i].size != 0)
            flush_one(s, i);
}

static void put(struct trace_streams *s, unsigned which, const u8 *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (s->waiting[which].size == sizeof s->waiting[which].bytes)
            flush_one(s, which);
        s->waiting[which].bytes[s->waiting[which].size++] = bytes[i];
    }
}

static void hear_kernel(struct trace_streams *s, const u8 *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        s->kernel_says[s->kernel_said++ % TRACE_CONSOLE_BYTES] = (char)bytes[i];
}

void trace_streams_print_kernel(const struct trace_streams *s)
{
    size_t from = s->kernel_said > TRACE_CONSOLE_BYTES ? s->kernel_said - TRACE_CONSOLE_BYTES : 0;
    bool at_start = true;

    for (size_t i = from; i < s->kernel_said; i++) {
        char c = s->kernel_says[i % TRACE_CONSOLE_BYTES];

        if (c == '\r')
            continue;
        if (at_start)
            fputs("guest: ", stderr);
        /* The guest does not steer the user's terminal. */
        fputc(c == '\n' || c == '\t' || (c >= ' ' && c < 0x7F) ? c : '?', stderr);
        at_start = c == '\n';
    }
    if (!at_start)
        fputc('\n', stderr);
}

/* ---- reports */

static void start(struct trace_streams *s)
{
    struct error err;

    memcpy(&s->pid, s->report + 1, sizeof s->pid);
    if (s->started != NULL)
        s->started(s->started_context, s->pid);
    if (s->kind[0] == TRACE_STREAM_TERMINAL && console_open(&s->console, SERIAL_TERMINAL, NULL, &err)) {
        s->console.machine = s->machine;
        console_world(&s->console, &s->terminal);
        machine_listen(s->machine);
    }
}

static void end(struct trace_streams *s)
{
    memcpy(&s->status, s->report + 1, sizeof s->status);
    s->exited = true;
    machine_quit(s->machine);
}

static void fail(struct trace_streams *s)
{
    s->error = s->report[1];
    for (size_t i = 2; i < s->reported; i++)
        s->what[i - 2] = (char)s->report[i];
    s->what[s->reported - 2] = '\0';
    s->failed = true;
    machine_quit(s->machine);
}

/* returns: the report that began is whole, and was taken */
static bool take_report(struct trace_streams *s)
{
    switch (s->report[0]) {
    case TRACE_REPORT_FLUSH: flush(s); return true;
    case TRACE_REPORT_START:
        if (s->reported < 5)
            return false;
        if (s->pid == 0)
            start(s);
        return true;
    case TRACE_REPORT_EXIT:
        if (s->reported < 5)
            return false;
        end(s);
        return true;
    case TRACE_REPORT_ERROR:
        if (s->reported < 3 || (s->report[s->reported - 1] != 0 && s->reported < TRACE_REPORT_MAX))
            return false;
        fail(s);
        return true;
    default: return true; /* the traced program has opened the port for itself */
    }
}

static void hear_report(struct trace_streams *s, const u8 *bytes, size_t size)
{
    for (size_t i = 0; i < size && !s->exited && !s->failed; i++) {
        s->report[s->reported++] = bytes[i];
        if (take_report(s))
            s->reported = 0;
    }
}

static void output(void *context, unsigned port, const u8 *bytes, size_t size)
{
    struct trace_streams *s = context;

    switch (port) {
    case OUTPUT_COM1: put(s, TERMINAL, bytes, size); break;
    case OUTPUT_COM2:
    case OUTPUT_DEBUG: hear_kernel(s, bytes, size); break;
    case OUTPUT_CHANNEL: hear_report(s, bytes, size); break;
    case OUTPUT_CHANNEL + 1: put(s, STANDARD_OUTPUT, bytes, size); break;
    case OUTPUT_CHANNEL + 2: put(s, STANDARD_ERROR, bytes, size); break;
    case OUTPUT_CHANNEL + TRACE_PORT_READ:
        if (s->kind[0] == TRACE_STREAM_PIPE) {
            s->wanted = true;
            machine_listen(s->machine);
        }
        break;
    default: break;
    }
}

/* ---- input */

/* A pipe: one answer to one question, then the machine is deaf again. */
static size_t answer(struct trace_streams *s, u8 *buffer, size_t size, u64 timeout_ns, bool *closed)
{
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / TICKS_PER_SECOND),
                               .tv_nsec = (long)(timeout_ns % TICKS_PER_SECOND)};
    size_t most = size - 2 < TRACE_INPUT_MAX ? size - 2 : TRACE_INPUT_MAX;
    fd_set readable;
    ssize_t n;

    FD_ZERO(&readable);
    FD_SET(STDIN_FILENO, &readable);
    if (pselect(STDIN_FILENO + 1, &readable, NULL, NULL, &timeout, NULL) <= 0)
        return 0;
    n = read(STDIN_FILENO, buffer + 2, most);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n < 0)
        n = 0; /* the program sees the end */
    buffer[0] = (u8)n;
    buffer[1] = (u8)(n >> 8);
    s->wanted = false;
    *closed = true;
    return (size_t)n + 2;
}

static size_t input(void *context, u8 *buffer, size_t size, u64 timeout_ns, bool *closed)
{
    struct trace_streams *s = context;

    flush(s); /* the machine may sleep now */
    if (s->wanted)
        return answer(s, buffer, size, timeout_ns, closed);
    if (s->terminal.input != NULL)
        return s->terminal.input(s->terminal.context, buffer, size, timeout_ns, closed);
    *closed = true;
    return 0;
}

static bool interrupted(void *context)
{
    flush(context);
    return console_interrupted();
}

void trace_streams_world(struct trace_streams *s, struct machine_world *world)
{
    *world = (struct machine_world){.context = s, .output = output, .input = input, .interrupted = interrupted};
}

void trace_streams_close(struct trace_streams *s)
{
    flush(s);
    console_close(&s->console);
    free(s->input);
    s->input = NULL;
}
