/* SPDX-License-Identifier: MIT
 * Filters, and what the views print of a recording.
 */
#include "guest/guest.h"
#include "trace_fixture.h"

#include "trace/words.h"

static struct event_record sample(enum mechanism mechanism, u8 from, u8 to)
{
    return (struct event_record){.mechanism = (u8)mechanism, .from_cpl = from, .to_cpl = to};
}

static bool passes(const struct trace_filter *f, u64 id, const struct event_record *e)
{
    return trace_filter_match(f, &(struct trace_context){.id = id, .event = e});
}

static void test_filter_terms(void **state)
{
    (void)state;
    struct error err = {0};
    struct trace_filter f = {0};
    struct event_record syscall = sample(MECH_SYSCALL, 3, 0), irq = sample(MECH_IRQ, 0, 0);
    struct event_record iret = sample(MECH_IRET_OUTER, 0, 3), cr3 = {.kind = EVENT_KIND_CR3};

    assert_true(passes(&f, 1, &cr3));
    assert_true(trace_filter_add(&f, "mech=syscall,iret", &err));
    assert_true(passes(&f, 1, &syscall));
    assert_true(passes(&f, 1, &iret));
    assert_false(passes(&f, 1, &irq));
    assert_false(passes(&f, 1, &cr3));
    assert_true(trace_filter_add(&f, "cpl=3:0", &err));
    assert_false(passes(&f, 1, &iret));
    assert_true(passes(&f, 1, &syscall));
    assert_true(trace_filter_range(&f, "5", "7", &err));
    assert_false(passes(&f, 4, &syscall));
    assert_true(passes(&f, 5, &syscall));
    assert_false(passes(&f, 8, &syscall));

    f = (struct trace_filter){0};
    assert_true(trace_filter_add(&f, "mech=!irq", &err));
    assert_false(passes(&f, 1, &irq));
    assert_true(passes(&f, 1, &syscall));

    f = (struct trace_filter){0};
    irq.present = EVENT_HAS_VECTOR;
    irq.vector = 14;
    assert_true(trace_filter_add(&f, "vec=pf,0x80", &err));
    assert_true(passes(&f, 1, &irq));
    assert_false(passes(&f, 1, &syscall));
    irq.vector = 13;
    assert_false(passes(&f, 1, &irq));

    f = (struct trace_filter){0};
    assert_true(trace_filter_add(&f, "dir=out", &err));
    assert_true(passes(&f, 1, &iret));
    assert_false(passes(&f, 1, &syscall));
    f = (struct trace_filter){0};
    assert_true(trace_filter_add(&f, "rule=sc-01", &err));
    syscall.rule = RULE_SC_01;
    assert_true(passes(&f, 1, &syscall));
    assert_false(passes(&f, 1, &iret));
}

static bool passes_task(const struct trace_filter *f, u32 pid, u32 tgid, const char *comm, bool known)
{
    struct event_record syscall = sample(MECH_SYSCALL, 3, 0);
    struct guest_task task = {.pid = pid, .tgid = tgid, .known = known};

    snprintf(task.comm, sizeof task.comm, "%s", comm);
    return trace_filter_match(f, &(struct trace_context){.id = 1, .event = &syscall, .task = &task});
}

static void test_filter_by_task(void **state)
{
    (void)state;
    struct error err = {0};
    struct trace_filter f = {0};
    struct event_record syscall = sample(MECH_SYSCALL, 3, 0);

    assert_false(trace_filter_needs_task(&f));
    assert_true(trace_filter_pid(&f, "7,9", &err));
    assert_true(trace_filter_pid(&f, "0", &err));
    assert_true(trace_filter_needs_task(&f));
    assert_true(passes_task(&f, 7, 7, "sh", true));
    assert_true(passes_task(&f, 12, 9, "thread", true)); /* a thread of process 9 */
    assert_true(passes_task(&f, 9, 3, "thread", true));
    assert_true(passes_task(&f, 0, 0, "swapper/0", true));
    assert_false(passes_task(&f, 8, 8, "sh", true));
    assert_false(passes_task(&f, 7, 7, "sh", false));
    assert_false(passes(&f, 1, &syscall)); /* no task at all */

    f = (struct trace_filter){.pid_from = 8}; /* a program and what it started */
    assert_true(trace_filter_needs_task(&f));
    assert_true(passes_task(&f, 8, 8, "sh", true));
    assert_true(passes_task(&f, 12, 9, "thread", true));
    assert_false(passes_task(&f, 7, 7, "init", true));
    assert_false(passes_task(&f, 8, 8, "sh", false));

    f = (struct trace_filter){0};
    assert_true(trace_filter_comm(&f, "kworker/*,s?", &err));
    assert_true(passes_task(&f, 7, 7, "sh", true));
    assert_true(passes_task(&f, 8, 8, "kworker/0:1H", true));
    assert_false(passes_task(&f, 8, 8, "ash", true));
    assert_true(trace_filter_pid(&f, "7", &err)); /* both must hold */
    assert_true(passes_task(&f, 7, 7, "sh", true));
    assert_false(passes_task(&f, 8, 8, "sh", true));
    assert_true(trace_filter_add(&f, "mech=irq", &err));
    assert_false(passes_task(&f, 7, 7, "sh", true));

    static const char *const wrong[] = {"", "x", "7x", "-1", "7,,8", "4294967296", " 7"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct trace_filter none = {0};

        err = (struct error){0};
        assert_false(trace_filter_pid(&none, wrong[i], &err));
        assert_int_equal(err.code, EXIT_USAGE);
    }
    f = (struct trace_filter){0};
    for (unsigned i = 0; i < TRACE_FILTER_PIDS; i++)
        assert_true(trace_filter_pid(&f, "5", &err));
    assert_false(trace_filter_pid(&f, "5", &err));
    assert_false(trace_filter_comm(&f, "a-name-that-no-task-can-have-at-all", &err));
}

