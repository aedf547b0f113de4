/* SPDX-License-Identifier: MIT
 * What a VGA's state looks like: text with the guest's font, graphics, VBE; PNG files; the screen as text.
 */
#include "vga_fixture.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "display/render.h"
#include "display/text_screen.h"

static struct picture picture;
static const struct render_phase everything = {.cursor = true, .text = true};

static void render(void) { render_screen(&picture, state, everything); }

/* The colour that set_mode() gives DAC entry i, as the screen shows it. */
static void pixel_is(unsigned x, unsigned y, unsigned i)
{
    const u8 *rgb = picture_at(&picture, x, y);
    unsigned parts[3] = {i & 63, (255 - i) & 63, 3 * i & 63};

    for (unsigned k = 0; k < 3; k++)
        assert_int_equal(rgb[k], parts[k] << 2 | parts[k] >> 4);
}

static void rgb_is(unsigned x, unsigned y, u8 r, u8 g, u8 b)
{
    const u8 *rgb = picture_at(&picture, x, y);

    assert_int_equal(rgb[0], r);
    assert_int_equal(rgb[1], g);
    assert_int_equal(rgb[2], b);
}

/* Put one line of a glyph into the guest's font, map 0, or map 1. */
static void glyph(unsigned map, u8 code, unsigned line, u8 dots)
{
    state->vram[(map * 0x4000 + code * 32u + line) * 4 + 2] = dots;
}

static void cell(unsigned column, unsigned row, u8 code, u8 attribute)
{
    poke(0xB8000 + (row * 80 + column) * 2, code);
    poke(0xB8001 + (row * 80 + column) * 2, attribute);
}

static int display_teardown(void **unused)
{
    picture_free(&picture);
    return vga_teardown(unused);
}

static void no_mode_is_black(void **unused)
{
    (void)unused;
    render();
    assert_int_equal(picture.width, 640);
    assert_int_equal(picture.height, 480);
    rgb_is(0, 0, 0, 0, 0);
}

static void text_has_the_guests_font(void **unused)
{
    (void)unused;
    set_mode(&mode_text);
    crtc(0x0A, 0x20); /* no cursor */
    glyph(0, 'A', 3, 0x81);
    cell(2, 1, 'A', 0x1E);
    render();
    assert_int_equal(picture.width, 720);
    assert_int_equal(picture.height, 400);
    pixel_is(18, 16 + 3, 14);
    pixel_is(19, 16 + 3, 1);
    pixel_is(25, 16 + 3, 14);
    pixel_is(26, 16 + 3, 1); /* the ninth dot */
    pixel_is(18, 16 + 4, 1);
    pixel_is(17, 16 + 3, 0);
}

static void box_drawing_fills_the_ninth_dot(void **unused)
{
    (void)unused;
    set_mode(&mode_text);
    glyph(0, 0xC4, 7, 0xFF), glyph(0, 0xBF, 7, 0xFF);
    cell(0, 2, 0xC4, 7), cell(1, 2, 0xBF, 7);
    render();
    pixel_is(8, 32 + 7, 7);
    pixel_is(17, 32 + 7, 0);
}

static void two_fonts_by_bit_3(void **unused)
{
    (void)unused;
    set_mode(&mode_text);
    seq(3, 0x04); /* map A (bit 3 set): 1; map B: 0 */
    glyph(0, 'x', 0, 0x80), glyph(1, 'x', 0, 0x40);
    cell(0, 3, 'x', 0x07), cell(1, 3, 'x', 0x0F);
    render();
    pixel_is(0, 48, 7);
    pixel_is(9, 48, 0);
    pixel_is(10, 48, 15);
}

