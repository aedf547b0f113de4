/* SPDX-License-Identifier: MIT
 * The table of Linux's system calls: against the C library's kernel headers, where they are installed, and by itself.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "linux/linux.h"

#define HEADERS "/usr/include/x86_64-linux-gnu/asm/"

/* Every "#define __NR_name number" of a header is in the table, and every name of the table is in the header. */
static void compare_header(enum linux_abi abi, const char *path)
{
    FILE *header = fopen(path, "r");
    if (header == NULL)
        skip();
    char line[256], name[64];
    char *names[2048] = {NULL};
    unsigned found = 0;
    while (fgets(line, sizeof line, header) != NULL) {
        unsigned number;
        if (sscanf(line, "#define __NR_%63s (__X32_SYSCALL_BIT + %u)", name, &number) != 2 &&
            sscanf(line, "#define __NR_%63s %u", name, &number) != 2)
            continue;
        if (number > 450) /* newer than the table, except x32's own */
            if (abi != LINUX_X32 || number < 512)
                continue;
        assert_true(number < ARRAY_LEN(names));
        const struct linux_syscall *row = linux_syscall(abi, number);
        if (row == NULL)
            fail_msg("%u %s: not in the table", number, name);
        assert_string_equal(linux_syscall_name(row), name);
        names[number] = strdup(name);
        found++;
    }
    fclose(header);
    assert_true(found > 300);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        const struct linux_syscall *row = linux_syscall(abi, i);
        if (row != NULL && names[i] == NULL)
            fail_msg("%u %s: in the table only", i, linux_syscall_name(row));
        free(names[i]);
    }
}

static void amd64_is_the_headers(void **state)
{
    (void)state;
    compare_header(LINUX_AMD64, HEADERS "unistd_64.h");
}

static void i386_is_the_headers(void **state)
{
    (void)state;
    compare_header(LINUX_I386, HEADERS "unistd_32.h");
}

static void x32_is_the_headers(void **state)
{
    (void)state;
    compare_header(LINUX_X32, HEADERS "unistd_x32.h");
}

static void numbers_lead_to_rows(void **state)
{
    (void)state;
    assert_string_equal(linux_syscall_name(linux_syscall(LINUX_AMD64, 0)), "read");
    assert_string_equal(linux_syscall_name(linux_syscall(LINUX_I386, 3)), "read");
    assert_string_equal(linux_syscall_name(linux_syscall(LINUX_I386, 450)), "set_mempolicy_home_node");
    assert_string_equal(linux_syscall_name(linux_syscall(LINUX_X32, 0x40000000)), "read");
    assert_string_equal(linux_syscall_name(linux_syscall(LINUX_X32, 0x40000000 + 520)), "execve");
    assert_null(linux_syscall(LINUX_X32, 0x40000000 + 59));
    assert_null(linux_syscall(LINUX_AMD64, 335));
    assert_null(linux_syscall(LINUX_AMD64, 451));
    assert_null(linux_syscall(LINUX_AMD64, ~0ull));
    assert_null(linux_syscall(LINUX_I386, 0x100000003));
    assert_null(linux_syscall_by_name("no_such_call"));
    assert_string_equal(linux_syscall_name(linux_syscall_by_name("fstat64")), "fstat64");
}

static void rows_say_what_they_do(void **state)
{
    (void)state;
    const struct linux_syscall *row = linux_syscall_by_name("read");
    assert_int_equal(linux_syscall_args(row), 3);
    assert_false(linux_syscall_reads(row));
    assert_true(linux_syscall_writes(row));
    assert_int_equal(linux_syscall_groups(row), linux_group("desc"));
    row = linux_syscall_by_name("openat");
    assert_int_equal(linux_syscall_args(row), 4);
    assert_true(linux_syscall_reads(row));
    assert_false(linux_syscall_writes(row));
    assert_int_equal(linux_syscall_groups(row), linux_group("desc") | linux_group("file"));
    assert_int_equal(linux_syscall_args(linux_syscall_by_name("futex")), 6);
    assert_int_equal(linux_syscall_args(linux_syscall_by_name("getpid")), 0);
    assert_int_equal(linux_syscall_args(linux_syscall(LINUX_AMD64, 17)), 4); /* pread64: a pair of words on i386 */
    assert_int_equal(linux_syscall_args(linux_syscall(LINUX_I386, 180)), 5);
    assert_true(linux_syscall_ends(linux_syscall_by_name("exit_group")));
    assert_false(linux_syscall_ends(row));
    assert_int_equal(linux_group("no_such_group"), 0);
    for (unsigned number = 0; number < 451; number++)
        for (enum linux_abi abi = 0; abi < LINUX_ABIS; abi++) {
            row = linux_syscall(abi, number);
            if (row != NULL && linux_syscall_args(row) > LINUX_ARGS)
                fail_msg("%s has %u arguments", linux_syscall_name(row), linux_syscall_args(row));
        }
}

/* strerror() of the C library has the same words. */
static void errors_have_names(void **state)
{
    (void)state;
    assert_string_equal(linux_error_name(2), "ENOENT");
    assert_string_equal(linux_error_name(11), "EAGAIN");
    assert_string_equal(linux_error_name(512), "ERESTARTSYS");
    assert_null(linux_error_name(0));
    assert_null(linux_error_name(41));
    assert_null(linux_error_name(~0u));
    assert_null(linux_error_text(4000));
    for (int number = 1; number < 134; number++) {
        const char *text = linux_error_text((unsigned)number);
        if (text != NULL)
            assert_string_equal(text, strerror(number));
        else
            assert_true(number == 41 || number == 58); /* never given out */
        ;
    }
    assert_string_equal(linux_signal_name(11), "SIGSEGV");
    assert_null(linux_signal_name(0));
    assert_null(linux_signal_name(1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amd64_is_the_headers),  cmocka_unit_test(i386_is_the_headers),
        cmocka_unit_test(x32_is_the_headers),    cmocka_unit_test(numbers_lead_to_rows),
        cmocka_unit_test(rows_say_what_they_do), cmocka_unit_test(errors_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
