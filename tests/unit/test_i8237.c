/* SPDX-License-Identifier: MIT
 * The DMA controllers: registers, transfers of bytes and words, and what a channel refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/i8237.h"

static struct ports *ports;
static struct physmem *memory;
static struct i8237 *dma;
static unsigned readied;

static void out(u16 port, u8 value) { ports_write(ports, port, value, 1, INITIATOR_CPU0); }
static u8 in(u16 port) { return (u8)ports_read(ports, port, 1, INITIATOR_CPU0); }

static int setup(void **state)
{
    struct error err;

    (void)state;
    ports = ports_new();
    memory = physmem_new(2 << 20, &err);
    dma = i8237_new(ports, memory);
    readied = 0;
    return memory == NULL;
}

static int teardown(void **state)
{
    (void)state;
    i8237_free(dma);
    physmem_free(memory);
    ports_free(ports);
    return 0;
}

static void on_ready(void *context)
{
    (void)context;
    readied++;
}

/* Channel 2: mode, page, address, transfers less one. */
static void program2(u8 mode, u8 page, u16 address, u16 count)
{
    out(0x0a, 6);
    out(0x0c, 0);
    out(0x0b, mode | 2);
    out(0x04, (u8)address), out(0x04, (u8)(address >> 8));
    out(0x05, (u8)count), out(0x05, (u8)(count >> 8));
    out(0x81, page);
    out(0x0a, 2);
}

static u8 memory_at(paddr_t paddr)
{
    u8 byte;

    physmem_read(memory, paddr, &byte, 1, INITIATOR_DEBUGGER);
    return byte;
}

static void registers(void **state)
{
    (void)state;
    assert_int_equal(in(0x0f), 0x0f);
    program2(0x44, 5, 0x1234, 511);
    assert_int_equal(i8237_channel(dma, 2).address, 0x51234);
    assert_int_equal(i8237_channel(dma, 2).bytes, 512);
    assert_int_equal(i8237_channel(dma, 2).mode, 0x44);
    assert_false(i8237_channel(dma, 2).masked);
    assert_int_equal(in(0x04), 0x34); /* low byte, then high */
    assert_int_equal(in(0x04), 0x12);
    assert_int_equal(in(0x05), 0xff);
    assert_int_equal(in(0x05), 0x01);
    assert_int_equal(in(0x0f), 0x0b);
    out(0x09, 4 | 3); /* a software request shows in the status */
    assert_int_equal(in(0x08), 0x80);
    out(0x0d, 0);
    assert_int_equal(in(0x08), 0);
    assert_int_equal(in(0x0f), 0x0f);
    out(0x0e, 0);
    assert_int_equal(in(0x0f), 0);
    out(0xd8, 0), out(0x8b, 0x13), out(0xc4, 0x01), out(0xc4, 0x80), out(0xc6, 0xff), out(0xc6, 0xff);
    assert_int_equal(i8237_channel(dma, 5).address, 0x130002); /* page bit 0 is not used */
    assert_int_equal(i8237_channel(dma, 5).bytes, 0x20000);
    out(0x80, 0x42);
    assert_int_equal(i8237_post_code(dma), 0x42);
}

static void device_to_memory(void **state)
{
    u8 bytes[6] = {1, 2, 3, 4, 5, 6};
    bool terminal;

    (void)state;
    program2(0x44, 5, 0x100, 5);
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, bytes, 4, &terminal), 4);
    assert_false(terminal);
    assert_int_equal(i8237_channel(dma, 2).address, 0x50104);
    assert_int_equal(i8237_channel(dma, 2).bytes, 2);
    assert_int_equal(in(0x08), 0);
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, bytes, 6, &terminal), 2);
    assert_true(terminal);
    assert_int_equal(memory_at(0x50103), 4);
    assert_int_equal(memory_at(0x50105), 2);
    assert_int_equal(memory_at(0x50106), 0);
    assert_true(i8237_channel(dma, 2).masked); /* at the terminal count */
    assert_int_equal(in(0x08), 0x04);
    assert_int_equal(in(0x08), 0); /* reading clears it */
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, bytes, 6, &terminal), 0);
    assert_false(terminal);
}

