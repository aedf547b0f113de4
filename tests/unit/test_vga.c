/* SPDX-License-Identifier: MIT
 * The VGA's registers, its memory with write and read modes, its beam, and the Bochs VBE registers.
 */
#include "vga_fixture.h"

static void planes_are(u32 offset, u8 p0, u8 p1, u8 p2, u8 p3)
{
    assert_int_equal(plane(0, offset), p0);
    assert_int_equal(plane(1, offset), p1);
    assert_int_equal(plane(2, offset), p2);
    assert_int_equal(plane(3, offset), p3);
}

static void before_a_mode_nothing_answers(void **unused)
{
    (void)unused;
    poke(0xB8000, 'x');
    assert_int_equal(peek(0xB8000), 0xFF); /* RAM enable is off */
    assert_int_equal(in(0x3D4), 0xFF);     /* the CRT controller is at 3B4h */
    assert_int_equal(in(0x3B4), 0);
    assert_int_equal(in(0x3CC), 0);
}

static void registers_keep_what_they_have(void **unused)
{
    (void)unused;
    set_mode(&mode_text);
    out(0x3D4, 0x13);
    assert_int_equal(in(0x3D5), 0x28);
    out16(0x3D4, 0x1E0F); /* index and data at once */
    assert_int_equal(in(0x3D5), 0x1E);
    assert_int_equal(in(0x3B5), 0xFF);
    out(0x3D4, 0x3F); /* no such register */
    out(0x3D5, 0x55);
    assert_int_equal(in(0x3D5), 0);
    in(0x3DA);
    out(0x3C0, 0x30);
    assert_int_equal(in(0x3C1), 0x0C);
    assert_int_equal(in(0x3C0), 0x30);
    out(0x3C0, 0x04);
    in(0x3DA);
    out(0x3C0, 0x3F); /* no such register */
    out(0x3C0, 0xAA);
    assert_int_equal(in(0x3C1), 0);
    gfx(15, 0x77);
    assert_int_equal(in(0x3CF), 0);
}

static void locked_timing_keeps_all_but_line_compare(void **unused)
{
    (void)unused;
    set_mode(&mode_text); /* sets the lock: 8Eh in register 11h */
    crtc(0x00, 0x11);
    crtc(0x07, 0x00);
    out(0x3D4, 0x00);
    assert_int_equal(in(0x3D5), 0x5F);
    out(0x3D4, 0x07);
    assert_int_equal(in(0x3D5), 0x0F);
}

static void dac_counts_components(void **unused)
{
    (void)unused;
    set_mode(&mode_text);
    out(0x3C8, 7);
    assert_int_equal(in(0x3C7), 0);
    out(0x3C9, 0xFF), out(0x3C9, 2), out(0x3C9, 3);
    assert_int_equal(in(0x3C8), 8);
    out(0x3C9, 9); /* an unfinished colour changes nothing */
    out(0x3C7, 7);
    assert_int_equal(in(0x3C7), 3);
    assert_int_equal(in(0x3C9), 0x3F);
    assert_int_equal(in(0x3C9), 2);
    assert_int_equal(in(0x3C9), 3);
    assert_int_equal(in(0x3C9), 8);
    out(0x3C7, 255);
    for (unsigned i = 0; i < 4; i++)
        in(0x3C9);
    assert_int_equal(in(0x3C9), 255 & 63); /* green of colour 0: the index wraps */
}

static void text_goes_to_two_planes(void **unused)
{
    (void)unused;
    set_mode(&mode_text);
    poke(0xB8000, 'A'), poke(0xB8001, 0x1F), poke(0xB8002, 'B');
    planes_are(0, 'A', 0x1F, 0, 0);
    planes_are(2, 'B', 0, 0, 0);
    assert_int_equal(peek(0xB8000), 'A');
    assert_int_equal(peek(0xB8001), 0x1F);
    assert_int_equal(peek(0xA0000), 0xFF); /* only 32 KiB are mapped */
    assert_int_equal(peek(0xB7FFF), 0xFF);
}