static void test_filter_errors_name_the_word(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"mech=sycall", "sycall"}, {"vec=256", "256"}, {"vec=zz", "zz"},        {"frobnicate=1", "frobnicate"},
        {"cpl=4:0", "4:0"},        {"dir=up", "up"},   {"rule=XX-99", "XX-99"}, {"kind=cr9", "cr9"},
        {"cr3=xyz", "xyz"},        {"mech=", "mech="}, {"rule=!SC-01", "rule"},
    };

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct trace_filter f = {0}, none = {0};
        struct error err = {0};

        assert_false(trace_filter_add(&f, wrong[i][0], &err));
        assert_int_equal(err.code, EXIT_USAGE);
        assert_non_null(strstr(err.text, wrong[i][1]));
        assert_memory_equal(&f, &none, sizeof f);
    }
    struct trace_filter f = {0};
    struct error err = {0};
    assert_false(trace_filter_range(&f, "0", NULL, &err));
    assert_false(trace_filter_range(&f, "9", "3", &err));
}

typedef enum exit_code view_fn(FILE *, const char *, const struct trace_filter *, const struct trace_view *,
                               struct error *);

static char *text_of(view_fn *view, const char *path, const struct trace_filter *filter, const struct trace_view *how)
{
    struct error err = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(view(out, path, filter, how, &err), EXIT_OK);
    fclose(out);
    return text;
}