static void memory_to_device(void **state)
{
    u8 bytes[4] = {0};
    bool terminal;

    (void)state;
    physmem_write(memory, 0x70000, "\x11\x22\x33", 3, INITIATOR_LOADER);
    program2(0x48, 7, 0, 2);
    assert_int_equal(i8237_transfer(dma, 2, I8237_FROM_MEMORY, bytes, 4, &terminal), 3);
    assert_true(terminal);
    assert_memory_equal(bytes, "\x11\x22\x33\0", 4);
    program2(0x44, 7, 0, 2); /* programmed the other way round: memory stays, the device reads ones */
    assert_int_equal(i8237_transfer(dma, 2, I8237_FROM_MEMORY, bytes, 2, &terminal), 2);
    assert_memory_equal(bytes, "\xff\xff\x33", 3);
    program2(0x40, 7, 0, 2); /* verify */
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, bytes, 4, &terminal), 3);
    assert_true(terminal);
    assert_int_equal(memory_at(0x70000), 0x11);
}

static void address_wraps_and_descends(void **state)
{
    u8 bytes[4] = {1, 2, 3, 4};
    bool terminal;

    (void)state;
    program2(0x44, 3, 0xfffe, 3);
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, bytes, 4, &terminal), 4);
    assert_true(terminal);
    assert_int_equal(memory_at(0x3ffff), 2);
    assert_int_equal(memory_at(0x30000), 3); /* the page does not count */
    assert_int_equal(memory_at(0x40000), 0);
    program2(0x64, 3, 1, 3);
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, bytes, 4, &terminal), 4);
    assert_int_equal(memory_at(0x30001), 1);
    assert_int_equal(memory_at(0x30000), 2);
    assert_int_equal(memory_at(0x3ffff), 3);
}

static void autoinitialize(void **state)
{
    u8 bytes[4] = {1, 2, 3, 4};
    bool terminal;

    (void)state;
    program2(0x54, 1, 0x10, 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, bytes, 4, &terminal), 2);
        assert_true(terminal);
        assert_int_equal(i8237_channel(dma, 2).address, 0x10010);
        assert_false(i8237_channel(dma, 2).masked);
    }
}

static void words(void **state)
{
    u8 bytes[7] = {1, 2, 3, 4, 5, 6, 7};
    bool terminal;

    (void)state;
    out(0xd8, 0), out(0xd6, 0x45), out(0x8b, 0x05); /* channel 5, at 40000h + 2 * 8001h */
    out(0xc4, 0x01), out(0xc4, 0x80), out(0xc6, 7), out(0xc6, 0);
    out(0xd4, 1);
    assert_int_equal(i8237_transfer(dma, 5, I8237_TO_MEMORY, bytes, 7, &terminal), 6);
    assert_false(terminal);
    assert_int_equal(memory_at(0x50002), 1);
    assert_int_equal(memory_at(0x50007), 6);
    assert_int_equal(i8237_channel(dma, 5).bytes, 10);
    assert_int_equal(i8237_transfer(dma, 4, I8237_TO_MEMORY, bytes, 6, &terminal), 0); /* it only cascades */
}

static void who_is_served(void **state)
{
    u8 byte = 9;
    bool terminal;

    (void)state;
    i8237_attach(dma, 2, on_ready, NULL);
    program2(0x44, 1, 0, 0xff);
    assert_int_equal(readied, 0); /* nobody asks */
    out(0x0a, 6);
    i8237_request(dma, 2, true);
    assert_int_equal(in(0x08), 0x40);
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, &byte, 1, &terminal), 0);
    out(0x0a, 2);
    assert_int_equal(readied, 1);
    out(0x0a, 2);
    assert_int_equal(readied, 1); /* it could before */
    out(0xd4, 4);                 /* the cascade is closed */
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, &byte, 1, &terminal), 0);
    out(0xd4, 0);
    assert_int_equal(readied, 2);
    out(0x08, 4); /* the controller is disabled */
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, &byte, 1, &terminal), 0);
    out(0x08, 0);
    assert_int_equal(readied, 3);
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, &byte, 1, &terminal), 1);
    i8237_request(dma, 2, false);
    out(0x0f, 0x0f), out(0x0f, 0);
    assert_int_equal(readied, 3);
    out(0xda, 0); /* master clear: channel 4 is masked and every request with it */
    assert_int_equal(i8237_transfer(dma, 2, I8237_TO_MEMORY, &byte, 1, &terminal), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(registers, setup, teardown),
        cmocka_unit_test_setup_teardown(device_to_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_to_device, setup, teardown),
        cmocka_unit_test_setup_teardown(address_wraps_and_descends, setup, teardown),
        cmocka_unit_test_setup_teardown(autoinitialize, setup, teardown),
        cmocka_unit_test_setup_teardown(words, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_served, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
