/* SPDX-License-Identifier: MIT
 * Every view of a recording over a hostile file. The input is the body of a trace file (trace_body.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bus/input.h"
#include "fuzz.h"
#include "trace/trace.h"
#include "trace_body.h"

#define LINES 200u /* a small file can hold a million predicted events: no need to print them all */

static void write_all(int fd, const void *bytes, size_t size)
{
    if (write(fd, bytes, size) != (ssize_t)size)
        abort();
}

static int make_file(const uint8_t *data, size_t size)
{
    size_t head_size;
    u8 *head = trace_body_head(&head_size);
    int fd = memfd_create("trace", MFD_CLOEXEC);

    if (fd < 0)
        abort();
    write_all(fd, head, head_size);
    write_all(fd, data, size);
    free(head);
    return fd;
}

static void report_events(FILE *out, const char *path, struct trace_view *view)
{
    struct error err;

    for (view->format = TRACE_TEXT; view->format <= TRACE_JSON; view->format++)
        trace_report(out, path, NULL, view, &err);
}

static void report_calls(FILE *out, const char *path, struct trace_view *view)
{
    struct error err;

    view->calls = true;
    view->side = true;
    trace_report(out, path, NULL, view, &err);
    view->format = TRACE_JSON;
    trace_report(out, path, NULL, view, &err);
}

static void filter(FILE *out, const char *path, struct trace_view *view)
{
    static const char *const terms[] = {"mech=fault,iret,syscall", "vec=!14", "trace=%file,write", "errno=ENOENT"};
    struct trace_filter f = {0}, tasks = {0};
    struct error err;

    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
        if (!trace_filter_add(&f, terms[i], &err))
            abort();
        view->calls = i % 2 == 0;
        trace_report(out, path, &f, view, &err);
    }
    if (!trace_filter_pid(&tasks, "1,60", &err) || !trace_filter_comm(&tasks, "e*64,re?amed", &err))
        abort();
    trace_report(out, path, &tasks, view, &err);
}

static void count(FILE *out, const char *path, struct trace_view *view)
{
    struct trace_filter f = {0};
    struct error err;

    if (!trace_filter_add(&f, "trace=%file", &err))
        abort();
    view->histogram = true;
    trace_stat(out, path, NULL, view, &err);
    view->format = TRACE_JSON;
    trace_stat(out, path, &f, view, &err);
}

static void msrs(FILE *out, const char *path, struct trace_view *view)
{
    struct error err;

    view->all = true;
    trace_msrs(out, path, NULL, view, &err);
    view->all = false;
    view->format = TRACE_JSON;
    trace_msrs(out, path, NULL, view, &err);
}

static void show(FILE *out, const char *path, struct trace_view *view)
{
    static const u64 ids[] = {1, 2, 3, 20, 16385, UINT64_MAX};
    struct error err;

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        view->format = i % 2 == 0 ? TRACE_TEXT : TRACE_JSON;
        trace_show(out, path, ids[i], view, &err);
    }
}

static void run(FILE *out, const char *path, struct trace_view *view)
{
    struct trace_properties run = {0}, end = {0};
    struct clock clock;
    struct input_port *port;
    struct error err;
    u64 inputs;

    trace_info(out, path, view, &err);
    trace_read_properties(path, &run, &end, &err);
    trace_properties_free(&run);
    trace_properties_free(&end);
    clock_init(&clock);
    port = input_new(&clock);
    trace_replay(path, port, &inputs, &err);
    input_free(port);
}

/* Each use opens the file anew, which under a sanitizer costs more than the reading: libFuzzer runs one of them per
 * input, chosen by the input itself, so that a finding comes again. */
static bool is_turn(const uint8_t *data, size_t size, unsigned use, unsigned uses)
{
#ifdef FUZZ_ONE_USE
    return trace_checksum(data, size) % uses == use;
#else
    (void)data, (void)size, (void)use, (void)uses;
    return true;
#endif
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const uses[])(FILE * out, const char *path, struct trace_view *view) = {
        report_events, report_calls, filter, count, msrs, show, run};
    const unsigned all = sizeof uses / sizeof uses[0];
    FILE *out = fopen("/dev/null", "w");
    char path[64];
    int fd = make_file(data, size);

    if (!out)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (unsigned i = 0; i < all; i++) {
        struct trace_view view = {.messages = out, .limit = LINES};

        if (is_turn(data, size, i, all))
            uses[i](out, path, &view);
    }
    close(fd);
    fclose(out);
    return 0;
}
