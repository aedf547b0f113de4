/* SPDX-License-Identifier: MIT
 * virtio-net: frames out, and the stream of frames in.
 */
#include "unit/virtio_fixture.h"

#include "devices/virtio/virtio_net.h"

#define HEADER 12u
enum { RX, TX };

static struct virtio_net *net;
static u8 sent[2048];
static size_t sent_size;
static unsigned sent_count;

static void on_send(void *context, const u8 *frame, size_t size)
{
    (void)context;
    sent_count++;
    sent_size = size;
    memcpy(sent, frame, size < sizeof sent ? size : sizeof sent);
}

static int setup(void **state)
{
    static const u8 address[] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    (void)state;
    bench_open();
    sent_count = 0;
    net = virtio_net_new(&bus, SLOT, &irq, address, on_send, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    virtio_net_free(net);
    bench_close();
    return 0;
}

static void test_configuration(void **state)
{
    (void)state;
    assert_int_equal(config_get(0, 4), 0x10411AF4);
    place();
    assert_int_equal(get(DEVICE, 8), 0x0001563412005452);
    assert_int_equal(get(DEVICE + 6, 2), 1);
    assert_int_equal(get(DEVICE + 8, 4), 0);
    assert_int_equal(get(COMMON + 0x12, 2), 2);
}

static void test_transmit(void **state)
{
    (void)state;
    start(2, BIT(5));
    set(BUFFER + HEADER, 0x1122334455667788, 8);
    set(BUFFER + 0x1000, 0x99, 1);
    descriptor(TX, 0, BUFFER, HEADER + 8, F_NEXT, 1);
    descriptor(TX, 1, BUFFER + 0x1000, 1, 0, 0);
    offer(TX, 0);
    kick(TX);
    assert_int_equal(used(TX), 1);
    assert_int_equal(sent_count, 1);
    assert_int_equal(sent_size, 9);
    assert_memory_equal(sent, "\x88\x77\x66\x55\x44\x33\x22\x11\x99", 9);
}

static void test_transmit_absurd(void **state)
{
    (void)state;
    start(2, 0);
    descriptor(TX, 0, BUFFER, HEADER, 0, 0); /* nothing in it */
    offer(TX, 0);
    descriptor(TX, 1, BUFFER, HEADER + NET_FRAME_MAX + 1, 0, 0);
    offer(TX, 1);
    kick(TX);
    assert_int_equal(used(TX), 2);
    assert_int_equal(sent_count, 0);
    descriptor(TX, 2, BUFFER, HEADER - 1, 0, 0);
    offer(TX, 2);
    kick(TX);
    assert_true(status() & S_NEEDS_RESET);
    assert_int_equal(used(TX), 2);
}

static void test_receive(void **state)
{
    static const u8 stream[] = {3, 0, 'a', 'b', 'c', 2, 0, 'd', 'e', 4, 0, 'f'};

    (void)state;
    start(2, 0);
    assert_int_equal(virtio_net_receive(net, stream, sizeof stream), 0); /* no buffers: they wait */
    descriptor(RX, 0, BUFFER, 10, F_WRITE | F_NEXT, 1);
    descriptor(RX, 1, BUFFER + 0x1000, 100, F_WRITE, 0);
    offer(RX, 0);
    kick(RX);
    assert_int_equal(virtio_net_receive(net, stream, sizeof stream), 5);
    assert_int_equal(used_bytes(RX, 0), HEADER + 3);
    assert_int_equal(get(BUFFER, 8), 0);
    assert_int_equal(get(BUFFER + 0x1000, 4), 0x62610001); /* one buffer; the frame */
    assert_true(irq.level);
    descriptor(RX, 2, BUFFER, 100, F_WRITE, 0);
    offer(RX, 2);
    offer(RX, 0);
    assert_int_equal(virtio_net_receive(net, stream + 5, sizeof stream - 5), 4); /* the last one is not whole yet */
    assert_int_equal(used(RX), 2);
}

static void test_receive_too_short(void **state)
{
    static const u8 stream[] = {3, 0, 'a', 'b', 'c', 1, 0, 'd'};

    (void)state;
    start(2, 0);
    descriptor(RX, 0, BUFFER, HEADER + 2, F_WRITE, 0);
    offer(RX, 0);
    assert_int_equal(virtio_net_receive(net, stream, sizeof stream), sizeof stream);
    assert_int_equal(used(RX), 1); /* the first was dropped, its buffer took the second */
    assert_int_equal(used_bytes(RX, 0), HEADER + 1);
}

static void test_receive_without_driver(void **state)
{
    static const u8 stream[] = {1, 0, 'a', 0, 0};

    (void)state;
    assert_int_equal(virtio_net_receive(net, stream, sizeof stream), sizeof stream);
    start(2, 0);
    descriptor(RX, 0, BUFFER, 100, 0, 0); /* readable: no room in it */
    offer(RX, 0);
    assert_int_equal(virtio_net_receive(net, stream, sizeof stream), sizeof stream);
    descriptor(RX, 0, RAM_BYTES, 100, F_WRITE, 0);
    assert_int_equal(virtio_net_receive(net, stream, sizeof stream), sizeof stream);
    assert_true(status() & S_NEEDS_RESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_transmit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_transmit_absurd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_receive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_receive_too_short, setup, teardown),
        cmocka_unit_test_setup_teardown(test_receive_without_driver, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
