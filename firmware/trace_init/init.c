/* SPDX-License-Identifier: MIT
 * The first process of the guest in which `ringside trace` runs a program: it makes the file systems that programs
 * expect, runs the program as a child with the standard streams that the host has, passes them on, and reports how it
 * ended.
 */
#include "protocol.h"
#include "system.h"

#define WORDS_MAX 4096
#define CONFIG_MAX (1 << 20)

enum { IN, OUT, ERR, STREAMS };

static struct {
    char kind[STREAMS]; /* enum trace_stream */
    int all;
    const char *directory, *program;
    char *arguments[WORDS_MAX + 1], *environment[WORDS_MAX + 1];
    int argument_count, environment_count;
    struct winsize window;
} config;

static char config_bytes[CONFIG_MAX];
static int pipes[STREAMS][2]; /* [stream][0: read, 1: write] */
static long feeder;           /* the process that reads standard input for the program; 0 = none */

/* ---- reports */

static void report(char what, const void *bytes, word size)
{
    port_write(TRACE_PORT, &what, 1);
    port_write(TRACE_PORT, bytes, size);
}

static void power_off(void)
{
    for (;;)
        CALL3(SYS_REBOOT, 0xFEE1DEAD, 672274793, 0x4321FEDC);
}

static void fail(const char *what, long error) __attribute__((noreturn));
static void fail(const char *what, long error)
{
    byte number = (byte)-error;
    word length = 0;

    while (what[length] != '\0')
        length++;
    report(TRACE_REPORT_ERROR, &number, 1);
    port_write(TRACE_PORT, what, length + 1);
    power_off();
    __builtin_unreachable();
}

static long must(const char *what, long result)
{
    if (result < 0)
        fail(what, result);
    return result;
}

/* ---- the host's file */

static void add_word(char *list[], int *count, char *text)
{
    if (*count == WORDS_MAX)
        fail("too many arguments, or too large an environment", -7 /* E2BIG */);
    list[(*count)++] = text;
}

static const char *parse_number(const char *s, unsigned short *out)
{
    for (*out = 0; *s >= '0' && *s <= '9'; s++)
        *out = (unsigned short)(*out * 10 + (*s - '0'));
    return *s == ' ' ? s + 1 : s;
}

static void take_word(char *text)
{
    switch (text[0]) {
    case TRACE_WORD_STDIN: config.kind[IN] = text[1]; break;
    case TRACE_WORD_STDOUT: config.kind[OUT] = text[1]; break;
    case TRACE_WORD_STDERR: config.kind[ERR] = text[1]; break;
    case TRACE_WORD_ALL: config.all = 1; break;
    case TRACE_WORD_DIRECTORY: config.directory = text + 1; break;
    case TRACE_WORD_PROGRAM: config.program = text + 1; break;
    case TRACE_WORD_ARGUMENT: add_word(config.arguments, &config.argument_count, text + 1); break;
    case TRACE_WORD_ENVIRONMENT: add_word(config.environment, &config.environment_count, text + 1); break;
    case TRACE_WORD_WINDOW: parse_number(parse_number(text + 1, &config.window.rows), &config.window.columns); break;
    default: fail("the host's file has an unknown word", 0);
    }
}

static void read_config(void)
{
    long fd = must("open " TRACE_CONFIG_FILE, CALL3(SYS_OPEN, TRACE_CONFIG_FILE, O_RDONLY | O_CLOEXEC, 0));
    long size = 0, n;

    do {
        n = must("read " TRACE_CONFIG_FILE, CALL3(SYS_READ, fd, config_bytes + size, CONFIG_MAX - size));
        size += n;
    } while (n != 0);
    CALL1(SYS_CLOSE, fd);
    if (size == CONFIG_MAX || size == 0 || config_bytes[size - 1] != '\0')
        fail("the host's file is not whole", 0);
    for (long i = 0; i < size; i++) {
        take_word(config_bytes + i);
        while (config_bytes[i] != '\0')
            i++;
    }
}

/* ---- what a program expects around it */

static void mount(const char *type, const char *where)
{
    CALL2(SYS_MKDIR, where, 0755);
    must(where, CALL5(SYS_MOUNT, type, where, type, 0, 0));
}

static void make_file_systems(void)
{
    mount("devtmpfs", "/dev");
    mount("proc", "/proc");
    mount("sysfs", "/sys");
    CALL2(SYS_MKDIR, "/tmp", 01777);
}

