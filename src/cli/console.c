/* SPDX-License-Identifier: MIT
 * The user's terminal (or pipe, or file) as the guest's serial console.
 */
#include "cli/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#define ESCAPE_KEY 0x01 /* Ctrl-A */

/* A signal handler can reach nothing but an object of static lifetime: the one exception to "no file-scope state". */
static volatile sig_atomic_t signal_seen;

static void on_signal(int number) { signal_seen = number; }

void console_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void console_release_signals(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

bool console_interrupted(void) { return signal_seen != 0; }

static bool interrupted(void *context)
{
    (void)context;
    return console_interrupted();
}

bool console_open(struct console *console, enum serial_kind kind, const char *path, struct error *err)
{
    *console = (struct console){.in = -1, .out = -1, .firmware = -1, .com2 = -1, .parallel = -1};
    switch (kind) {
    case SERIAL_NULL: break;
    case SERIAL_FILE:
        console->out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (console->out < 0)
            return error_set(err, EXIT_FILE, "cannot write the serial output to '%s': %s", path, strerror(errno));
        break;
    case SERIAL_STDIO:
    case SERIAL_TERMINAL:
        console->out = STDOUT_FILENO;
        if (fcntl(STDIN_FILENO, F_GETFD) != -1)
            console->in = STDIN_FILENO;
        if (console->in >= 0 && isatty(console->in) && tcgetattr(console->in, &console->saved) == 0) {
            struct termios raw = console->saved;

            cfmakeraw(&raw);
            raw.c_oflag |= OPOST | ONLCR; /* our own messages keep their line ends */
            if (kind == SERIAL_STDIO)
                raw.c_oflag &= (tcflag_t)~ONLCR;
            console->raw = tcsetattr(console->in, TCSANOW, &raw) == 0;
        }
        break;
    }
    return true;
}

void console_open_monitor(struct console *console)
{
    if (fcntl(STDIN_FILENO, F_GETFD) == -1)
        return;
    console->in = STDIN_FILENO;
    console->in_monitor = true;
}

bool console_open_firmware(struct console *console, const char *path, struct error *err)
{
    if (path == NULL)
        return true;
    if (strcmp(path, "stderr") == 0) {
        console->firmware = STDERR_FILENO;
        return true;
    }
    console->firmware = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (console->firmware < 0)
        return error_set(err, EXIT_FILE, "cannot write the firmware's log to '%s': %s", path, strerror(errno));
    return true;
}

static bool open_file(int *fd, const char *path, const char *what, struct error *err)
{
    if (path == NULL)
        return true;
    *fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return *fd >= 0 || error_set(err, EXIT_FILE, "cannot write the %s output to '%s': %s", what, path, strerror(errno));
}

bool console_open_files(struct console *console, const char *com2, const char *parallel, struct error *err)
{
    return open_file(&console->com2, com2, "second serial port's", err) &&
           open_file(&console->parallel, parallel, "parallel port's", err);
}

static void close_file(int *fd)
{
    if (*fd > STDERR_FILENO)
        close(*fd);
    *fd = -1;
}

void console_close(struct console *console)
{
    if (console->raw)
        tcsetattr(console->in, TCSANOW, &console->saved);
    close_file(&console->out);
    close_file(&console->firmware);
    close_file(&console->com2);
    close_file(&console->parallel);
    console->raw = false;
}

static void write_all(struct console *console, int fd, const u8 *bytes, size_t size)
{
    while (size != 0 && !console->write_failed) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};

            if (signal_seen)
                return;
            poll(&wait, 1, 100);
            continue;
        }
        if (n <= 0) {
            console->write_failed = true; /* said once, at the end of the run */
            return;
        }
        bytes += n;
        size -= (size_t)n;
    }
}

static void output(void *context, unsigned port, const u8 *bytes, size_t size)
{
    struct console *console = context;
    int fd = port == OUTPUT_DEBUG      ? STDERR_FILENO /* the debug console speaks to the person at the terminal */
             : port == OUTPUT_FIRMWARE ? console->firmware
             : port == OUTPUT_COM2     ? console->com2
             : port == OUTPUT_LPT1     ? console->parallel
                                       : console->out;

    if (port >= OUTPUT_CHANNEL || fd < 0)
        return;
    write_all(console, fd, bytes, size);
}