static void cursor_and_blinking_have_phases(void **unused)
{
    (void)unused;
    set_mode(&mode_text);
    crtc(0x0E, 0), crtc(0x0F, 81);
    glyph(0, 'b', 0, 0x80);
    cell(1, 1, ' ', 0x07), cell(0, 2, 'b', 0x97);
    render();
    pixel_is(9, 16 + 13, 7);
    pixel_is(9, 16 + 12, 0);
    pixel_is(0, 32, 7);
    pixel_is(1, 32, 1); /* bit 7 blinks: it is no colour */
    render_screen(&picture, state, (struct render_phase){0});
    pixel_is(9, 16 + 13, 0);
    pixel_is(0, 32, 1);
    attr(0x10, 0x04);
    render();
    pixel_is(1, 32, 9);
}

static void start_pan_and_split(void **unused)
{
    (void)unused;
    set_mode(&mode_text);
    crtc(0x0A, 0x20);
    glyph(0, 's', 0, 0xFF);
    cell(0, 0, 's', 1), cell(0, 5, 's', 2), cell(1, 5, ' ', 0x40);
    crtc(0x0D, 0x90), crtc(0x0C, 0x01); /* row 5 first */
    render();
    pixel_is(7, 0, 2);
    attr(0x13, 2); /* three dots to the left */
    render();
    pixel_is(4, 0, 2);
    pixel_is(6, 0, 4);
    crtc(0x11, 0), crtc(0x18, 99), crtc(0x07, 0x0F), crtc(0x09, 0x0F); /* from line 100: address 0 */
    render();
    pixel_is(4, 100, 1);
    pixel_is(5, 100, 0); /* panned too */
    attr(0x10, 0x2C);
    render();
    pixel_is(6, 100, 1); /* the register counts as 0, which is one dot */
    pixel_is(7, 100, 0);
    pixel_is(4, 0, 2);
}

static void planar_graphics(void **unused)
{
    (void)unused;
    set_mode(&mode_planar);
    seq(2, 0x5), poke(0xA0000 + 80 * 479 + 79, 0x01);
    render();
    assert_int_equal(picture.width, 640);
    assert_int_equal(picture.height, 480);
    pixel_is(639, 479, 5);
    pixel_is(638, 479, 0);
    attr(0x12, 0x4); /* plane 0 is not shown */
    render();
    pixel_is(639, 479, 4);
    attr(0x10, 0x81), attr(0x14, 0x0E); /* bits 4 to 7 from the colour select register */
    render();
    pixel_is(639, 479, 0xE4);
}

static void bytes_chained_and_not(void **unused)
{
    (void)unused;
    set_mode(&mode_256);
    poke(0xA0000 + 320 * 199 + 318, 200);
    render();
    assert_int_equal(picture.width, 320);
    assert_int_equal(picture.height, 200);
    pixel_is(318, 199, 200);
    pixel_is(317, 199, 0);
    out(0x3C6, 0x0F);
    render();
    pixel_is(318, 199, 8);
    out(0x3C6, 0xFF);
    seq(4, 6), crtc(0x14, 0), crtc(0x17, 0xE3); /* unchained, byte addresses */
    seq(2, 4), poke(0xA0000 + 80 * 3 + 1, 77);
    render();
    pixel_is(6, 3, 77);
}

static void cga_modes(void **unused)
{
    (void)unused;
    set_mode(&mode_256); /* the same timing */
    gfx(5, 0x30), gfx(6, 0x0F), seq(4, 2), seq(2, 3), seq(1, 9);
    crtc(0x11, 0), crtc(0x01, 39), crtc(0x13, 20), crtc(0x09, 0xC1), crtc(0x14, 0), crtc(0x17, 0xA2);
    poke(0xB8000 + 80, 0x1B); /* second even line: 0, 1, 2, 3 */
    poke(0xBA001, 0x80);      /* first odd line, second byte */
    render();
    assert_int_equal(picture.width, 320);
    assert_int_equal(picture.height, 200);
    pixel_is(0, 2, 0);
    pixel_is(3, 2, 3);
    pixel_is(2, 2, 2);
    pixel_is(4, 1, 2);
}

