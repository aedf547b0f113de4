/* SPDX-License-Identifier: MIT
 * Views of a recording whose kernel is known: statistics by system call and process, filters by task and call, one
 * event with its call and its memory, the journal of MSR writes.
 */
#include "linux_trace_fixture.h"

#include "trace/calls.h"
#include "trace/view/histogram.h"

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

static char *show_of(const char *path, u64 id)
{
    struct error err = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(trace_show(out, path, id, NULL, &err), EXIT_OK);
    fclose(out);
    return text;
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part))
        return;
    fprintf(stderr, "%s", text); /* fail_msg() cuts it short */
    fail_msg("\"%s\" is not in what is printed above", part);
}

static void has_not(const char *text, const char *part)
{
    if (!strstr(text, part))
        return;
    fprintf(stderr, "%s", text);
    fail_msg("\"%s\" is in what is printed above", part);
}

#define AMD64_READ 0
#define AMD64_GETPID 39
#define AMD64_OPENAT 257

static const char file_name[32] = "/etc/passwd"; /* strings are read, and kept, in aligned pieces of this size */

/* openat fails twice and works once, getpid by another process, a page fault, a read that never returns. */
static void record_calls(struct linux_trace *f, u64 *openat, u64 *opened, u64 *fault)
{
    lt_task(f, 7, 7, "cat");
    for (unsigned i = 0; i < 2; i++) {
        lt_syscall(f, AMD64_OPENAT, (u64)-100, 0x7000, 0);
        lt_sysret(f, 100, -2);
    }
    lt_piece(f, DATA_MEMORY_IN, 0x7000, file_name, sizeof file_name);
    *openat = lt_syscall(f, AMD64_OPENAT, (u64)-100, 0x7000, 0);
    *opened = lt_sysret(f, 400, 3);
    *fault = lt_page_fault(f);
    lt_iret(f, 50);
    lt_task(f, 9, 8, "sh");
    lt_syscall(f, AMD64_GETPID, 0, 0, 0);
    lt_sysret(f, 10, 8);
    lt_syscall(f, AMD64_READ, 0, 0x7000, 16);
}

static void test_stat(void **state)
{
    (void)state;
    struct linux_trace f;
    struct trace_view bare = {.no_header = true, .histogram = true}, json = {.format = TRACE_JSON};
    u64 openat, opened, fault;

    lt_open(&f, "linux-stat", "intel", true);
    record_calls(&f, &openat, &opened, &fault);
    lt_close(&f);
    char *stat = text_of(trace_stat, f.path, NULL, &bare);
    has(stat, "syscall      64-bit              5          4        10       100       400        400");
    has(stat, "openat               amd64         3       2       100       100       400        400          600  "
              "98.4%  2 ENOENT");
    has(stat, "getpid               amd64         1       0");
    has(stat, "read                 amd64         1       0         -         -         -          -            0   "
              "0.0%  1 not back");
    has(stat, "     7 cat ");
    has(stat, "     8 sh ");
    has(stat, "64 to 127                   2  ####");
    has(stat, "unpaired: 1 entries");
    free(stat);
    stat = text_of(trace_stat, f.path, NULL, &json);
    has(stat, "\"name\":\"openat\",\"abi\":\"amd64\",\"number\":257,\"count\":3,\"returned\":3,\"errors\":2");
    has(stat,
        "{\"pid\":7,\"comm\":\"cat\",\"entries\":{\"fault/64-bit\":1,\"syscall/64-bit\":3},\"exceptions\":{\"14\":1}}");
    has(stat, "\"syscall\":{\"count\":5,\"returned\":4,\"min\":10,\"median\":100,\"p99\":400,\"max\":400}");
    has(stat, "\"unpaired_entries\":1,\"unpaired_exits\":0}");
    free(stat);
    unlink(f.path);
}

static void filtered(const char *path, const char *term, const char *pid, const char *with, const char *without)
{
    struct trace_view bare = {.no_header = true};
    struct trace_filter filter = {0};
    struct error err = {0};

    if (term)
        assert_true(trace_filter_add(&filter, term, &err));
    if (pid)
        assert_true(trace_filter_pid(&filter, pid, &err));
    char *stat = text_of(trace_stat, path, &filter, &bare);
    has(stat, with);
    if (without)
        has_not(stat, without);
    free(stat);
}