/* Bytes pass as they are, but where a terminal of the host is to be one in the guest too: then the guest's terminal
 * edits lines, echoes and sends signals. The host's adds the carriage returns. */
static void set_terminal(void)
{
    enum { ICRNL = 0400, ISIG = 1, ICANON = 2, ECHO = 010, ECHOE = 020, ECHOK = 040, ECHOCTL = 01000, ECHOKE = 04000 };
    enum { IEXTEN = 0100000, CS8 = 060, CREAD = 0200, CLOCAL = 04000, B115200 = 010002, VMIN = 6, VTIME = 5 };
    long fd = must("open /dev/ttyS0", CALL3(SYS_OPEN, "/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC, 0));
    struct termios t;

    must("settings of ttyS0", CALL3(SYS_IOCTL, fd, TCGETS, &t));
    t.cflag = CS8 | CREAD | CLOCAL | B115200;
    t.oflag = 0;
    if (config.kind[IN] == TRACE_STREAM_TERMINAL) {
        t.iflag = ICRNL;
        t.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
    } else {
        t.iflag = t.lflag = 0;
        t.cc[VMIN] = 1;
        t.cc[VTIME] = 0;
    }
    must("settings of ttyS0", CALL3(SYS_IOCTL, fd, TCSETS, &t));
    if (config.window.rows != 0)
        CALL3(SYS_IOCTL, fd, TIOCSWINSZ, &config.window);
    /* Stays open: the last close would drop the settings. */
}

/* ---- standard input from a pipe of the host */

static void read_whole(long fd, byte *bytes, word size)
{
    while (size != 0) {
        long n = CALL3(SYS_READ, fd, bytes, size);

        if (n == -EINTR)
            continue;
        if (n <= 0)
            fail("standard input from the host", n);
        bytes += n;
        size -= (word)n;
    }
}

static void feed(void) __attribute__((noreturn));
static void feed(void)
{
    long fd = must("open /dev/ttyS0", CALL3(SYS_OPEN, "/dev/ttyS0", O_RDONLY | O_NOCTTY, 0));
    byte bytes[2 + TRACE_INPUT_MAX];

    CALL1(SYS_CLOSE, pipes[IN][0]);
    for (;;) {
        word size, done = 0;

        port_write(TRACE_PORT + TRACE_PORT_READ, "", 1);
        read_whole(fd, bytes, 2);
        size = bytes[0] | (word)bytes[1] << 8;
        if (size == 0 || size > TRACE_INPUT_MAX)
            CALL1(SYS_EXIT, 0);
        read_whole(fd, bytes, size);
        while (done < size) {
            long n = CALL3(SYS_WRITE, pipes[IN][1], bytes + done, size - done);

            if (n < 0 && n != -EINTR)
                CALL1(SYS_EXIT, 0); /* nobody reads any more */
            done += n > 0 ? (word)n : 0;
        }
    }
}

/* ---- the program */

static long open_stream(int stream)
{
    switch (config.kind[stream]) {
    case TRACE_STREAM_NULL: return CALL3(SYS_OPEN, "/dev/null", stream == IN ? O_RDONLY : O_WRONLY, 0);
    case TRACE_STREAM_TERMINAL: return CALL3(SYS_OPEN, "/dev/ttyS0", O_RDWR, 0);
    case TRACE_STREAM_FILE: return CALL3(SYS_OPEN, TRACE_STDIN_FILE, O_RDONLY, 0);
    default: return pipes[stream][stream == IN ? 0 : 1];
    }
}

/* The first terminal that a session leader opens becomes its controlling one. The console's descriptors 0 to 2, which
 * the kernel gave us, are replaced. */
static void run_program(void) __attribute__((noreturn));
static void run_program(void)
{
    word no_signals[2] = {0, 0};
    int pid = (int)CALL0(SYS_GETPID);
    long fd[STREAMS], result;

    CALL0(SYS_SETSID);
    for (int i = 0; i < STREAMS; i++)
        fd[i] = must("standard stream", open_stream(i));
    CALL1(SYS_UNLINK, TRACE_STDIN_FILE);
    for (int i = 0; i < STREAMS; i++)
        must("standard stream", CALL2(SYS_DUP2, fd[i], i));
    for (int i = 0; i < STREAMS; i++)
        CALL1(SYS_CLOSE, fd[i]);
    must(config.directory, CALL1(SYS_CHDIR, config.directory));
    CALL4(SYS_SIGPROCMASK, 2 /* SIG_SETMASK */, no_signals, 0, 8);
    report(TRACE_REPORT_START, &pid, sizeof pid);
    CALL3(SYS_IOPERM, TRACE_PORT, TRACE_PORTS, 0);
    result = CALL3(SYS_EXECVE, config.program, config.arguments, config.environment);
    CALL3(SYS_IOPERM, TRACE_PORT, TRACE_PORTS, 1);
    fail(config.program, result);
}

static long start_program(void)
{
    long pid;

    for (int i = 0; i < STREAMS; i++)
        if (config.kind[i] == TRACE_STREAM_PIPE)
            must("pipe", CALL2(SYS_PIPE2, pipes[i], O_CLOEXEC));
    if (config.kind[IN] == TRACE_STREAM_PIPE) {
        feeder = must("fork", CALL0(SYS_FORK));
        if (feeder == 0)
            feed();
        CALL1(SYS_CLOSE, pipes[IN][1]);
    }
    pid = must("fork", CALL0(SYS_FORK));
    if (pid == 0)
        run_program();
    for (int i = 0; i < STREAMS; i++)
        if (config.kind[i] == TRACE_STREAM_PIPE)
            CALL1(SYS_CLOSE, pipes[i][i == IN ? 0 : 1]);
    return pid;
}

/* ---- until it ends */

/* Pass on what waits in the program's output pipe. returns: 0 at its end */
static int pass_on(int stream)
{
    static byte buffer[16384];
    long n;

    while ((n = CALL3(SYS_READ, pipes[stream][0], buffer, sizeof buffer)) > 0 || n == -EINTR) {
        if (n < 0)
            continue;
        port_write(TRACE_PORT + (unsigned)stream, buffer, (word)n);
        report(TRACE_REPORT_FLUSH, "", 0);
    }
    return n != 0;
}

/* Collect the dead. returns: 1 when the run is over */
static int collect(long program, int *status, int *ended)
{
    for (;;) {
        int s = 0;
        long pid = CALL4(SYS_WAIT4, -1, &s, WNOHANG, 0);

        if (pid == program) {
            *status = s;
            *ended = 1;
            if (feeder > 0)
                CALL2(SYS_KILL, feeder, SIGKILL);
        } else if (pid == feeder && pid > 0) {
            feeder = 0;
        } else if (pid <= 0) {
            return *ended && (!config.all || pid < 0);
        }
    }
}

static int attend(long program, long signals)
{
    struct pollfd watch[3] = {{.fd = (int)signals, .events = POLLIN}, {.fd = -1}, {.fd = -1}};
    int status = 0, ended = 0;
    byte dropped[128];

    for (int i = OUT; i <= ERR; i++) {
        if (config.kind[i] != TRACE_STREAM_PIPE)
            continue;
        watch[i] = (struct pollfd){.fd = pipes[i][0], .events = POLLIN};
        CALL3(SYS_FCNTL, pipes[i][0], F_SETFL, O_NONBLOCK);
    }
    for (;;) {
        int over;

        CALL3(SYS_POLL, watch, 3, -1);
        while (CALL3(SYS_READ, signals, dropped, sizeof dropped) > 0)
            ;
        over = collect(program, &status, &ended); /* first: what the dead have written is in the pipes */
        for (int i = OUT; i <= ERR; i++)
            if (watch[i].fd >= 0 && !pass_on(i))
                watch[i].fd = -1;
        if (over)
            return status;
    }
}

void start_c(void)
{
    word child_died[2] = {(word)1 << (SIGCHLD - 1), 0};
    long program, signals, terminal;
    int status;

    must("ioperm", CALL3(SYS_IOPERM, TRACE_PORT, TRACE_PORTS, 1));
    read_config();
    make_file_systems();
    CALL1(SYS_UNLINK, TRACE_CONFIG_FILE);
    CALL1(SYS_UNLINK, "/init");
    set_terminal();
    CALL4(SYS_SIGPROCMASK, SIG_BLOCK, child_died, 0, 8);
    signals = must("signalfd", CALL4(SYS_SIGNALFD4, -1, child_died, 8, O_NONBLOCK | O_CLOEXEC));
    program = start_program();
    status = attend(program, signals);
    terminal = CALL3(SYS_OPEN, "/dev/ttyS0", O_WRONLY | O_NOCTTY | O_CLOEXEC, 0);
    CALL3(SYS_IOCTL, terminal, TCSBRK, 1); /* waits until all has left */
    report(TRACE_REPORT_EXIT, &status, sizeof status);
    power_off();
}