static void screen_off(void **unused)
{
    (void)unused;
    set_mode(&mode_256);
    poke(0xA0000, 9);
    seq(1, 0x21);
    render();
    rgb_is(0, 0, 0, 0, 0);
    seq(1, 0x01);
    render();
    pixel_is(0, 0, 9);
    in(0x3DA), out(0x3C0, 0x00);
    render();
    rgb_is(0, 0, 0, 0, 0);
}

static void set_vbe(u16 width, u16 height, u16 bpp)
{
    vbe(VBE_ENABLE, 0);
    vbe(VBE_XRES, width), vbe(VBE_YRES, height), vbe(VBE_BPP, bpp);
    vbe(VBE_ENABLE, VBE_ENABLED | VBE_LFB);
}

static void vbe_pixels(void **unused)
{
    (void)unused;
    set_mode(&mode_256);
    set_vbe(640, 400, 32);
    memcpy(state->vram + (640 * 399 + 639) * 4, "\x11\x22\x33\x44", 4);
    render();
    assert_int_equal(picture.width, 640);
    assert_int_equal(picture.height, 400);
    rgb_is(639, 399, 0x33, 0x22, 0x11);
    set_vbe(640, 400, 24);
    memcpy(state->vram + 3, "\x11\x22\x33", 3);
    render();
    rgb_is(1, 0, 0x33, 0x22, 0x11);
    set_vbe(640, 400, 16);
    memcpy(state->vram + 2, "\x1F\xFC", 2); /* 11111 100000 11111 */
    render();
    rgb_is(1, 0, 255, 130, 255);
    set_vbe(640, 400, 15);
    memcpy(state->vram + 2, "\x1F\x7E", 2); /* 11111 10000 11111 */
    render();
    rgb_is(1, 0, 255, 132, 255);
    set_vbe(640, 400, 8);
    state->vram[641] = 33;
    render();
    pixel_is(1, 1, 33);
    vbe(VBE_X_OFFSET, 1), vbe(VBE_Y_OFFSET, 1);
    render();
    pixel_is(0, 0, 33);
    set_vbe(800, 600, 4);
    seq(4, 6), gfx(5, 0), seq(2, 0xA), poke(0xA0000 + 100, 0x40);
    render();
    pixel_is(1, 1, 10);
}

static void vbe_past_the_memory_is_black(void **unused)
{
    (void)unused;
    set_mode(&mode_256);
    set_vbe(1024, 768, 32);
    vbe(VBE_X_OFFSET, 0xFFFF), vbe(VBE_Y_OFFSET, 0xFFFF);
    render();
    rgb_is(1023, 767, 0, 0, 0);
    set_vbe(1024, 768, 4);
    vbe(VBE_X_OFFSET, 0xFFFF), vbe(VBE_Y_OFFSET, 0xFFFF);
    render();
    rgb_is(1023, 767, 0, 0, 0);
}

static void eight_bit_dac(void **unused)
{
    (void)unused;
    set_mode(&mode_256);
    set_vbe(640, 400, 8);
    vbe(VBE_ENABLE, VBE_ENABLED | VBE_LFB | VBE_8BIT_DAC);
    out(0x3C8, 5), out(0x3C9, 0xFE), out(0x3C9, 0x81), out(0x3C9, 0x03);
    state->vram[0] = 5;
    render();
    rgb_is(0, 0, 0xFE, 0x81, 0x03);
}

/* Whatever a guest writes, there is a picture, and nothing outside the memory is read (under the sanitizers). */
static void any_registers_make_a_picture(void **unused)
{
    u32 seed = 12345;

    (void)unused;
    for (unsigned round = 0; round < 150; round++) {
        FILE *sink = fopen("/dev/null", "w");

        for (unsigned i = 0; i < 120; i++) {
            seed = seed * 1664525 + 1013904223;
            out((u16)(0x3C0 + (seed >> 24 & 31)), (u8)(seed >> 16));
            if (round % 3 == 0 && i % 8 == 0)
                vbe((u16)(seed >> 20 & 15), (u16)(seed >> 8 & 0xFFF));
        }
        vbe(VBE_ENABLE, round % 3 == 0 && round % 2 ? VBE_ENABLED : 0);
        out(0x3C2, (u8)(seed >> 8 | 3));
        poke(0xA0000 + (seed >> 12 & 0x1FFFF), 1);
        peek(0xA0000 + (seed >> 11 & 0x1FFFF));
        render();
        assert_in_range(picture.width, 1, 2560);
        assert_in_range(picture.height, 1, 1600);
        text_screen_write(sink, state);
        fclose(sink);
    }
}

