/* SPDX-License-Identifier: MIT
 * The virtio transport, its queues with rings that lie, and the entropy device.
 */
#include "unit/virtio_fixture.h"

#include "devices/virtio/virtio_rng.h"

static struct virtio_rng *rng;

static int setup(void **state)
{
    (void)state;
    bench_open();
    rng = virtio_rng_new(&bus, SLOT, &irq, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    virtio_rng_free(rng);
    bench_close();
    return 0;
}

/* ---- transport */

static void test_discovery(void **state)
{
    unsigned seen = 0;

    (void)state;
    assert_int_equal(config_get(0, 4), 0x10441AF4);
    assert_true(config_get(0x06, 2) & 0x10);
    for (unsigned at = config_get(0x34, 1), n = 0; at != 0 && n < 16; at = config_get(at + 1, 1), n++) {
        assert_int_equal(config_get(at, 1), 9);
        seen |= 1u << config_get(at + 3, 1);
    }
    assert_int_equal(seen, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 5); /* no device configuration */
    place();
    assert_int_equal(get(COMMON + 0x12, 2), 1); /* queues */
    assert_int_equal(get(COMMON + 0x18, 2), VIRTQ_SIZE_MAX);
    set(COMMON + 0x16, 1, 2);
    assert_int_equal(get(COMMON + 0x18, 2), 0); /* there is no second one */
    set(COMMON + 0x00, 1, 4);
    assert_int_equal(get(COMMON + 0x04, 4), 1); /* VERSION_1 */
}

static void test_features(void **state)
{
    (void)state;
    place();
    negotiate(0);
    assert_false(status() & S_FEATURES_OK); /* not without VERSION_1 */
    negotiate(VIRTIO_FEATURE_VERSION_1 | BIT(40));
    assert_false(status() & S_FEATURES_OK);
    negotiate(VIRTIO_FEATURE_VERSION_1);
    assert_true(status() & S_FEATURES_OK);
}

static void test_window(void **state)
{
    unsigned at = config_get(0x34, 1);

    (void)state;
    while (config_get(at + 3, 1) != 5)
        at = config_get(at + 1, 1);
    config_set(at + 4, 4, 1); /* without any BAR placed */
    config_set(at + 8, 0x14, 4);
    config_set(at + 12, 1, 4);
    config_set(at + 16, S_ACKNOWLEDGE, 4);
    assert_int_equal(config_get(at + 16, 1), S_ACKNOWLEDGE);
    config_set(at + 8, 0x12, 4);
    config_set(at + 12, 2, 4);
    assert_int_equal(config_get(at + 16, 2), 1);
    static const u32 absurd[][2] = {{0x4000, 4}, {0xFFFFFFFF, 1}, {0, 3}, {0, 0}, {2, 4}, {0x3FFE, 4}, {0, 0xFFFFFFFF}};
    for (unsigned i = 0; i < sizeof absurd / sizeof absurd[0]; i++) {
        config_set(at + 8, absurd[i][0], 4);
        config_set(at + 12, absurd[i][1], 4);
        config_set(at + 16, 0x55AA55AA, 4);
        assert_int_equal(config_get(at + 16, 4), 0x55AA55AA);
    }
}

static void test_interrupt(void **state)
{
    (void)state;
    start(1, 0);
    descriptor(0, 0, BUFFER, 16, F_WRITE, 0);
    offer(0, 0);
    kick(0);
    assert_int_equal(used(0), 1);
    assert_true(irq.level);
    assert_true(config_get(0x06, 2) & 8);
    config_set(0x04, 0x0406, 2); /* INTx off */
    assert_false(irq.level);
    config_set(0x04, 0x0006, 2);
    assert_true(irq.level);
    assert_int_equal(get(ISR, 1), 1);
    assert_false(irq.level);
    assert_int_equal(get(ISR, 1), 0);
    set(AVAIL(0), 1, 2); /* the driver does not want to hear */
    offer(0, 0);
    kick(0);
    assert_int_equal(used(0), 2);
    assert_false(irq.level);
}

static void test_needs_bus_master_and_driver(void **state)
{
    (void)state;
    start(1, 0);
    descriptor(0, 0, BUFFER, 16, F_WRITE, 0);
    offer(0, 0);
    config_set(0x04, 0x0002, 2);
    kick(0);
    assert_int_equal(used(0), 0);
    config_set(0x04, 0x0006, 2);
    set(COMMON + 0x14, 0, 1);
    kick(0);
    assert_int_equal(used(0), 0);
}

static void test_enabled_queue_is_fixed(void **state)
{
    (void)state;
    start(1, 0);
    set(COMMON + 0x16, 0, 2);
    set(COMMON + 0x18, 4, 2);
    set(COMMON + 0x20, 0xDEAD000, 8);
    set(COMMON + 0x1C, 0, 2);
    assert_int_equal(get(COMMON + 0x18, 2), QUEUE_SIZE);
    assert_int_equal(get(COMMON + 0x20, 8), DESC(0));
    assert_int_equal(get(COMMON + 0x1C, 2), 1);
    set(COMMON + 0x14, 0, 1);
    set(COMMON + 0x16, 0, 2);
    static const u32 sizes[] = {0, 3, 257, 512, 0xFFFF};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        set(COMMON + 0x18, sizes[i], 2);
        assert_int_equal(get(COMMON + 0x18, 2), VIRTQ_SIZE_MAX);
    }
}

