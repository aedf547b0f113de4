/* SPDX-License-Identifier: MIT
 * Running tests: in this process, or in children that take the next test from a shared counter.
 *
 * A child tells the parent by pipe which test it begins and what became of it, so that the parent knows what to blame
 * when a child dies; another child then goes on with the rest.
 */
#include "conform/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- one test */

static void run_test(const struct conform_run *run, unsigned number, struct conform_outcome *outcome)
{
    const struct conform_selected *s = &run->tests[number];
    const struct conform_open_suite *open = &run->suites[s->suite];
    struct conform_result result = {0};
    size_t size;

    *outcome = (struct conform_outcome){0};
    result.details = open_memstream(&outcome->details, &size);
    if (result.details == NULL)
        abort(); /* the host has no memory for a few bytes */
    open->suite->run(open->state, s->index, &result);
    fclose(result.details);
    outcome->passed = result.passed;
    outcome->failed = result.failed;
    outcome->unsettled = result.unsettled;
    outcome->skipped = result.skipped;
    outcome->done = true;
}

/* ---- what a child tells */

struct message {
    u32 number;
    u32 finished; /* 0: begins */
    u32 passed, failed, unsettled, skipped;
    u32 details; /* bytes that follow */
};

static bool write_all(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t done = write(fd, at, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t size)
{
    char *at = data;

    while (size > 0) {
        ssize_t done = read(fd, at, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

NORETURN static void child(const struct conform_run *run, atomic_uint *next, int fd)
{
    for (;;) {
        struct message m = {.number = atomic_fetch_add(next, 1)};
        struct conform_outcome outcome;

        if (m.number >= run->count || !write_all(fd, &m, sizeof m))
            _exit(0);
        alarm(run->test_seconds);
        run_test(run, m.number, &outcome);
        m = (struct message){.number = m.number,
                             .finished = 1,
                             .passed = outcome.passed,
                             .failed = outcome.failed,
                             .unsettled = outcome.unsettled,
                             .skipped = outcome.skipped,
                             .details = (u32)strlen(outcome.details)};
        if (!write_all(fd, &m, sizeof m) || !write_all(fd, outcome.details, m.details))
            _exit(0);
        free(outcome.details);
    }
}

/* ---- the parent */

struct worker {
    pid_t pid; /* 0: none */
    int fd;
    bool busy;
    unsigned number; /* of the test it works on */
};

struct parent {
    struct conform_run *run;
    const struct conform_listener *listener;
    atomic_uint *next;
    struct worker workers[CONFORM_JOBS_MAX];
    unsigned jobs, told, done, failed;
};

static bool start_worker(struct parent *p, struct worker *w, struct error *err)
{
    int ends[2];

    if (pipe(ends) != 0)
        return error_set(err, EXIT_LIMIT, "cannot make a pipe to a test process: %s", strerror(errno));
    w->pid = fork();
    if (w->pid < 0) {
        close(ends[0]);
        close(ends[1]);
        w->pid = 0;
        return error_set(err, EXIT_LIMIT, "cannot start a test process: %s; --jobs 1 needs none", strerror(errno));
    }
    if (w->pid == 0) {
        close(ends[0]);
        signal(SIGPIPE, SIG_IGN);
        child(p->run, p->next, ends[1]);
    }
    close(ends[1]);
    w->fd = ends[0];
    w->busy = false;
    return true;
}

static void tell(struct parent *p)
{
    while (p->told < p->run->count && p->run->tests[p->told].outcome.done)
        p->listener->test(p->listener->context, p->run, p->told++);
    if (p->listener->progress != NULL)
        p->listener->progress(p->listener->context, p->run, p->done, p->failed);
}

static void finish(struct parent *p, unsigned number, const struct conform_outcome *outcome)
{
    p->run->tests[number].outcome = *outcome;
    p->done++;
    p->failed += outcome->failed != 0;
    tell(p);
}

/* The end of a pipe: the child has nothing left to do, or died over its test. */
static void reap(struct parent *p, struct worker *w)
{
    struct conform_outcome outcome = {.done = true, .failed = 1};
    int status = 0, signal_number;
    char text[128];

    close(w->fd);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        ;
    w->pid = 0;
    if (!w->busy)
        return;
    signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (signal_number == SIGALRM)
        snprintf(text, sizeof text, "the test did not end within %u seconds\n", p->run->test_seconds);
    else if (signal_number != 0)
        snprintf(text, sizeof text, "the process that ran the test died: %s\n", strsignal(signal_number));
    else
        snprintf(text, sizeof text, "the process that ran the test ended with code %d\n", WEXITSTATUS(status));
    outcome.details = strdup(text);
    if (outcome.details == NULL)
        abort(); /* as in run_test() */
    finish(p, w->number, &outcome);
}

static void hear(struct parent *p, struct worker *w)
{
    struct conform_outcome outcome;
    struct message m;

    if (!read_all(w->fd, &m, sizeof m)) {
        reap(p, w);
        return;
    }
    w->number = m.number;
    w->busy = !m.finished;
    if (!m.finished)
        return;
    outcome = (struct conform_outcome){.done = true,
                                       .passed = m.passed,
                                       .failed = m.failed,
                                       .unsettled = m.unsettled,
                                       .skipped = m.skipped,
                                       .details = calloc(1, (size_t)m.details + 1)};
    if (outcome.details == NULL || !read_all(w->fd, outcome.details, m.details)) {
        free(outcome.details);
        w->busy = true;
        reap(p, w);
        return;
    }
    finish(p, m.number, &outcome);
}

static bool wait_for_news(struct parent *p, struct error *err)
{
    struct pollfd fds[CONFORM_JOBS_MAX];
    struct worker *who[CONFORM_JOBS_MAX];
    nfds_t count = 0;

    for (unsigned i = 0; i < p->jobs; i++) {
        struct worker *w = &p->workers[i];

        if (w->pid == 0 && atomic_load(p->next) < p->run->count && !start_worker(p, w, err))
            return false;
        if (w->pid == 0)
            continue;
        who[count] = w;
        fds[count++] = (struct pollfd){.fd = w->fd, .events = POLLIN};
    }
    if (poll(fds, count, -1) < 0)
        return errno == EINTR || error_set(err, EXIT_LIMIT, "poll: %s", strerror(errno));
    for (nfds_t i = 0; i < count; i++)
        if (fds[i].revents != 0)
            hear(p, who[i]);
    return true;
}

static bool run_in_children(struct parent *p, struct error *err)
{
    bool ok = true;

    p->next = mmap(NULL, sizeof *p->next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p->next == MAP_FAILED)
        return error_set(err, EXIT_LIMIT, "no memory to share with test processes");
    atomic_init(p->next, 0);
    fflush(NULL); /* or children write it again */
    while (ok && p->done < p->run->count)
        ok = wait_for_news(p, err);
    for (unsigned i = 0; i < p->jobs; i++) {
        if (p->workers[i].pid == 0)
            continue;
        if (!ok)
            kill(p->workers[i].pid, SIGKILL);
        p->workers[i].busy = false;
        reap(p, &p->workers[i]);
    }
    munmap(p->next, sizeof *p->next);
    return ok;
}

bool conform_run_execute(struct conform_run *run, unsigned jobs, const struct conform_listener *listener,
                         struct error *err)
{
    struct parent *p = calloc(1, sizeof *p);
    bool ok = true;

    if (p == NULL)
        return error_set(err, EXIT_LIMIT, "no memory for test processes");
    p->run = run;
    p->listener = listener;
    p->jobs = jobs < CONFORM_JOBS_MAX ? jobs : CONFORM_JOBS_MAX;
    if (p->jobs > run->count)
        p->jobs = run->count;
    if (jobs > 1) {
        ok = run_in_children(p, err);
    } else {
        for (unsigned i = 0; i < run->count; i++) {
            struct conform_outcome outcome;

            run_test(run, i, &outcome);
            finish(p, i, &outcome);
        }
    }
    free(p);
    return ok;
}
