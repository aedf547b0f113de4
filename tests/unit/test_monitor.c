/* SPDX-License-Identifier: MIT
 * The monitor: its line of input, what its commands show, and what they send into the machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/flags.h"
#include "monitor/monitor.h"

struct bench {
    struct machine_options options;
    struct machine *machine;
    struct monitor *monitor;
    char said[1 << 20];
    size_t size;
    const char *command; /* to execute when the machine first asks for input */
    unsigned asked;
    u8 input[256]; /* as it entered: source, size, bytes */
    size_t input_size;
    u64 input_tick;
    bool traced;
    char filter[32], picture[32];
};

static void write_text(void *context, const char *text, size_t size)
{
    struct bench *b = context;

    assert_true(b->size + size < sizeof b->said);
    memcpy(b->said + b->size, text, size);
    b->size += size;
    b->said[b->size] = '\0';
}

static bool trace(void *context, bool on, const char *filter, struct error *err)
{
    struct bench *b = context;

    if (filter != NULL && strcmp(filter, "bad") == 0)
        return error_set(err, EXIT_USAGE, "a bad filter");
    b->traced = on;
    snprintf(b->filter, sizeof b->filter, "%s", filter == NULL ? "none" : filter);
    return true;
}

static bool screendump(void *context, const char *path, struct error *err)
{
    struct bench *b = context;

    (void)err;
    snprintf(b->picture, sizeof b->picture, "%s", path);
    return true;
}

/* Executes the command when first asked, and ends the run when asked again: what was sent has entered then. */
static size_t input(void *context, u8 *buffer, size_t size, u64 timeout_ns, bool *closed)
{
    struct bench *b = context;

    (void)buffer, (void)size, (void)timeout_ns, (void)closed;
    b->asked++;
    if (b->asked == 1)
        monitor_execute(b->monitor, b->command);
    else if (b->asked == 3)
        machine_quit(b->machine);
    return 0;
}

static void log_input(void *context, u64 tick, enum input_source source, const u8 *bytes, size_t size)
{
    struct bench *b = context;

    assert_true(b->input_size + 2 + size <= sizeof b->input);
    b->input[b->input_size++] = (u8)source;
    b->input[b->input_size++] = (u8)size;
    if (size != 0)
        memcpy(b->input + b->input_size, bytes, size);
    b->input_size += size;
    b->input_tick = tick;
}

static struct bench *bench_new(bool echo, const char *command)
{
    struct bench *b = calloc(1, sizeof *b);
    struct monitor_host host = {.context = b, .write = write_text, .trace = trace, .screendump = screendump};
    struct error err;

    machine_options_init(&b->options);
    b->options.ram_bytes = 16u << 20;
    b->options.kernel = "tour:64";
    b->options.no_reboot = true;
    b->command = command;
    b->options.world = (struct machine_world){.context = b, .input = input};
    b->machine = machine_new(&b->options, &err);
    assert_non_null(b->machine);
    input_set_log(machine_input(b->machine), log_input, b);
    machine_power_on(b->machine);
    b->monitor = monitor_new(b->machine, &host, echo);
    return b;
}

static void bench_free(struct bench *b)
{
    monitor_free(b->monitor);
    machine_free(b->machine);
    free(b);
}

static const char *answer(struct bench *b, const char *line)
{
    b->size = 0;
    b->said[0] = '\0';
    monitor_execute(b->monitor, line);
    return b->said;
}

static void says(struct bench *b, const char *line, const char *what)
{
    if (strstr(answer(b, line), what) == NULL)
        fail_msg("'%s' does not say '%s' but: %s", line, what, b->said);
}

static void type(struct bench *b, const char *text)
{
    b->size = 0;
    b->said[0] = '\0';
    monitor_type(b->monitor, (const u8 *)text, strlen(text));
}

/* ---- the line */

static void lines_are_executed(void **state)
{
    struct bench *b = bench_new(false, NULL);

    (void)state;
    type(b, "foo\r");
    assert_string_equal(b->said, "error: there is no command 'foo'; 'help' lists them\n" MONITOR_PROMPT);
    type(b, "\n"); /* belongs to the carriage return */
    assert_string_equal(b->said, "");
    type(b, "\n  \n");
    assert_string_equal(b->said, MONITOR_PROMPT MONITOR_PROMPT);
    bench_free(b);
}