/* ---- entropy */

static void fill(u8 *out, u32 size)
{
    start(1, 0);
    descriptor(0, 0, BUFFER, size / 2, F_WRITE | F_NEXT, 5);
    descriptor(0, 5, BUFFER + 0x1000, size - size / 2, F_WRITE, 0);
    offer(0, 0);
    kick(0);
    assert_int_equal(used(0), 1);
    assert_int_equal(used_bytes(0, 0), size);
    physmem_read(pm, BUFFER, out, size / 2, INITIATOR_CPU0);
    physmem_read(pm, BUFFER + 0x1000, out + size / 2, size - size / 2, INITIATOR_CPU0);
}

static void test_rng_repeats(void **state)
{
    u8 first[64], second[64], other[64];

    fill(first, sizeof first);
    teardown(state);
    setup(state);
    fill(second, sizeof second);
    assert_memory_equal(first, second, sizeof first);
    fill(other, sizeof other); /* goes on */
    assert_memory_not_equal(first, other, sizeof first);
    assert_memory_not_equal(first, first + 32, 32);
}

/* ---- rings that lie: each breaks one rule, and the device stops until it is reset */

static void looped(void)
{
    descriptor(0, 0, BUFFER, 16, F_WRITE | F_NEXT, 1);
    descriptor(0, 1, BUFFER, 16, F_WRITE | F_NEXT, 0);
}
static void points_at_itself(void) { descriptor(0, 0, BUFFER, 0, F_WRITE | F_NEXT, 0); }
static void next_outside(void) { descriptor(0, 0, BUFFER, 16, F_WRITE | F_NEXT, QUEUE_SIZE); }
static void head_outside(void) { set(AVAIL(0) + 4, 0xFFFF, 2); }
static void buffer_nowhere(void) { descriptor(0, 0, RAM_BYTES, 16, F_WRITE, 0); }
static void buffer_runs_out(void) { descriptor(0, 0, RAM_BYTES - 8, 16, F_WRITE, 0); }
static void buffer_wraps(void) { descriptor(0, 0, ~0ull - 7, 16, F_WRITE, 0); }
static void buffer_is_the_device(void) { descriptor(0, 0, COMMON, 16, F_WRITE, 0); }
static void too_long(void) { descriptor(0, 0, 0, 0xFFFFFFFF, F_WRITE, 0); }
static void too_long_together(void)
{
    for (unsigned i = 0; i < QUEUE_SIZE; i++)
        descriptor(0, i, 0x400000, 0x400000, (u16)(F_WRITE | (i + 1 < QUEUE_SIZE ? F_NEXT : 0)), (u16)(i + 1));
}
static void readable_behind_writable(void)
{
    descriptor(0, 0, BUFFER, 16, F_WRITE | F_NEXT, 1);
    descriptor(0, 1, BUFFER, 16, 0, 0);
}
static void indirect(void) { descriptor(0, 0, BUFFER, 16, F_INDIRECT, 0); }
static void too_many_available(void) { set(AVAIL(0) + 2, QUEUE_SIZE + 1, 2); }

