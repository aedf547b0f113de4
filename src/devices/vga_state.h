/* SPDX-License-Identifier: MIT
 * The registers and memory of a VGA, as data: what its ports set, its memory window uses, and a renderer reads.
 * IBM PS/2 Hardware Interface Technical Reference, "VGA Function", register descriptions.
 */
#ifndef RINGSIDE_DEVICES_VGA_STATE_H
#define RINGSIDE_DEVICES_VGA_STATE_H

#include "base/types.h"

/* Sequencer. */
enum { SEQ_CLOCKING = 1, SEQ_MAP_MASK = 2, SEQ_FONT = 3, SEQ_MEMORY = 4, SEQ_COUNT = 8 };
enum { CLOCKING_8_DOTS = 0x01, CLOCKING_HALF = 0x08, CLOCKING_SCREEN_OFF = 0x20 };
enum { MEMORY_ODD_EVEN_OFF = 0x04, MEMORY_CHAIN4 = 0x08 };

/* CRT controller. */
enum {
    CRTC_H_TOTAL = 0x00,
    CRTC_H_DISPLAY_END = 0x01,
    CRTC_V_TOTAL = 0x06,
    CRTC_OVERFLOW = 0x07,
    CRTC_PRESET_ROW = 0x08,
    CRTC_MAX_SCAN = 0x09,
    CRTC_CURSOR_START = 0x0A,
    CRTC_CURSOR_END = 0x0B,
    CRTC_START_HIGH = 0x0C,
    CRTC_START_LOW = 0x0D,
    CRTC_CURSOR_HIGH = 0x0E,
    CRTC_CURSOR_LOW = 0x0F,
    CRTC_V_RETRACE_START = 0x10,
    CRTC_V_RETRACE_END = 0x11,
    CRTC_V_DISPLAY_END = 0x12,
    CRTC_OFFSET = 0x13,
    CRTC_UNDERLINE = 0x14,
    CRTC_MODE = 0x17,
    CRTC_LINE_COMPARE = 0x18,
    CRTC_COUNT = 0x19,
};
enum { MAX_SCAN_DOUBLE = 0x80 };
enum { UNDERLINE_DOUBLEWORD = 0x40 };
enum { CRTC_MODE_A13 = 0x01, CRTC_MODE_A14 = 0x02, CRTC_MODE_WRAP_A15 = 0x20, CRTC_MODE_BYTE = 0x40 };

/* Graphics controller. */
enum {
    GFX_SET_RESET = 0,
    GFX_ENABLE_SET_RESET = 1,
    GFX_COMPARE = 2,
    GFX_ROTATE = 3,
    GFX_READ_MAP = 4,
    GFX_MODE = 5,
    GFX_MISC = 6,
    GFX_DONT_CARE = 7,
    GFX_BIT_MASK = 8,
    GFX_COUNT = 9,
};
enum { GFX_MODE_READ = 0x08, GFX_MODE_ODD_EVEN = 0x10, GFX_MODE_INTERLEAVE = 0x20, GFX_MODE_256 = 0x40 };
enum { GFX_MISC_GRAPHICS = 0x01, GFX_MISC_ODD_EVEN = 0x02 };

/* Attribute controller: 0-15 are the palette. */
enum {
    ATTR_MODE = 0x10,
    ATTR_OVERSCAN = 0x11,
    ATTR_PLANES = 0x12,
    ATTR_PAN = 0x13,
    ATTR_COLOR = 0x14,
    ATTR_COUNT = 0x15
};
enum {
    ATTR_MODE_MONO = 0x02,
    ATTR_MODE_LINE_GRAPHICS = 0x04,
    ATTR_MODE_BLINK = 0x08,
    ATTR_MODE_PAN_SPLIT = 0x20,
    ATTR_MODE_P54 = 0x80,
};

/* Miscellaneous output. */
enum { MISC_COLOR = 0x01, MISC_RAM = 0x02 };

/* The Bochs VBE extension's registers. */
enum {
    VBE_ID = 0,
    VBE_XRES = 1,
    VBE_YRES = 2,
    VBE_BPP = 3,
    VBE_ENABLE = 4,
    VBE_BANK = 5,
    VBE_VIRT_WIDTH = 6,
    VBE_VIRT_HEIGHT = 7,
    VBE_X_OFFSET = 8,
    VBE_Y_OFFSET = 9,
    VBE_MEMORY_64K = 10,
    VBE_COUNT = 11,
};
enum { VBE_ENABLED = 0x01, VBE_GETCAPS = 0x02, VBE_8BIT_DAC = 0x20, VBE_LFB = 0x40, VBE_NO_CLEAR = 0x80 };
#define VBE_ID_FIRST 0xB0C0u
#define VBE_ID_LAST 0xB0C5u
#define VBE_MAX_XRES 2560u
#define VBE_MAX_YRES 1600u
#define VBE_MAX_BPP 32u

#define VGA_PLANE_BYTES 0x10000u

struct vga_state {
    u8 misc, feature;
    u8 seq[SEQ_COUNT], crtc[CRTC_COUNT], gfx[GFX_COUNT], attr[ATTR_COUNT];
    bool palette_on; /* attribute index bit 5: the palette is the screen's; else the screen is blank */
    u8 dac[256][3];  /* red, green, blue as written: 6 bits, or 8 with VBE_8BIT_DAC */
    u8 dac_mask;
    u16 vbe[VBE_COUNT];
    /* Byte `offset` of plane p is vram[offset * 4 + p], so that a linear byte of the framebuffer is itself. */
    u8 *vram;
    u32 vram_bytes;
};

#endif
