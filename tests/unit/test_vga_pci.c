/* SPDX-License-Identifier: MIT
 * The VGA as a PCI function: framebuffer, registers in memory, expansion ROM; and the mode that it starts in without
 * firmware.
 */
#include "vga_fixture.h"

#include "devices/pci_host.h"
#include "devices/vga_pci.h"
#include "display/render.h"
#include "display/text_screen.h"

#define FRAMEBUFFER 0xE0000000u
#define REGISTERS 0xE8000000u
#define ROM 0xE9000000u

static struct pci_host *host;
static struct vga_pci *pci;

static u32 config_read(unsigned offset)
{
    ports_write(ports, 0xCF8, 0x80001000 | offset, 4, INITIATOR_CPU0);
    return ports_read(ports, 0xCFC, 4, INITIATOR_CPU0);
}

static void config_write(unsigned offset, u32 value)
{
    ports_write(ports, 0xCF8, 0x80001000 | offset, 4, INITIATOR_CPU0);
    ports_write(ports, 0xCFC, value, 4, INITIATOR_CPU0);
}

static u64 memory(paddr_t at, unsigned size)
{
    u64 value = 0;

    physmem_read(pm, at, &value, size, INITIATOR_CPU0);
    return value;
}

static void store(paddr_t at, u64 value, unsigned size) { physmem_write(pm, at, &value, size, INITIATOR_CPU0); }

static int setup(void **unused)
{
    static const u8 rom[5000] = {0x55, 0xAA, 10, [4999] = 0x77};

    vga_setup(unused);
    host = pci_host_new(ports, pm);
    pci = vga_pci_new(host, 2, pm, vga, rom, sizeof rom);
    return 0;
}

static int teardown(void **unused)
{
    vga_pci_free(pci);
    pci_host_free(host);
    return vga_teardown(unused);
}

static void place(void)
{
    config_write(0x10, FRAMEBUFFER);
    config_write(0x18, REGISTERS);
    config_write(0x30, ROM | 1);
    config_write(0x04, 3);
}

static void it_is_a_vga(void **unused)
{
    (void)unused;
    assert_int_equal(config_read(0x00), 0x11111234);
    assert_int_equal(config_read(0x08) >> 8, 0x030000);
    assert_int_equal(config_read(0x3C) >> 8 & 0xFF, 0); /* no interrupt pin */
    config_write(0x10, ~0u), config_write(0x14, ~0u), config_write(0x18, ~0u), config_write(0x30, ~0u);
    assert_int_equal(config_read(0x10), 0xFFC00008); /* 4 MiB, prefetchable */
    assert_int_equal(config_read(0x14), 0);
    assert_int_equal(config_read(0x18), 0xFFFFF000);
    assert_int_equal(config_read(0x30), 0xFFFFE001);
}

static void framebuffer_follows_its_register(void **unused)
{
    (void)unused;
    place();
    store(FRAMEBUFFER + 16, 0x0102030405060708, 8);
    assert_int_equal(state->vram[16], 8);
    config_write(0x10, FRAMEBUFFER + (4u << 20));
    assert_int_equal(memory(FRAMEBUFFER + 16, 4), 0xFFFFFFFF);
    assert_int_equal(memory(FRAMEBUFFER + (4u << 20) + 16, 1), 8);
    config_write(0x04, 1);
    assert_int_equal(memory(FRAMEBUFFER + (4u << 20) + 16, 1), 0xFF);
}

static void registers_in_memory(void **unused)
{
    (void)unused;
    place();
    store(REGISTERS + 0x402, 0x67, 1); /* 3C2h */
    assert_int_equal(in(0x3CC), 0x67);
    store(REGISTERS + 0x404, 0x0302, 2); /* sequencer: index and data */
    assert_int_equal(memory(REGISTERS + 0x405, 1), 3);
    assert_int_equal(memory(REGISTERS + 0x500, 2), 0xB0C5);
    store(REGISTERS + 0x502, 1024, 2), store(REGISTERS + 0x504, 0x00200300, 4); /* 768 lines of 32 bits */
    assert_int_equal(vbe_get(VBE_XRES), 1024);
    assert_int_equal(vbe_get(VBE_YRES), 768);
    assert_int_equal(vbe_get(VBE_BPP), 32);
    store(REGISTERS + 0x502, 99, 1); /* half a register */
    assert_int_equal(vbe_get(VBE_XRES), 1024);
    assert_int_equal(memory(REGISTERS + 0x600, 4), 0);
    assert_int_equal(memory(REGISTERS, 4), 0xFFFFFFFF); /* no EDID */
    for (unsigned at = 0; at < 0x1000; at += 4)
        store(REGISTERS + at, at * 0x9E3779B1u, 4), memory(REGISTERS + at, 8);
}

static void rom_is_enabled_by_its_own_bit(void **unused)
{
    (void)unused;
    place();
    assert_int_equal(memory(ROM, 2), 0xAA55);
    assert_int_equal(memory(ROM + 4999, 2), 0xFF77);
    store(ROM, 0, 2);
    assert_int_equal(memory(ROM, 2), 0xAA55);
    config_write(0x30, ROM);
    assert_int_equal(memory(ROM, 2), 0xFFFF);
}

static void preset_text_shows_text(void **unused)
{
    struct picture picture = {0};
    struct text_screen screen;
    u8 font[VGA_FONT_BYTES] = {0};

    (void)unused;
    font['#' * 16 + 5] = 0xFF;
    vga_preset_text(vga, font);
    assert_int_equal(peek(0xB8000 + 3998), ' ');
    poke(0xB8000 + 162, '#'), poke(0xB8001 + 162, 0x4E);
    assert_true(text_screen_of(&screen, state));
    assert_int_equal(screen.columns * screen.rows, 80 * 25);
    assert_int_equal(text_screen_at(state, 1, 1).code, '#');
    render_screen(&picture, state, (struct render_phase){0});
    assert_memory_equal(picture_at(&picture, 9, 21), "\xFF\xFF\x55", 3); /* yellow, 63 63 21 of 63 */
    assert_memory_equal(picture_at(&picture, 9, 20), "\xAA\x00\x00", 3); /* on red */
    picture_free(&picture);
    vga_preset_text(vga, NULL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_is_a_vga),
        CASE(framebuffer_follows_its_register),
        CASE(registers_in_memory),
        CASE(rom_is_enabled_by_its_own_bit),
        CASE(preset_text_shows_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