static void font_goes_to_plane_2(void **unused)
{
    (void)unused;
    set_mode(&mode_text);
    seq(2, 4), seq(4, 7), gfx(5, 0), gfx(6, 0), gfx(4, 2);
    poke(0xA0000 + 'A' * 32 + 1, 0x18);
    planes_are('A' * 32 + 1, 0, 0, 0x18, 0);
    assert_int_equal(peek(0xA0000 + 'A' * 32 + 1), 0x18);
}

static void write_mode_0(void **unused)
{
    (void)unused;
    set_mode(&mode_planar);
    seq(2, 0x5); /* planes 0 and 2 */
    poke(0xA0010, 0xC3);
    planes_are(0x10, 0xC3, 0, 0xC3, 0);
    seq(2, 0xF);
    gfx(3, 4); /* rotated right by four */
    poke(0xA0010, 0x12);
    planes_are(0x10, 0x21, 0x21, 0x21, 0x21);
    gfx(3, 0), gfx(0, 0x2), gfx(1, 0x3); /* plane 0 cleared, plane 1 set, 2 and 3 from the processor */
    poke(0xA0010, 0x55);
    planes_are(0x10, 0x00, 0xFF, 0x55, 0x55);
    gfx(1, 0), gfx(8, 0x0F); /* the upper half from the latches */
    peek(0xA0010);
    poke(0xA0011, 0xAA);
    planes_are(0x11, 0x0A, 0xFA, 0x5A, 0x5A);
}

static void functions_with_the_latches(void **unused)
{
    (void)unused;
    static const u8 expected[4] = {0x3C, 0x0C, 0x3F, 0x33};

    set_mode(&mode_planar);
    for (u8 f = 0; f < 4; f++) {
        gfx(3, 0);
        poke(0xA0000, 0x0F);
        peek(0xA0000);
        gfx(3, (u8)(f << 3));
        poke(0xA0001, 0x3C);
        assert_int_equal(plane(3, 1), expected[f]);
    }
}

static void write_modes_1_to_3(void **unused)
{
    (void)unused;
    set_mode(&mode_planar);
    for (unsigned p = 0; p < 4; p++)
        seq(2, (u8)(1 << p)), poke(0xA0000, (u8)(0x11 * (p + 1)));
    seq(2, 0xF);
    gfx(5, 1); /* the latches, whatever the processor writes */
    peek(0xA0000);
    poke(0xA0040, 0xFF);
    planes_are(0x40, 0x11, 0x22, 0x33, 0x44);
    gfx(5, 2), gfx(8, 0xF0); /* a colour, under the bit mask */
    peek(0xA0000);
    poke(0xA0041, 0x9);
    planes_are(0x41, 0xF1, 0x02, 0x03, 0xF4);
    gfx(5, 3), gfx(8, 0x3C), gfx(0, 0x4); /* set/reset where data and mask both are */
    peek(0xA0000);
    poke(0xA0042, 0x0F);
    planes_are(0x42, 0x11, 0x22, 0x3F, 0x40);
}

static void read_mode_1_compares_colors(void **unused)
{
    (void)unused;
    set_mode(&mode_planar);
    seq(2, 1), poke(0xA0000, 0xF0);
    seq(2, 2), poke(0xA0000, 0xCC);
    gfx(5, 8), gfx(2, 0x1), gfx(7, 0xF);
    assert_int_equal(peek(0xA0000), 0x30); /* colour 1: plane 0 set, plane 1 clear */
    gfx(7, 0x1);
    assert_int_equal(peek(0xA0000), 0xF0);
    gfx(7, 0);
    assert_int_equal(peek(0xA0000), 0xFF);
    gfx(5, 0), gfx(4, 1);
    assert_int_equal(peek(0xA0000), 0xCC);
}

