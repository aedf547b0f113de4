/* SPDX-License-Identifier: MIT
 * virtio-blk: requests, their order, and what a hostile driver asks for.
 */
#include "unit/virtio_fixture.h"

#include <stdlib.h>

#include "devices/virtio/virtio_blk.h"

#define MEDIUM_BYTES 4096u
#define HEAD BUFFER
#define DATA (BUFFER + 0x1000u)
#define RESULT (BUFFER + 0x800u)
#define FLUSH BIT(9)
enum { IN = 0, OUT = 1, FLUSH_NOW = 4, GET_ID = 8 };

static u8 bytes[MEDIUM_BYTES];
static char order[64]; /* r, w, f: what the medium was asked */
static bool broken;
static struct block medium;
static struct virtio_blk *blk;

static bool note(char what)
{
    size_t n = strlen(order);

    if (n + 1 < sizeof order)
        order[n] = what;
    return !broken;
}
static bool medium_read(void *context, u64 offset, void *out, size_t size)
{
    (void)context;
    memcpy(out, bytes + offset, size);
    return note('r');
}
static bool medium_write(void *context, u64 offset, const void *in, size_t size)
{
    (void)context;
    memcpy(bytes + offset, in, size);
    return note('w');
}
static bool medium_flush(void *context)
{
    (void)context;
    return note('f');
}

static int setup(void **state)
{
    static const struct block_ops ops = {medium_read, medium_write, medium_flush};

    (void)state;
    bench_open();
    medium = (struct block){.ops = &ops, .bytes = MEDIUM_BYTES};
    memset(order, 0, sizeof order);
    broken = false;
    for (unsigned i = 0; i < MEDIUM_BYTES; i++)
        bytes[i] = (u8)(i / 512);
    blk = virtio_blk_new(&bus, SLOT, &irq, &clk, &medium, "serial-1");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    virtio_blk_free(blk);
    assert_int_equal(clk.deadline, CLOCK_NEVER);
    bench_close();
    return 0;
}

static void settle(void)
{
    while (clk.deadline != CLOCK_NEVER) {
        clk.ticks = clk.deadline;
        clock_run(&clk);
    }
}

/* One request of three descriptors, from index 0 on.  returns: its status byte, 0xEE when it got none */
static u8 request(u32 type, u64 sector, u32 size)
{
    bool to_disk = type == OUT;

    set(HEAD, type, 8);
    set(HEAD + 8, sector, 8);
    set(RESULT, 0xEE, 1);
    descriptor(0, 0, HEAD, 16, F_NEXT, size != 0 ? 1 : 2);
    descriptor(0, 1, DATA, size, (u16)(F_NEXT | (to_disk ? 0 : F_WRITE)), 2);
    descriptor(0, 2, RESULT, 1, F_WRITE, 0);
    offer(0, 0);
    kick(0);
    settle();
    return (u8)get(RESULT, 1);
}

static void test_configuration(void **state)
{
    (void)state;
    assert_int_equal(config_get(0, 4), 0x10421AF4);
    place();
    assert_int_equal(get(DEVICE, 8), MEDIUM_BYTES / 512);
    set(COMMON, 0, 4);
    assert_int_equal(get(COMMON + 4, 4), FLUSH | BIT(6) | BIT(2) | BIT(1));
}

static void test_read_write(void **state)
{
    (void)state;
    start(1, FLUSH);
    assert_int_equal(request(IN, 3, 1024), 0);
    assert_int_equal(get(DATA, 4), 0x03030303);
    assert_int_equal(get(DATA + 512, 4), 0x04040404);
    assert_int_equal(used_bytes(0, 0), 1025);
    set(DATA, 0x55, 1);
    assert_int_equal(request(OUT, 7, 512), 0);
    assert_int_equal(bytes[7 * 512], 0x55);
    assert_int_equal(request(FLUSH_NOW, 0, 0), 0);
    assert_string_equal(order, "rwf");
}

static void test_write_through(void **state)
{
    (void)state;
    start(1, 0); /* the driver cannot flush */
    assert_int_equal(request(OUT, 0, 512), 0);
    assert_string_equal(order, "wf");
}

static void test_order(void **state)
{
    (void)state;
    start(1, FLUSH);
    for (unsigned i = 0; i < 2; i++) { /* a write and a flush, offered together */
        set(HEAD + 0x100 * i, i == 0 ? OUT : FLUSH_NOW, 8);
        set(HEAD + 0x100 * i + 8, 0, 8);
        descriptor(0, 4 * i, HEAD + 0x100 * i, 16, F_NEXT, (u16)(4 * i + (i == 0 ? 1 : 2)));
        descriptor(0, 4 * i + 1, DATA, 512, F_NEXT, (u16)(4 * i + 2));
        descriptor(0, 4 * i + 2, RESULT, 1, F_WRITE, 0);
        offer(0, (u16)(4 * i));
    }
    kick(0);
    assert_string_equal(order, ""); /* not within the driver's write to the register */
    settle();
    assert_string_equal(order, "wf");
    assert_int_equal(used(0), 2);
}

static void test_identity(void **state)
{
    char id[21] = "";

    (void)state;
    start(1, FLUSH);
    assert_int_equal(request(GET_ID, 0, 20), 0);
    physmem_read(pm, DATA, id, 20, INITIATOR_CPU0);
    assert_string_equal(id, "serial-1");
    assert_int_equal(request(GET_ID, 0, 5), 0);
}

static void test_refused(void **state)
{
    (void)state;
    start(1, FLUSH);
    assert_int_equal(request(IN, 8, 512), 1);
    assert_int_equal(request(IN, 7, 1024), 1);
    assert_int_equal(request(IN, ~0ull, 512), 1);
    assert_int_equal(request(IN, ~0ull / 512 + 1, 512), 1);
    assert_int_equal(request(IN, 0, 511), 1);
    assert_int_equal(request(OUT, 8, 512), 1);
    assert_int_equal(request(OUT, 0, 100), 1);
    assert_string_equal(order, "");
    assert_int_equal(request(0x1234, 0, 512), 2);
    broken = true;
    assert_int_equal(request(IN, 0, 512), 1);
    assert_int_equal(request(OUT, 0, 512), 1);
    assert_int_equal(request(FLUSH_NOW, 0, 0), 1);
}

static void test_read_only(void **state)
{
    (void)state;
    virtio_blk_free(blk);
    medium.read_only = true;
    blk = virtio_blk_new(&bus, SLOT, &irq, &clk, &medium, "");
    place();
    assert_true(get(COMMON + 4, 4) & BIT(5));
    start(1, FLUSH | BIT(5));
    assert_int_equal(request(OUT, 0, 512), 1);
    assert_int_equal(request(FLUSH_NOW, 0, 0), 0);
    assert_string_equal(order, "");
}

static void test_no_room(void **state)
{
    (void)state;
    start(1, FLUSH);
    descriptor(0, 0, HEAD, 15, F_NEXT, 2); /* a header that is cut */
    descriptor(0, 2, RESULT, 1, F_WRITE, 0);
    offer(0, 0);
    kick(0);
    settle();
    assert_true(status() & S_NEEDS_RESET);
    start(1, FLUSH);
    descriptor(0, 0, HEAD, 16, 0, 0); /* nowhere to write the status */
    offer(0, 0);
    kick(0);
    settle();
    assert_true(status() & S_NEEDS_RESET);
    start(1, FLUSH);
    kick(0); /* and a reset with a request under way */
    set(COMMON + 0x14, 0, 1);
    assert_int_equal(clk.deadline, CLOCK_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_through, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