static void test_filters(void **state)
{
    (void)state;
    struct linux_trace f;
    u64 openat, opened, fault;

    lt_open(&f, "linux-filter", "intel", true);
    record_calls(&f, &openat, &opened, &fault);
    lt_close(&f);
    filtered(f.path, NULL, "8", "getpid ", "openat ");
    filtered(f.path, NULL, "7", "openat ", "getpid ");
    filtered(f.path, "trace=getpid", NULL, "2 events", "openat ");
    filtered(f.path, "trace=%file", NULL, "6 events", "getpid ");
    filtered(f.path, "trace=!openat,read", NULL, "2 events", "openat ");
    filtered(f.path, "trace=all,!openat", NULL, "3 events", "openat ");
    filtered(f.path, "errno=ENOENT", NULL, "2 events", "getpid ");
    filtered(f.path, "errno=!any", NULL, "getpid ", "ENOENT");
    filtered(f.path, "mech=fault", NULL, "1 events", "openat ");
    unlink(f.path);
}

/* A call is shown when its entry passes, although it passes by what is known at its return only. */
static void test_report_by_error(void **state)
{
    (void)state;
    struct linux_trace f;
    struct trace_view calls = {.no_header = true, .calls = true};
    struct trace_filter filter = {0};
    struct error err = {0};
    u64 openat, opened, fault;

    lt_open(&f, "linux-error", "intel", true);
    record_calls(&f, &openat, &opened, &fault);
    lt_close(&f);
    assert_true(trace_filter_add(&filter, "mech=syscall", &err));
    assert_true(trace_filter_add(&filter, "errno=ENOENT", &err));
    char *report = text_of(trace_report, f.path, &filter, &calls);
    const char *first = strstr(report, "= -1 ENOENT (No such file or directory)");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "= -1 ENOENT (No such file or directory)"));
    has_not(report, "= 3");
    has_not(report, "getpid");
    free(report);
    unlink(f.path);
}

/* A range of events ends behind a call's entry: how the call ended is told all the same. Pieces of memory are no input.
 */
static void test_report_to_the_entry(void **state)
{
    (void)state;
    struct linux_trace f;
    struct trace_view calls = {.no_header = true, .calls = true};
    struct trace_filter filter = {0};
    u64 openat, opened, fault;

    lt_open(&f, "linux-range", "intel", true);
    record_calls(&f, &openat, &opened, &fault);
    lt_close(&f);
    filter.from = filter.to = openat;
    char *report = text_of(trace_report, f.path, &filter, &calls);
    has(report, "O_RDONLY) = 3");
    has_not(report, "fault");
    free(report);
    struct error err = {0};
    char *info = NULL;
    size_t size;
    FILE *out = open_memstream(&info, &size);
    assert_int_equal(trace_info(out, f.path, &calls, &err), EXIT_OK);
    fclose(out);
    has(info, "inputs: 0\n");
    free(info);
    unlink(f.path);
}

/* Before a handler runs RAX is the handler's: the call's own result is in the signal frame. */
static void test_interrupted(void **state)
{
    (void)state;
    struct linux_trace f;
    struct trace_view calls = {.no_header = true, .calls = true};
    struct trace_filter filter = {0};
    struct error err = {0};
    u64 frame[2] = {0x401002, (u64)-4};

    lt_open(&f, "linux-interrupted", "intel", true);
    lt_task(&f, 7, 7, "cat");
    lt_syscall(&f, AMD64_READ, 0, 0x7000, 16);
    lt_piece(&f, DATA_SIGNAL, 0x7FFC0000, frame, sizeof frame);
    lt_iret(&f, 50);
    lt_close(&f);
    filtered(f.path, NULL, NULL, "1 EINTR", NULL);
    filtered(f.path, "errno=EINTR", NULL, "1 EINTR", NULL);
    filtered(f.path, "errno=!any", NULL, "0 events", "read ");
    assert_true(trace_filter_add(&filter, "errno=EINTR", &err));
    char *report = text_of(trace_report, f.path, &filter, &calls);
    has(report, "= -1 EINTR (Interrupted system call) (a signal handler runs first)");
    free(report);
    unlink(f.path);
}