static void chain_4_and_unchained(void **unused)
{
    (void)unused;
    set_mode(&mode_256);
    for (unsigned i = 0; i < 8; i++)
        poke(0xA0000 + i, (u8)(0x10 + i));
    planes_are(0, 0x10, 0x11, 0x12, 0x13);
    planes_are(4, 0x14, 0x15, 0x16, 0x17);
    assert_int_equal(peek(0xA0006), 0x16);
    seq(4, 6);
    seq(2, 0x8);
    poke(0xA0001, 0x99); /* unchained: consecutive addresses, planes by the mask */
    planes_are(1, 0, 0, 0, 0x99);
}

static void wide_accesses_go_byte_by_byte(void **unused)
{
    u64 value = 0x0807060504030201;

    (void)unused;
    set_mode(&mode_256);
    physmem_write(pm, 0xA0000, &value, 8, INITIATOR_CPU0);
    planes_are(4, 5, 6, 7, 8);
    value = 0;
    physmem_read(pm, 0xA0002, &value, 4, INITIATOR_CPU0);
    assert_int_equal(value, 0x06050403);
    value = 0;
    physmem_write(pm, 0xAFFFE, &value, 4, INITIATOR_CPU0); /* over the end of the map */
    physmem_read(pm, 0xBFFF9, &value, 8, INITIATOR_CPU0);
}

static void retrace_comes_seventy_times_a_second(void **unused)
{
    unsigned edges = 0, retrace = 0, samples = 0;
    bool before = false;

    (void)unused;
    set_mode(&mode_text);
    for (clk.ticks = 0; clk.ticks < TICKS_PER_SECOND; clk.ticks += 20000, samples++) {
        u8 status = in(0x3DA);

        edges += (status & 8) && !before;
        before = (status & 8) != 0;
        retrace += before;
        assert_true(!before || (status & 1));
    }
    assert_in_range(edges, 70, 71);
    assert_in_range(retrace, samples * 2 / 449 - 60, samples * 2 / 449 + 60); /* two lines of 449 */
}

static void any_timing_is_survived(void **unused)
{
    (void)unused;
    out(0x3C2, 0xFF);
    for (unsigned value = 0; value < 256; value++) {
        crtc(0x11, 0);
        for (u8 i = 0; i < 25; i++)
            crtc(i, (u8)(value * (i + 3)));
        crtc(0x11, 0);
        crtc(0x00, (u8)value);
        clk.ticks += 123456789;
        in(0x3DA);
    }
}

static void vbe_identifies_itself(void **unused)
{
    (void)unused;
    assert_int_equal(vbe_get(VBE_ID), 0xB0C5);
    vbe(VBE_ID, 0xB0C0);
    assert_int_equal(vbe_get(VBE_ID), 0xB0C0);
    vbe(VBE_ID, 0xB0C6);
    assert_int_equal(vbe_get(VBE_ID), 0xB0C0);
    assert_int_equal(vbe_get(VBE_MEMORY_64K), 64);
    vbe(VBE_ENABLE, VBE_GETCAPS);
    assert_int_equal(vbe_get(VBE_XRES), 2560);
    assert_int_equal(vbe_get(VBE_BPP), 32);
    assert_int_equal(vbe_get(200), 0);
    vbe(200, 1);
    out16(0x1CE, VBE_ID); /* the data port of other processors */
    assert_int_equal(in16(0x1D0), 0xB0C0);
}

static void vbe_modes_and_banks(void **unused)
{
    (void)unused;
    set_mode(&mode_256);
    vbe(VBE_XRES, 800), vbe(VBE_YRES, 600), vbe(VBE_BPP, 8);
    state->vram[70000] = 7;
    vbe(VBE_ENABLE, VBE_ENABLED);
    assert_int_equal(state->vram[70000], 0); /* cleared */
    assert_int_equal(vbe_get(VBE_VIRT_WIDTH), 800);
    assert_int_equal(vbe_get(VBE_VIRT_HEIGHT), (4 << 20) / 800);
    vbe(VBE_BANK, 1);
    poke(0xA0003, 0x42);
    assert_int_equal(state->vram[0x10003], 0x42);
    assert_int_equal(peek(0xA0003), 0x42);
    vbe(VBE_BANK, 64); /* past the memory */
    assert_int_equal(vbe_get(VBE_BANK), 1);
    vbe(VBE_XRES, 640); /* not while it is on */
    assert_int_equal(vbe_get(VBE_XRES), 800);
    vbe(VBE_VIRT_WIDTH, 1024);
    assert_int_equal(vbe_get(VBE_VIRT_WIDTH), 1024);
    vbe(VBE_VIRT_WIDTH, 0xFFFF); /* 600 lines of that are more than 4 MiB */
    assert_int_equal(vbe_get(VBE_VIRT_WIDTH), 800);
    vbe(VBE_ENABLE, VBE_ENABLED | VBE_NO_CLEAR);
    assert_int_equal(state->vram[0x10003], 0x42);
}