static unsigned lines(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void test_views(void **state)
{
    (void)state;
    struct trace_fixture f;
    struct trace_filter filter = {0};
    struct error err = {0};

    fixture_open(&f, "views");
    fixture_record(&f, 9000, true);
    struct trace_view bare = {.no_header = true}, json = {.format = TRACE_JSON};
    char *all = text_of(trace_report, f.path, NULL, &bare), *objects = text_of(trace_report, f.path, NULL, &json);
    assert_int_equal(lines(all), 9000);
    assert_int_equal(lines(objects), 9000);
    assert_non_null(strstr(all, "3→0  syscall  0033:0000000000401"));
    assert_non_null(strstr(objects, "\"mech\":\"syscall\""));
    assert_true(trace_filter_add(&filter, "vec=pf", &err));
    char *faults = text_of(trace_report, f.path, &filter, &bare);
    assert_in_range(lines(faults), 1, 4500);
    assert_non_null(strstr(faults, "fault #PF(6) write to a page that is not present, by user code  0033:"));
    assert_null(strstr(faults, "syscall"));

    /* Every entry of the stream returns to where it came from. */
    char *stat = text_of(trace_stat, f.path, NULL, &bare);
    assert_non_null(strstr(stat, "9000 events"));
    assert_non_null(strstr(stat, "unpaired: 0 entries"));
    assert_non_null(strstr(stat, ", 0 exits"));
    char *stat_json = text_of(trace_stat, f.path, NULL, &json);
    assert_non_null(strstr(stat_json, "\"unpaired_exits\":0}"));

    char *shown = NULL;
    size_t size;
    FILE *out = open_memstream(&shown, &size);
    u64 id = strtoull(strchr(faults, '#') + 1, NULL, 10);
    assert_int_equal(trace_show(out, f.path, id, NULL, &err), EXIT_OK);
    fclose(out);
    assert_non_null(strstr(shown, "write to a page that is not present, by user code"));
    assert_non_null(strstr(shown, "64-bit interrupt gate"));
    assert_non_null(strstr(shown, "taken from TSS.RSP0"));
    assert_non_null(strstr(shown, "|  RFLAGS      PF ZF IF IOPL=0"));
    assert_non_null(strstr(shown, "|  error code"));
    assert_int_equal(trace_show(stdout, f.path, 9001, NULL, &err), EXIT_USAGE);
    assert_int_equal(trace_report(stdout, "no-such-file.trace", NULL, NULL, &err), EXIT_FILE);
    free(all);
    free(objects);
    free(faults);
    free(stat);
    free(stat_json);
    free(shown);
    fixture_close(&f);
}

/* A fault beside transitions has no mechanism: its vector is named all the same. An interrupt's is a number. */
static void test_causes_by_name(void **state)
{
    (void)state;
    struct event_record lost = {
        .kind = EVENT_KIND_UNDELIVERED, .present = EVENT_HAS_VECTOR | EVENT_HAS_ERROR, .vector = VEC_GP, .error = 0x82};
    struct event_record irq = sample(MECH_IRQ, 0, 0);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    irq.present = EVENT_HAS_VECTOR;
    irq.vector = VEC_GP;
    trace_print_line(out, 1, &lost, NULL);
    trace_print_verbose(out, 2, &irq, NULL);
    fclose(out);
    assert_non_null(strstr(text, "undelivered #GP(82)"));
    assert_non_null(strstr(text, "vector 13 (0x0d)\n"));
    free(text);
}

/* What each vector makes of its error code. */
static void test_error_codes_in_words(void **state)
{
    (void)state;
    static const struct {
        u8 vector;
        u32 error;
        const char *words; /* NULL: it says nothing */
    } codes[] = {
        {VEC_PF, 0, "read of a page that is not present, by the supervisor"},
        {VEC_PF, 6, "write to a page that is not present, by user code"},
        {VEC_PF, 0x14, "fetch from a page that is not present, by user code"},
        {VEC_PF, 7, "write to a page whose rights forbid it, by user code"},
        {VEC_PF, 3, "write to a page whose rights forbid it, by the supervisor"},
        {VEC_PF, 9, "read of a page with a reserved bit set in a paging entry, by the supervisor"},
        {VEC_PF, 0x25, "read of a page whose rights forbid it, by user code, protection key"},
        {VEC_GP, 0, NULL},
        {VEC_GP, 0x40, "selector 0040 in the GDT"},
        {VEC_NP, 0x4C, "selector 0048 in the LDT"},
        {VEC_SS, 0x11, "selector 0010 in the GDT, while an interrupt or exception was delivered"},
        {VEC_TS, 1, "no selector, while an interrupt or exception was delivered"},
        {VEC_GP, 0x402, "IDT entry 80"},
        {VEC_GP, 0x6B, "IDT entry 0d, while an interrupt or exception was delivered"},
        {VEC_CP, 3, "no ENDBRANCH"},
        {VEC_CP, 99, NULL},
        {VEC_DF, 0, NULL},
        {VEC_AC, 0, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct event_record e = {.present = EVENT_HAS_ERROR, .vector = codes[i].vector, .error = codes[i].error};
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        bool said = words_error(out, "<", &e);

        fclose(out);
        assert_int_equal(said, codes[i].words != NULL);
        if (said)
            assert_string_equal(text + 1, codes[i].words);
        else
            assert_string_equal(text, "");
        free(text);
    }
}

/* A line names the rule's subject, JSON its text. */
static void test_rules_in_words(void **state)
{
    (void)state;
    struct event_record e = sample(MECH_FAULT, 3, 0);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    e.present = EVENT_HAS_VECTOR | EVENT_HAS_ERROR | EVENT_HAS_RULE;
    e.vector = VEC_GP;
    e.error = 0x40;
    e.rule = RULE_SG_07;
    trace_print_line(out, 1, &e, NULL);
    trace_print_json(out, 1, &e, NULL);
    fclose(out);
    assert_non_null(strstr(text, "fault #GP(40) selector 0040 in the GDT  "));
    assert_non_null(strstr(text, "  [SG-07: Call gates, far transfers, segments]\n"));
    assert_non_null(strstr(text, "\"error\":64,\"error.text\":\"selector 0040 in the GDT\""));
    assert_non_null(strstr(text, "\"rule\":\"SG-07\",\"rule.text\":\"LLDT of null is valid;"));
    free(text);
}

/* The words of the command line are for making the run again; only info prints them. */
static void test_header_leaves_arguments_out(void **state)
{
    (void)state;
    struct trace_fixture f;
    struct trace_view plain = {0};
    struct error err = {0};
    char *info = NULL;
    size_t size;
    FILE *out = open_memstream(&info, &size);

    fixture_open(&f, "header");
    fixture_record(&f, 2, true);
    char *report = text_of(trace_report, f.path, NULL, &plain), *stat = text_of(trace_stat, f.path, NULL, &plain);
    assert_int_equal(trace_info(out, f.path, &plain, &err), EXIT_OK);
    fclose(out);
    assert_non_null(strstr(report, "# command: "));
    assert_null(strstr(report, "argv."));
    assert_null(strstr(stat, "argv."));
    assert_non_null(strstr(info, "# argv.1: run"));
    free(report);
    free(stat);
    free(info);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter_terms),
        cmocka_unit_test(test_filter_by_task),
        cmocka_unit_test(test_filter_errors_name_the_word),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_causes_by_name),
        cmocka_unit_test(test_error_codes_in_words),
        cmocka_unit_test(test_rules_in_words),
        cmocka_unit_test(test_header_leaves_arguments_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