static void test_filter_words(void **state)
{
    (void)state;
    static const char *const wrong[] = {"trace=opnat", "trace=%nothing", "trace=", "errno=ENOWAY",
                                        "trace=openat,,read"};

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct trace_filter f = {0}, none = {0};
        struct error err = {0};

        assert_false(trace_filter_add(&f, wrong[i], &err));
        assert_int_equal(err.code, EXIT_USAGE);
        assert_memory_equal(&f, &none, sizeof f);
    }
}

static void test_show_call(void **state)
{
    (void)state;
    struct linux_trace f;
    u64 openat, opened, fault;

    lt_open(&f, "linux-show", "intel", true);
    record_calls(&f, &openat, &opened, &fault);
    lt_close(&f);
    char *entry = show_of(f.path, openat), *exit = show_of(f.path, opened), *page = show_of(f.path, fault);
    char partner[64];

    has(entry, "cat[7]");
    has(entry, "entry_SYSCALL_64");
    has(entry, "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 3\n");
    has(entry, "number 257 of the amd64 table");
    has(entry, "2f 65 74 63 2f 70 61 73  73 77 64 00");
    has(entry, "400 instructions");
    snprintf(partner, sizeof partner, "left by #%llu (returned)", (unsigned long long)opened);
    has(entry, partner);
    has(exit, "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 3\n");
    snprintf(partner, sizeof partner, "entered by #%llu (returned)", (unsigned long long)openat);
    has(exit, partner);
    has(page, "| 0000000000000006 |  error code  pt_regs.orig_ax");
    has(page, "| 0000000000402000 |  RIP         pt_regs.ip");
    has(page, "| 0000000000000246 |  RFLAGS      pt_regs.flags    PF ZF IF IOPL=0");
    has(page, "asm_exc_page_fault");
    has(page, "50 instructions");
    free(entry);
    free(exit);
    free(page);
    unlink(f.path);
}

static void test_show_never_back(void **state)
{
    (void)state;
    struct linux_trace f;
    u64 openat, opened, fault;

    lt_open(&f, "linux-never", "intel", true);
    record_calls(&f, &openat, &opened, &fault);
    u64 last = f.id;
    lt_close(&f);
    char *text = show_of(f.path, last);
    has(text, "read(0, ");
    has(text, "number 0 of the amd64 table");
    has(text, "(does not come back in this recording)");
    free(text);
    unlink(f.path);
}

static void put_le64(u8 *at, u64 value) { memcpy(at, &value, 8); }

static void test_show_pieces(void **state)
{
    (void)state;
    struct linux_trace f;
    u8 gate[16] = {0}, segment[8], trace[24], tss[8], code[2] = {0x0F, 0x0B}, odd[3] = {1, 2, 3};
    u64 target = LT_PAGE_FAULT, id;

    put_le64(gate, (target & 0xFFFF) | 0x10ull << 16 | 0x8Eull << 40 | 3ull << 32 | (target >> 16 & 0xFFFF) << 48);
    put_le64(gate + 8, target >> 32);
    put_le64(segment, 0x00AF9B000000FFFFull);
    put_le64(trace, LT_SYSCALL_INIT + 4);
    put_le64(trace + 8, LT_CPU_INIT + 8);
    put_le64(trace + 16, LT_START_KERNEL + 12);
    put_le64(tss, 0xFFFFFE0000003000ull);
    lt_open(&f, "linux-pieces", "intel", true);
    lt_piece(&f, DATA_GATE, 0xFFFFFE00000000E0, gate, sizeof gate);
    lt_piece(&f, DATA_DESCRIPTOR, 0xFFFFFE0000001010, segment, sizeof segment);
    lt_piece(&f, DATA_DESCRIPTOR, 0xFFFFFE0000001018, odd, sizeof odd);
    lt_piece(&f, DATA_TSS, 0xFFFFFE0000004004, tss, sizeof tss);
    lt_piece(&f, DATA_BACKTRACE, 0, trace, sizeof trace);
    lt_piece(&f, DATA_CODE, 0x402000, code, sizeof code);
    id = lt_page_fault(&f);
    lt_close(&f);
    char *text = show_of(f.path, id);
    has(text, "type      e, 64-bit interrupt gate");
    has(text, "<asm_exc_page_fault>");
    has(text, "selector  0010 (entry 2 of the GDT, RPL 0)");
    has(text, "IST       3");
    has(text, "type      b, 64-bit code, execute and read, accessed");
    has(text, "only 3 bytes were kept");
    has(text, "fffffe0000003000");
    has(text, "cpu_init+0x8");
    has(text, " 0f 0b  ud2");
    free(text);
    unlink(f.path);
}