static void vbe_refuses_what_does_not_fit(void **unused)
{
    (void)unused;
    vbe(VBE_XRES, 2561), vbe(VBE_YRES, 1601), vbe(VBE_BPP, 17);
    assert_int_equal(vbe_get(VBE_XRES), 0);
    assert_int_equal(vbe_get(VBE_YRES), 0);
    assert_int_equal(vbe_get(VBE_BPP), 8);
    vbe(VBE_ENABLE, VBE_ENABLED); /* no size */
    assert_int_equal(vbe_get(VBE_ENABLE), 0);
    vbe(VBE_XRES, 2560), vbe(VBE_YRES, 1600), vbe(VBE_BPP, 32);
    vbe(VBE_ENABLE, VBE_ENABLED | VBE_LFB); /* 16 MiB in 4 */
    assert_int_equal(vbe_get(VBE_ENABLE), VBE_LFB);
}

static void vbe_planar_modes_have_banks_of_planes(void **unused)
{
    (void)unused;
    set_mode(&mode_planar);
    vbe(VBE_XRES, 1024), vbe(VBE_YRES, 768), vbe(VBE_BPP, 4), vbe(VBE_ENABLE, VBE_ENABLED);
    vbe(VBE_BANK, 1);
    seq(2, 0x3);
    poke(0xA0005, 0x81);
    planes_are(0x10005, 0x81, 0x81, 0, 0);
    vbe(VBE_BANK, 16); /* 4 MiB are 16 banks of four planes */
    assert_int_equal(vbe_get(VBE_BANK), 1);
}

static void framebuffer_is_bytes(void **unused)
{
    (void)unused;
    vga_framebuffer_ops.write(vga, 0x1234, 0x11223344, 4, INITIATOR_CPU0);
    assert_int_equal(state->vram[0x1235], 0x33);
    assert_int_equal(vga_framebuffer_ops.read(vga, 0x1236, 2, INITIATOR_CPU0), 0x1122);
    vga_framebuffer_ops.write(vga, (4u << 20) - 2, ~0ull, 4, INITIATOR_CPU0);
    assert_int_equal(vga_framebuffer_ops.read(vga, (4u << 20) - 2, 4, INITIATOR_CPU0), ~0ull);
    assert_int_equal(state->vram[(4u << 20) - 1], 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, vga_setup, vga_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(before_a_mode_nothing_answers),
        CASE(registers_keep_what_they_have),
        CASE(locked_timing_keeps_all_but_line_compare),
        CASE(dac_counts_components),
        CASE(text_goes_to_two_planes),
        CASE(font_goes_to_plane_2),
        CASE(write_mode_0),
        CASE(functions_with_the_latches),
        CASE(write_modes_1_to_3),
        CASE(read_mode_1_compares_colors),
        CASE(chain_4_and_unchained),
        CASE(wide_accesses_go_byte_by_byte),
        CASE(retrace_comes_seventy_times_a_second),
        CASE(any_timing_is_survived),
        CASE(vbe_identifies_itself),
        CASE(vbe_modes_and_banks),
        CASE(vbe_refuses_what_does_not_fit),
        CASE(vbe_planar_modes_have_banks_of_planes),
        CASE(framebuffer_is_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
