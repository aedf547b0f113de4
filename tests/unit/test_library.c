/* SPDX-License-Identifier: MIT
 * libringside as a program that embeds it sees it: two machines in one process, transitions as call-backs, bad options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ringside.h"

struct seen {
    uint64_t transitions, last_sequence, inward;
    size_t serial_bytes;
    char serial[1 << 16];
};

static void count(void *context, const struct ringside_transition *t)
{
    struct seen *seen = context;

    assert_int_equal(t->sequence, seen->last_sequence + 1); /* none is missed */
    seen->last_sequence = t->sequence;
    seen->transitions++;
    seen->inward += t->to.ring < t->from.ring;
}

static void keep(void *context, const uint8_t *bytes, size_t size)
{
    struct seen *seen = context;

    if (size < sizeof seen->serial - seen->serial_bytes)
        memcpy(seen->serial + seen->serial_bytes, bytes, size);
    seen->serial_bytes += size;
}

static struct ringside *tour(struct seen *seen, const char *kernel, const char *cpu)
{
    struct ringside_options options = ringside_defaults();
    char message[512];
    struct ringside *machine;

    options.kernel = kernel;
    options.cpu = cpu;
    options.memory_bytes = 64u << 20;
    options.no_reboot = true;
    options.context = seen;
    options.on_transition = count;
    options.on_serial = keep;
    machine = ringside_new(&options, message, sizeof message);
    if (machine == NULL)
        fail_msg("%s", message);
    return machine;
}

static void two_machines_in_one_process(void **state)
{
    struct seen *seen = calloc(2, sizeof *seen);
    struct ringside_result result[2];
    struct ringside *a = tour(&seen[0], "tour:32", "max");
    struct ringside *b = tour(&seen[1], "tour:32", "max");

    (void)state;
    assert_int_equal(ringside_run(a, &result[0]), 0);
    assert_int_equal(ringside_run(b, &result[1]), 0);
    assert_string_equal(result[0].reason, "power-off");
    assert_true(seen[0].inward > 20);
    assert_int_equal(seen[0].transitions, seen[1].transitions);
    assert_int_equal(result[0].state_hash, result[1].state_hash);
    assert_non_null(strstr(seen[0].serial, " 0 wrong"));
    ringside_free(a);
    ringside_free(b);
    free(seen);
}

static void bad_options_say_why(void **state)
{
    struct ringside_options options = ringside_defaults();
    char message[512] = "";

    (void)state;
    assert_null(ringside_new(&options, message, sizeof message));
    assert_non_null(strstr(message, "kernel"));
    options.kernel = "/nonexistent/vmlinuz";
    assert_null(ringside_new(&options, message, sizeof message));
    assert_non_null(strstr(message, "/nonexistent/vmlinuz"));
    options.cpu = "nonesuch";
    assert_null(ringside_new(&options, message, sizeof message));
    assert_non_null(strstr(message, "nonesuch"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_machines_in_one_process),
        cmocka_unit_test(bad_options_say_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