static void record_msrs(struct linux_trace *f, bool amd)
{
    u8 trace[24];

    lt_task(f, 0, 0, "swapper/0");
    lt_wrmsr(f, 0xC0000080, 0, 0xD01, LT_START_KERNEL);
    put_le64(trace, LT_SYSCALL_INIT + 4);
    put_le64(trace + 8, LT_CPU_INIT + 8);
    put_le64(trace + 16, LT_START_KERNEL + 12);
    lt_piece(f, DATA_BACKTRACE, 0, trace, sizeof trace);
    lt_wrmsr(f, 0xC0000082, 0, LT_SYSCALL_64, LT_SYSCALL_INIT + 4);
    lt_wrmsr(f, 0xC0000081, 0, 0x0023001000000000ull, LT_SYSCALL_INIT + 8);
    if (amd)
        lt_wrmsr(f, 0xC0000083, 0, LT_SYSCALL_COMPAT, LT_SYSCALL_INIT + 16);
    lt_wrmsr(f, 0x174, 0, 0x10, LT_SYSCALL_INIT + 32);
    lt_wrmsr(f, 0x176, 0, LT_SYSENTER, LT_SYSCALL_INIT + 40);
    lt_wrmsr(f, 0x10, 0, 77, LT_SYSCALL_INIT + 48); /* no register of an entry */
    for (unsigned i = 0; i < 9; i++)
        lt_wrmsr(f, 0xC0000102, i, i + 1, LT_SWITCH + 8);
    lt_syscall(f, AMD64_GETPID, 0, 0, 0);
    lt_sysret(f, 10, 8);
    struct event_record compat = lt_transition(amd ? MECH_SYSCALL : MECH_SYSENTER, 3, 0, 0x8048000, LT_SYSENTER);
    compat.from_mode = MODE_COMPAT32;
    lt_event(f, compat);
    struct event_record refused = lt_transition(MECH_FAULT, 3, 0, 0x8048010, LT_BASE);
    refused.from_mode = MODE_COMPAT32;
    refused.vector = VEC_UD;
    refused.present = EVENT_HAS_VECTOR | EVENT_HAS_RULE;
    refused.rule = amd ? RULE_SE_07 : RULE_SC_02;
    lt_event(f, refused);
}

static void test_msrs_intel(void **state)
{
    (void)state;
    struct linux_trace f;
    struct trace_view bare = {.no_header = true}, all = {.no_header = true, .all = true}, json = {.format = TRACE_JSON};

    lt_open(&f, "linux-msrs-intel", "intel", true);
    record_msrs(&f, false);
    lt_close(&f);
    char *text = text_of(trace_msrs, f.path, NULL, &bare);
    has(text, "EFER            0 -> d01 SCE LME LMA NXE");
    has(text, "<entry_SYSCALL_64>");
    has(text, "by start_kernel → cpu_init → syscall_init");
    has(text, "SYSCALL: CS 0010, SS 0018; SYSRET: from base 0023");
    has(text, "         9  KERNEL_GS_BASE ");
    has(text, "__switch_to+0x8");
    has(text, "SYSCALL   64-bit                   1        0  LSTAR = ");
    has(text, "SYSCALL   compatibility            0        1  #UD: Intel has SYSCALL in 64-bit mode only (SC-02)");
    has(text, "SYSENTER  compatibility            1        0  SYSENTER_EIP = ");
    has(text, "CSTAR and SYSENTER_EIP hold different values:\n  CSTAR         0, never written\n  SYSENTER_EIP  ");
    has(text, "In long mode on Intel, SYSENTER_EIP serves SYSENTER");
    has_not(text, "TIME_STAMP_COUNTER");
    free(text);
    text = text_of(trace_msrs, f.path, NULL, &all);
    has(text, "TIME_STAMP_COUNTER");
    free(text);
    text = text_of(trace_msrs, f.path, NULL, &json);
    has(text, "\"register\":\"LSTAR\",\"old\":\"0x0\"");
    has(text, "\"callers\":[\"syscall_init+0x4\",\"cpu_init+0x8\",\"start_kernel+0xc\"]");
    has(text, "\"cstar_equals_sysenter_eip\":false");
    free(text);
    unlink(f.path);
}