/* A raw terminal leaves carriage returns to who writes. */
void console_say(void *context, const char *text, size_t size)
{
    struct console *console = context;

    while (console->raw && size != 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end == NULL ? size : (size_t)(end - text);

        write_all(console, STDOUT_FILENO, (const u8 *)text, length);
        if (end == NULL)
            return;
        write_all(console, STDOUT_FILENO, (const u8 *)"\r\n", 2);
        text = end + 1;
        size -= length + 1;
    }
    write_all(console, STDOUT_FILENO, (const u8 *)text, size);
}

static void enter_or_leave_monitor(struct console *console)
{
    static const char back[] = "\n[COM1]\n";

    if (console->monitor == NULL)
        return;
    console->in_monitor = !console->in_monitor;
    if (console->in_monitor) {
        console_say(console, "\n", 1);
        monitor_prompt(console->monitor);
    } else {
        console_say(console, back, sizeof back - 1);
    }
}

static void print_escapes(struct console *console)
{
    static const char text[] = "\nCtrl-A x  end the run\nCtrl-A c  to the monitor and back\nCtrl-A a  send Ctrl-A\n";

    console_say(console, text, sizeof text - 1);
}

/* Take out of what was typed the escape key's sequences (Ctrl-A x ends, c changes between COM1 and monitor, Ctrl-A or a
 * sends one Ctrl-A) and what is for the monitor. returns: how many bytes are left, for COM1 */
static size_t filter_escapes(struct console *console, u8 *buffer, size_t size)
{
    size_t kept = 0;

    for (size_t i = 0; i < size; i++) {
        u8 key = buffer[i];

        if (console->escape) {
            console->escape = false;
            if (key == 'x' || key == 'X')
                machine_quit(console->machine);
            else if (key == 'c' || key == 'C')
                enter_or_leave_monitor(console);
            else if ((key == 'a' || key == ESCAPE_KEY) && !console->in_monitor)
                buffer[kept++] = ESCAPE_KEY;
            else if (key == 'h' || key == '?')
                print_escapes(console);
        } else if (console->raw && key == ESCAPE_KEY) {
            console->escape = true;
        } else if (console->in_monitor) {
            if (console->monitor != NULL)
                monitor_type(console->monitor, &key, 1);
        } else {
            buffer[kept++] = key;
        }
    }
    return kept;
}

static size_t input(void *context, u8 *buffer, size_t size, u64 timeout_ns, bool *closed)
{
    struct console *console = context;
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / TICKS_PER_SECOND),
                               .tv_nsec = (long)(timeout_ns % TICKS_PER_SECOND)};
    fd_set readable;
    ssize_t n;

    FD_ZERO(&readable);
    FD_SET(console->in, &readable);
    if (pselect(console->in + 1, &readable, NULL, NULL, &timeout, NULL) <= 0)
        return 0;
    n = read(console->in, buffer, size);
    if (n < 0)
        *closed = errno != EINTR && errno != EAGAIN;
    else if (n == 0)
        *closed = true;
    console->ended |= *closed;
    return n <= 0 ? 0 : filter_escapes(console, buffer, (size_t)n);
}

static void network_send(void *context, const u8 *frame, size_t size)
{
    const struct console *console = context;

    net_user_send(console->network, frame, size);
}

/* Typing ends the wait, too: machine.h asks for the keys next. */
static size_t network(void *context, u8 *buffer, size_t size, u64 timeout_ns)
{
    const struct console *console = context;

    net_user_wait(console->network, console->ended ? -1 : console->in, timeout_ns);
    return size == 0 ? 0 : net_user_take(console->network, buffer, size);
}

void console_world(struct console *console, struct machine_world *world)
{
    *world = (struct machine_world){.context = console, .output = output, .interrupted = interrupted};
    if (console->in >= 0)
        world->input = input;
    if (console->network != NULL) {
        world->network_send = network_send;
        world->network = network;
    }
}