static void test_lies(void **state)
{
    static void (*const lies[])(void) = {looped,
                                         points_at_itself,
                                         next_outside,
                                         head_outside,
                                         buffer_nowhere,
                                         buffer_runs_out,
                                         buffer_wraps,
                                         buffer_is_the_device,
                                         too_long,
                                         too_long_together,
                                         indirect,
                                         readable_behind_writable,
                                         too_many_available};

    (void)state;
    for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        start(1, 0);
        descriptor(0, 0, BUFFER, 16, F_WRITE, 0);
        offer(0, 0);
        lies[i]();
        kick(0);
        assert_true(status() & S_NEEDS_RESET);
        assert_int_equal(used(0), 0);
        assert_int_equal(get(ISR, 1), 2); /* a change of the configuration */
        descriptor(0, 0, BUFFER, 16, F_WRITE, 0);
        set(COMMON + 0x14, 0x0F, 1); /* only a reset helps */
        assert_true(status() & S_NEEDS_RESET);
        kick(0);
        assert_int_equal(used(0), 0);
        set(COMMON + 0x14, 0, 1);
        assert_int_equal(status(), 0);
    }
}

/* Rings outside memory, misaligned, or at the end of the address space. */
static void test_rings_anywhere(void **state)
{
    static const u64 places[] = {
        0xFFFFFFFFFFFFFFF0, 0xFFFFFFFFFFFFF000, RAM_BYTES, RAM_BYTES - 16, COMMON, 0xFEE00000, 1};

    (void)state;
    for (unsigned ring = 0; ring < 3; ring++)
        for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
            place();
            negotiate(VIRTIO_FEATURE_VERSION_1);
            set(COMMON + 0x16, 0, 2);
            set(COMMON + 0x20 + 8 * ring, places[i], 8);
            set_up_queue(1); /* of one queue there is no second: has no effect */
            set(COMMON + 0x16, 0, 2);
            for (unsigned other = 0; other < 3; other++)
                if (other != ring)
                    set(COMMON + 0x20 + 8 * other, DESC(0) + 0x1000 * other, 8);
            set(COMMON + 0x1C, 1, 2);
            set(COMMON + 0x14, 0x0F, 1);
            descriptor(0, 0, BUFFER, 16, F_WRITE, 0);
            set(AVAIL(0), 0x00010000, 4);
            kick(0);
            assert_true((status() & S_NEEDS_RESET) || used(0) == 1);
        }
}

static u64 random_state = 1;

static u64 draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Rings full of noise, and registers written at random: nothing is asserted but that the machine lives. */
static void test_noise(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        start(1, 0);
        for (unsigned i = 0; i < QUEUE_SIZE; i++)
            descriptor(0, i, draw() % 3 ? draw() % RAM_BYTES : draw(), (u32)(draw() % 3 ? draw() % 4096 : draw()),
                       (u16)(draw() % 8), (u16)(draw() % (QUEUE_SIZE + 1)));
        for (unsigned i = 0; i < QUEUE_SIZE; i++)
            offer(0, (u16)(draw() % (QUEUE_SIZE + 1)));
        for (unsigned i = 0; i < 8; i++) {
            set(BAR + draw() % 0x4000, draw(), 1u << draw() % 4);
            get(BAR + draw() % 0x4000, 1u << draw() % 4);
            config_set((unsigned)(draw() % 64 * 4), (u32)draw(), 4);
            kick(0);
        }
        config_set(0x04, 0, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_discovery, setup, teardown),
        cmocka_unit_test_setup_teardown(test_features, setup, teardown),
        cmocka_unit_test_setup_teardown(test_window, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interrupt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_needs_bus_master_and_driver, setup, teardown),
        cmocka_unit_test_setup_teardown(test_enabled_queue_is_fixed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rng_repeats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rings_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_noise, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