static void test_msrs_amd(void **state)
{
    (void)state;
    struct linux_trace f;
    struct trace_view bare = {.no_header = true};

    lt_open(&f, "linux-msrs-amd", "amd", true);
    record_msrs(&f, true);
    lt_close(&f);
    char *text = text_of(trace_msrs, f.path, NULL, &bare);
    has(text, "SYSCALL   compatibility            1        0  CSTAR = ");
    has(text, "<entry_SYSCALL_compat>");
    has(text, "SYSENTER  compatibility            0        1  #UD: AMD has no SYSENTER in long mode (SE-07)");
    has(text, "In long mode on AMD, CSTAR serves SYSCALL from compatibility code");
    free(text);
    unlink(f.path);
}

/* Without a known kernel everything but names is there, and a filter by task says why it finds nothing. */
static void test_unknown_kernel(void **state)
{
    (void)state;
    struct linux_trace f;
    char *said = NULL;
    size_t size;
    FILE *messages = open_memstream(&said, &size);
    struct trace_view bare = {.no_header = true, .messages = messages};
    struct trace_filter filter = {0};
    struct error err = {0};

    lt_open(&f, "linux-unknown", "intel", false);
    lt_syscall(&f, AMD64_GETPID, 0, 0, 0);
    lt_sysret(&f, 10, 8);
    lt_close(&f);
    char *stat = text_of(trace_stat, f.path, NULL, &bare), *shown = show_of(f.path, 1);
    has(stat, "   cr3 1000 ");
    has(stat, "syscall      64-bit              1          1");
    has_not(stat, "getpid");
    has_not(shown, "getpid");
    assert_true(trace_filter_pid(&filter, "1", &err));
    free(text_of(trace_stat, f.path, &filter, &bare));
    fclose(messages);
    has(said, "no task is known");
    free(said);
    free(stat);
    free(shown);
    unlink(f.path);
}

static void test_histogram(void **state)
{
    (void)state;
    struct histogram h = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(histogram_quantile(&h, 500), 0);
    for (u64 i = 1; i <= 1000; i++)
        histogram_add(&h, i * 1000);
    assert_in_range(histogram_quantile(&h, 500), 495000, 500000);
    assert_in_range(histogram_quantile(&h, 990), 980100, 990000);
    assert_int_equal(histogram_quantile(&h, 0), 1000);
    assert_in_range(histogram_quantile(&h, 1000), 990000, 1000000);
    assert_int_equal(h.sum, 500500000);
    histogram_print(out, &h);
    histogram_free(&h);
    assert_int_equal(h.count, 0);
    histogram_add(&h, 0);
    histogram_add(&h, ~0ull);
    assert_int_equal(histogram_quantile(&h, 1000), 0xFF00000000000000ull);
    assert_int_equal(histogram_quantile(&h, 500), 0);
    histogram_print(out, &h);
    histogram_free(&h);
    fclose(out);
    has(text, "524288 to 1048575             476  ########################################");
    has(text, "512 to 1023 ");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histogram),       cmocka_unit_test(test_stat),
        cmocka_unit_test(test_filters),         cmocka_unit_test(test_filter_words),
        cmocka_unit_test(test_report_by_error), cmocka_unit_test(test_show_call),
        cmocka_unit_test(test_show_never_back), cmocka_unit_test(test_show_pieces),
        cmocka_unit_test(test_msrs_intel),      cmocka_unit_test(test_msrs_amd),
        cmocka_unit_test(test_unknown_kernel),  cmocka_unit_test(test_report_to_the_entry),
        cmocka_unit_test(test_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