static void a_typed_line_can_be_edited(void **state)
{
    struct bench *b = bench_new(true, NULL);

    (void)state;
    type(b, "\x7f"
            "ab\x7f\b"
            "foo\x15\x1b[A\x1bOBbar\r");
    assert_string_equal(b->said, "ab\b \b\b \bfoo\b \b\b \b\b \bbar\n"
                                 "error: there is no command 'bar'; 'help' lists them\n" MONITOR_PROMPT);
    bench_free(b);
}

static void a_long_line_is_refused(void **state)
{
    struct bench *b = bench_new(false, NULL);
    char line[1000];

    (void)state;
    memset(line, 'x', sizeof line);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    type(b, line);
    assert_string_equal(b->said, "error: the line is too long\n" MONITOR_PROMPT);
    type(b, "nmi now\n"); /* and the next is its own */
    assert_string_equal(b->said, "error: 'now' is one word too many\n" MONITOR_PROMPT);
    line[sizeof line - 2] = '\0';
    says(b, line, "the line is too long");
    bench_free(b);
}

static void help_lists_all(void **state)
{
    static const char *const names[] = {"gva2gpa", "help",         "info",     "nmi",   "quit",  "screendump",
                                        "sendkey", "system_reset", "trace on", "x/FMT", "xp/FMT"};
    struct bench *b = bench_new(false, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        says(b, "help", names[i]);
    says(b, "info", "info registers");
    says(b, "help info", "info mtree");
    says(b, "help sendkey", "ctrl-alt-delete");
    says(b, "help me", "there is no command 'me'");
    says(b, "info everything", "info knows no 'everything'");
    bench_free(b);
}

/* ---- what is shown */

static void registers_after_reset(void **state)
{
    struct bench *b = bench_new(false, NULL);

    (void)state;
    says(b, "info registers", "mode=real cpl=0 active  ticks=0");
    says(b, "info registers", "RIP=000000000000fff0 RFLAGS=00000002 [] IOPL=0\n");
    says(b, "info registers", "CS  =f000 base=00000000ffff0000 limit=0000ffff");
    says(b, "info registers", "LDTR=0000");
    bench_free(b);
}

static void memory_in_its_formats(void **state)
{
    static const u8 bytes[] = {'A', 0x00, 0xFF, 0xFF, 0xEF, 0xBE, 0xAD, 0xDE, 0x90, 0xF4};
    struct bench *b = bench_new(false, NULL);
    struct cpu *cpu = machine_cpu(b->machine);

    (void)state;
    physmem_write(cpu->physmem, 0x7C00, bytes, sizeof bytes, INITIATOR_LOADER);
    assert_string_equal(answer(b, "x/2xw 0x7c00"), "00007c00: 0xffff0041 0xdeadbeef\n");
    assert_string_equal(answer(b, "x 0x7c00"), "00007c00: 0xffff0041\n");
    assert_string_equal(answer(b, "xp/xg 0x7c00"), "0000000000007c00: 0xdeadbeefffff0041\n");
    assert_string_equal(answer(b, "x/2dh 0x7c02"), "00007c02: -1 -16657\n");
    assert_string_equal(answer(b, "x/uh 0x7c02"), "00007c02: 65535\n");
    assert_string_equal(answer(b, "x/ob 0x7c00"), "00007c00: 0101\n");
    assert_string_equal(answer(b, "x/2c 0x7c00"), "00007c00: 'A' '\\x00'\n");
    assert_string_equal(answer(b, "x/2i 0x7c08"), "00007c08:  nop\n00007c09:  hlt\n");
    assert_string_equal(answer(b, "x/9xb 0x7c00 - 1"),
                        "00007bff: 0x00 0x41 0x00 0xff 0xff 0xef 0xbe 0xad\n00007c07: 0xde\n");
    says(b, "x/i $pc", "fffffff0:");
    says(b, "x/b $cs+$rip", "fffffff0: 0x");
    says(b, "x/xw $esp + 0x7c04", "00007c04: 0xdeadbeef");
    /* no memory: devices are not read */
    assert_string_equal(answer(b, "x/2xw 0x9fffc"), "0009fffc: 0x00000000\n"
                                                    "error: linear address 0xa0000 is not mapped, or is no memory\n");
    says(b, "xp 0xfee00000", "is no memory (devices are not read");
    says(b, "x/xg 0xfffffffffffffffc", "is not mapped");
    says(b, "x 0x100000000", "is not mapped");
    says(b, "x/i 0x100000000", "is not mapped");
    bench_free(b);
}

static void bad_addresses_and_formats(void **state)
{
    static const struct {
        const char *line, *what;
    } cases[] = {
        {"x", "'' is no address"},
        {"x foo", "'foo' is no address"},
        {"x 12foo", "'12foo' is no address"},
        {"x $foo", "there is no register '$foo'"},
        {"x $rip $rip", "'$rip' is one word too many"},
        {"x $rip+", "'' is no address"},
        {"x -5", "'-5' is no address"},
        {"x 99999999999999999999", "is no address"},
        {"x/0x 0", "the count is 1 to 4096"},
        {"x/99999999999999999999x 0", "the count is 1 to 4096"},
        {"x/4z 0", "'z' is no format"},
        {"gva2gpa", "'' is no address"},
        {"info mem foo", "'foo' is no address"},
    };
    struct bench *b = bench_new(false, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        says(b, cases[i].line, cases[i].what);
    bench_free(b);
}

static void put_entry(struct cpu *cpu, paddr_t at, u64 entry)
{
    physmem_write(cpu->physmem, at, &entry, sizeof entry, INITIATOR_LOADER);
}

static void page_tables(void **state)
{
    struct bench *b = bench_new(false, NULL);
    struct cpu *cpu = machine_cpu(b->machine);
    struct paging_mode *mode = &cpu->mmu.mode;

    (void)state;
    says(b, "info mem", "paging is off");
    says(b, "gva2gpa 0", "paging is off");
    *mode = (struct paging_mode){.cr3 = 0x200000, .levels = 4, .maxphyaddr = 40, .nxe = true, .wp = true};
    put_entry(cpu, 0x200000, 0x201007);           /* PML4E 0: user */
    put_entry(cpu, 0x200FF8, 0x204003);           /* PML4E 511 */
    put_entry(cpu, 0x201000, 0x202007);           /* PDPTE 0 */
    put_entry(cpu, 0x202000, 0x203007);           /* PDE 0 */
    put_entry(cpu, 0x202008, 0x400083);           /* PDE 1: 2 MiB, kernel, writable */
    put_entry(cpu, 0x203008, 0x300005 | BIT(63)); /* page 1: user, no execution */
    put_entry(cpu, 0x203010, 0x301005 | BIT(63)); /* page 2: the same, so one range */
    put_entry(cpu, 0x203018, 0x301007);           /* page 3: writable */
    put_entry(cpu, 0x204FF8, 0x205001);           /* PDPTE 511 */
    put_entry(cpu, 0x205FF8, 0x600081);           /* the last 2 MiB */
    assert_string_equal(answer(b, "info mem"), "0000000000001000-0000000000002fff ur--\n"
                                               "0000000000003000-0000000000003fff urwx\n"
                                               "0000000000200000-00000000003fffff -rwx\n"
                                               "ffffffffffe00000-ffffffffffffffff -r-x\n");
    assert_string_equal(answer(b, "info mem 0x200000"), "0000000000200000-00000000003fffff -rwx\n"
                                                        "ffffffffffe00000-ffffffffffffffff -r-x\n");
    says(b, "info mem 0x800000000000", "is no linear address of this mode");
    assert_string_equal(answer(b, "gva2gpa 0x2010"), "PML4E 0000000000200000: 0000000000201007  P W U\n"
                                                     "PDPTE 0000000000201000: 0000000000202007  P W U\n"
                                                     "PDE   0000000000202000: 0000000000203007  P W U\n"
                                                     "PTE   0000000000203010: 8000000000301005  P U XD\n"
                                                     "physical 0x301010\n");
    says(b, "gva2gpa 0x4000", "not mapped: the last entry is not present");
    says(b, "gva2gpa 0x800000000000", "is no linear address of this mode");
    assert_string_equal(answer(b, "x/xw 0x800000000000"),
                        "error: linear address 0x800000000000 is not mapped, or is no memory\n");
    /* a hostile guest: the table is its own at every level, and everything is mapped */
    for (unsigned i = 0; i < 512; i++)
        put_entry(cpu, 0x200000 + 8 * i, 0x200003);
    says(b, "info mem", "... the rest: info mem 0x");
    bench_free(b);
}

static void the_tlb(void **state)
{
    struct bench *b = bench_new(false, NULL);
    struct cpu *cpu = machine_cpu(b->machine);
    paddr_t paddr;
    u32 error;

    (void)state;
    says(b, "info tlb", "0 translations");
    cpu->mmu.mode = (struct paging_mode){.cr3 = 0x200000, .levels = 2, .maxphyaddr = 32, .wp = true};
    put_entry(cpu, 0x200000, 0x201007);
    put_entry(cpu, 0x201000, (0x301000ull | 7) << 32); /* 4-byte entries: page 1 */
    assert_true(mmu_translate(&cpu->mmu, 0x1234, ACCESS_WRITE, VIEW_USER, &paddr, &error));
    assert_true(mmu_translate(&cpu->mmu, 0x1234, ACCESS_EXECUTE, VIEW_SUPERVISOR, &paddr, &error));
    says(b, "info tlb", "00001000 -> 0000000000301000  4K         --x     ---   rw-\n1 translations");
    bench_free(b);
}

static void interrupt_controllers(void **state)
{
    struct bench *b = bench_new(false, NULL);

    (void)state;
    says(b, "info pic", "master: vectors 00-07 lines=-------- irr=-------- imr=01234567");
    says(b, "info pic", "slave : vectors 08-0f");
    says(b, "info lapic", "APIC id 0, xAPIC, base fee00900, software disabled (SVR 000000ff)");
    says(b, "info lapic", "LVT LINT0       00010000 vector 00 fixed masked");
    says(b, "info irq", "IRQ  line  rises");
    says(b, "info mtree", "0000000000000000-0000000000ffffff RAM");
    says(b, "info mtree", "00000000fee00000-00000000fee00fff lapic");
    says(b, "info mtree", "0020-0021 pic-master");
    says(b, "info mtree", "0cf9-0cf9 ");
    bench_free(b);
}

/* ---- what acts */

static struct machine_result run(struct bench *b)
{
    struct machine_result result;

    machine_run(b->machine, &result);
    return result;
}

static void keys_are_pressed_and_released(void **state)
{
    static const u8 wanted[] = {INPUT_KEYBOARD, 10, 0x14, 0x11, 0xE0, 0x71, 0xE0, 0xF0, 0x71, 0xF0, 0x11, 0xF0};
    struct bench *b = bench_new(false, "sendkey ctrl-alt-delete");

    (void)state;
    run(b);
    assert_true(b->input_size >= sizeof wanted);
    assert_int_equal(b->input[1], 11);
    assert_memory_equal(b->input + 2, wanted + 2, sizeof wanted - 2);
    assert_int_equal(b->input[12], 0x14);
    says(b, "sendkey", "sendkey wants keys");
    says(b, "sendkey foo", "there is no key 'foo'");
    says(b, "sendkey ctrl-", "there is no key ''");
    says(b, "sendkey a-b-c-d-e-f-g-h-i", "at most 8 keys");
    for (unsigned i = 0; i < 32; i++)
        assert_string_equal(answer(b, "sendkey a-b-c-d-e-f-g-h"), "");
    says(b, "sendkey a", "has not taken what was sent before");
    says(b, "nmi", "has not taken what was sent before");
    bench_free(b);
}

static void keys_by_name(void **state)
{
    static const struct {
        const char *command;
        u8 size, bytes[16]; /* of set 2, by the IBM reference */
    } keys[] = {
        {"sendkey a", 3, {0x1C, 0xF0, 0x1C}},
        {"sendkey 0", 3, {0x45, 0xF0, 0x45}},
        {"sendkey ret", 3, {0x5A, 0xF0, 0x5A}},
        {"sendkey minus", 3, {0x4E, 0xF0, 0x4E}},
        {"sendkey semicolon", 3, {0x4C, 0xF0, 0x4C}},
        {"sendkey caps_lock", 3, {0x58, 0xF0, 0x58}},
        {"sendkey f12", 3, {0x07, 0xF0, 0x07}},
        {"sendkey insert", 5, {0xE0, 0x70, 0xE0, 0xF0, 0x70}},
        {"sendkey up", 5, {0xE0, 0x75, 0xE0, 0xF0, 0x75}},
        {"sendkey kp_1", 3, {0x69, 0xF0, 0x69}},
        {"sendkey kp_decimal", 3, {0x71, 0xF0, 0x71}},
        {"sendkey menu", 5, {0xE0, 0x2F, 0xE0, 0xF0, 0x2F}},
        {"sendkey alt_r", 5, {0xE0, 0x11, 0xE0, 0xF0, 0x11}},
        {"sendkey pause", 8, {0xE1, 0x14, 0x77, 0xE1, 0xF0, 0x14, 0xF0, 0x77}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct bench *b = bench_new(false, keys[i].command);

        run(b);
        assert_int_equal(b->input[0], INPUT_KEYBOARD);
        assert_int_equal(b->input[1], keys[i].size);
        assert_memory_equal(b->input + 2, keys[i].bytes, keys[i].size);
        bench_free(b);
    }
}

static void the_reset_button_ends_a_run_without_reboot(void **state)
{
    struct bench *b = bench_new(false, "system_reset");
    struct machine_result result;

    (void)state;
    result = run(b);
    assert_int_equal(result.end, END_RESET);
    assert_int_equal(b->input[0], INPUT_RESET_BUTTON);
    assert_int_equal(b->input_size, 2);
    assert_int_equal(result.ticks, b->input_tick); /* at its own tick, wherever a slice ends */
    bench_free(b);
}

static void quit_ends_the_run(void **state)
{
    struct bench *b = bench_new(false, "q");
    struct machine_result result;

    (void)state;
    result = run(b);
    assert_int_equal(result.end, END_QUIT);
    assert_int_equal(b->asked, 1);
    assert_int_equal(b->input_size, 0);
    bench_free(b);
}

static void the_power_button_and_the_nmi_button(void **state)
{
    static const struct {
        const char *command;
        u8 source;
    } buttons[] = {{"system_powerdown", INPUT_POWER_BUTTON}, {"nmi", INPUT_NMI_BUTTON}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(buttons); i++) {
        struct bench *b = bench_new(false, buttons[i].command);

        run(b);
        assert_int_equal(b->input[0], buttons[i].source);
        assert_int_equal(b->input[1], 0);
        bench_free(b);
    }
}

static void trace_and_screendump_ask_the_program(void **state)
{
    struct bench *b = bench_new(false, NULL);
    struct monitor_host bare = {.context = b, .write = write_text};

    (void)state;
    assert_string_equal(answer(b, "trace on"), "");
    assert_true(b->traced);
    assert_string_equal(b->filter, "none");
    answer(b, "trace on mech=irq");
    assert_string_equal(b->filter, "mech=irq");
    says(b, "trace on bad", "error: a bad filter");
    assert_string_equal(answer(b, "trace off"), "");
    assert_false(b->traced);
    says(b, "trace", "trace on [FILTER], or trace off");
    says(b, "trace off irq", "trace on [FILTER], or trace off");
    says(b, "trace perhaps-not", "trace on [FILTER], or trace off");
    answer(b, "screendump a picture.png");
    assert_string_equal(b->picture, "a picture.png");
    says(b, "screendump", "screendump wants a file");
    monitor_free(b->monitor);
    b->monitor = monitor_new(b->machine, &bare, false);
    says(b, "trace on", "there is no live trace here");
    says(b, "screendump a", "there are no pictures here");
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_executed),
        cmocka_unit_test(a_typed_line_can_be_edited),
        cmocka_unit_test(a_long_line_is_refused),
        cmocka_unit_test(help_lists_all),
        cmocka_unit_test(registers_after_reset),
        cmocka_unit_test(memory_in_its_formats),
        cmocka_unit_test(bad_addresses_and_formats),
        cmocka_unit_test(page_tables),
        cmocka_unit_test(the_tlb),
        cmocka_unit_test(interrupt_controllers),
        cmocka_unit_test(keys_are_pressed_and_released),
        cmocka_unit_test(keys_by_name),
        cmocka_unit_test(the_reset_button_ends_a_run_without_reboot),
        cmocka_unit_test(quit_ends_the_run),
        cmocka_unit_test(the_power_button_and_the_nmi_button),
        cmocka_unit_test(trace_and_screendump_ask_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