static void png_reads_back(void **unused)
{
    char path[] = "/tmp/ringside-picture-XXXXXX";
    png_image image = {.version = PNG_IMAGE_VERSION};
    struct error err;
    u8 *read;
    int fd = mkstemp(path);

    (void)unused;
    assert_true(fd >= 0);
    close(fd);
    set_mode(&mode_256);
    for (unsigned i = 0; i < 64000; i++)
        poke(0xA0000 + i, (u8)(i * 7));
    render();
    assert_true(picture_write_png(&picture, path, &err));
    assert_int_not_equal(png_image_begin_read_from_file(&image, path), 0);
    assert_int_equal(image.width, 320);
    assert_int_equal(image.height, 200);
    image.format = PNG_FORMAT_RGB;
    read = malloc(PNG_IMAGE_SIZE(image));
    assert_int_not_equal(png_image_finish_read(&image, NULL, read, 0, NULL), 0);
    assert_memory_equal(read, picture.rgb, 320 * 200 * 3);
    free(read);
    unlink(path);
    assert_false(picture_write_png(&picture, "/nowhere/picture.png", &err));
    assert_int_equal(err.code, EXIT_FILE);
}

static void text_is(const char *expected)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    text_screen_write(out, state);
    fclose(out);
    assert_memory_equal(text, expected, strlen(expected));
    free(text);
}

static void the_screen_as_text(void **unused)
{
    struct text_screen screen;

    (void)unused;
    text_is("(no mode is set)\n");
    set_mode(&mode_text);
    for (unsigned i = 0; i < 4000; i += 2)
        poke(0xB8000 + i, ' ');
    for (unsigned i = 0; i < 5; i++)
        cell(i + 1, 1, (u8) "Hello"[i], 7);
    cell(7, 1, 0xC9, 7), cell(8, 1, 0xE1, 7), cell(0, 2, 0, 7), cell(79, 3, '!', 7);
    crtc(0x0F, 83);
    text_is("\n Hello \xE2\x95\x94\xC3\x9F\n\n");
    assert_true(text_screen_of(&screen, state));
    assert_int_equal(screen.columns, 80);
    assert_int_equal(screen.rows, 25);
    assert_int_equal(screen.cursor_column, 3);
    assert_int_equal(screen.cursor_row, 1);
    crtc(0x0A, 0x20);
    assert_true(text_screen_of(&screen, state));
    assert_int_equal(screen.cursor_column, -1);
    set_mode(&mode_256);
    assert_false(text_screen_of(&screen, state));
    text_is("(graphics mode, 320x200)\n");
    set_vbe(640, 400, 8);
    text_is("(graphics mode, 640x400, 8 bits a pixel)\n");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, vga_setup, display_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(no_mode_is_black),
        CASE(text_has_the_guests_font),
        CASE(box_drawing_fills_the_ninth_dot),
        CASE(two_fonts_by_bit_3),
        CASE(cursor_and_blinking_have_phases),
        CASE(start_pan_and_split),
        CASE(planar_graphics),
        CASE(bytes_chained_and_not),
        CASE(cga_modes),
        CASE(screen_off),
        CASE(vbe_pixels),
        CASE(vbe_past_the_memory_is_black),
        CASE(eight_bit_dac),
        CASE(any_registers_make_a_picture),
        CASE(png_reads_back),
        CASE(the_screen_as_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
