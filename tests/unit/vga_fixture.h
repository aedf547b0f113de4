/* SPDX-License-Identifier: MIT
 * A VGA on a bus of its own, driven as a program drives it, and the standard modes as firmware sets them.
 */
#ifndef RINGSIDE_TESTS_VGA_FIXTURE_H
#define RINGSIDE_TESTS_VGA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/vga.h"

static struct ports *ports;
static struct physmem *pm;
static struct clock clk;
static struct vga *vga;
static const struct vga_state *state;

static inline void out(u16 port, u8 value) { ports_write(ports, port, value, 1, INITIATOR_CPU0); }
static inline u8 in(u16 port) { return (u8)ports_read(ports, port, 1, INITIATOR_CPU0); }
static inline void out16(u16 port, u16 value) { ports_write(ports, port, value, 2, INITIATOR_CPU0); }
static inline u16 in16(u16 port) { return (u16)ports_read(ports, port, 2, INITIATOR_CPU0); }

static inline void poke(paddr_t at, u8 value) { physmem_write(pm, at, &value, 1, INITIATOR_CPU0); }
static inline u8 peek(paddr_t at)
{
    u8 value;

    physmem_read(pm, at, &value, 1, INITIATOR_CPU0);
    return value;
}

static inline void seq(u8 index, u8 value) { out(0x3C4, index), out(0x3C5, value); }
static inline void gfx(u8 index, u8 value) { out(0x3CE, index), out(0x3CF, value); }
static inline void crtc(u8 index, u8 value) { out(0x3D4, index), out(0x3D5, value); }
static inline void vbe(u16 index, u16 value) { out16(0x1CE, index), out16(0x1CF, value); }
static inline u16 vbe_get(u16 index)
{
    out16(0x1CE, index);
    return in16(0x1CF);
}

static inline u8 plane(unsigned p, u32 offset) { return state->vram[offset * 4 + p]; }

/* The registers of a standard mode. IBM PS/2 Hardware Interface Technical Reference, "BIOS extended mode tables". */
struct mode {
    u8 misc, seq[4], crtc[25], attr_mode, attr_planes, gfx_mode, gfx_misc;
};

static const struct mode mode_text = {
    .misc = 0x67,
    .seq = {0x00, 0x03, 0x00, 0x02},
    .crtc = {0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00,
             0x00, 0x00, 0x00, 0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF},
    .attr_mode = 0x0C,
    .attr_planes = 0x0F,
    .gfx_mode = 0x10,
    .gfx_misc = 0x0E,
};
static const struct mode mode_planar = {
    /* 12h: 640x480, 16 colours */
    .misc = 0xE3,
    .seq = {0x01, 0x0F, 0x00, 0x06},
    .crtc = {0x5F, 0x4F, 0x50, 0x82, 0x54, 0x80, 0x0B, 0x3E, 0x00, 0x40, 0x00, 0x00, 0x00,
             0x00, 0x00, 0x00, 0xEA, 0x8C, 0xDF, 0x28, 0x00, 0xE7, 0x04, 0xE3, 0xFF},
    .attr_mode = 0x01,
    .attr_planes = 0x0F,
    .gfx_mode = 0x00,
    .gfx_misc = 0x05,
};
static const struct mode mode_256 = {
    /* 13h: 320x200, 256 colours, chain-4 */
    .misc = 0x63,
    .seq = {0x01, 0x0F, 0x00, 0x0E},
    .crtc = {0x5F, 0x4F, 0x50, 0x82, 0x54, 0x80, 0xBF, 0x1F, 0x00, 0x41, 0x00, 0x00, 0x00,
             0x00, 0x00, 0x00, 0x9C, 0x8E, 0x8F, 0x28, 0x40, 0x96, 0xB9, 0xA3, 0xFF},
    .attr_mode = 0x41,
    .attr_planes = 0x0F,
    .gfx_mode = 0x40,
    .gfx_misc = 0x05,
};

static inline void attr(u8 index, u8 value)
{
    in(0x3DA);
    out(0x3C0, index);
    out(0x3C0, value);
    out(0x3C0, 0x20);
}

static inline void set_mode(const struct mode *mode)
{
    out(0x3C2, mode->misc);
    for (u8 i = 0; i < 4; i++)
        seq(i + 1, mode->seq[i]);
    crtc(0x11, 0);
    for (u8 i = 0; i < 25; i++)
        crtc(i, mode->crtc[i]);
    for (u8 i = 0; i < 9; i++)
        gfx(i, 0);
    gfx(5, mode->gfx_mode), gfx(6, mode->gfx_misc), gfx(7, 15), gfx(8, 0xFF);
    for (u8 i = 0; i < 16; i++)
        attr(i, i);
    attr(0x10, mode->attr_mode), attr(0x11, 0), attr(0x12, mode->attr_planes), attr(0x13, mode->seq[0] & 1 ? 0 : 8),
        attr(0x14, 0);
    out(0x3C6, 0xFF);
    out(0x3C8, 0);
    for (unsigned i = 0; i < 256; i++) /* colour i is (i, 255 - i, 3 * i), in six bits each */
        out(0x3C9, i & 63), out(0x3C9, (255 - i) & 63), out(0x3C9, 3 * i & 63);
}

static inline int vga_setup(void **unused)
{
    struct error err;

    (void)unused;
    ports = ports_new();
    pm = physmem_new(2u << 20, &err);
    clock_init(&clk);
    vga = vga_new(ports, pm, &clk, 4u << 20);
    state = vga_state(vga);
    return 0;
}

static inline int vga_teardown(void **unused)
{
    (void)unused;
    vga_free(vga);
    physmem_free(pm);
    ports_free(ports);
    return 0;
}

#endif
