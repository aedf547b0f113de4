/* SPDX-License-Identifier: MIT
 * The Bochs VBE extension: display modes by a handful of 16-bit registers, and a bank or a linear framebuffer.
 * Bochs, "VBE Display API".
 */
#include "devices/vga_internal.h"

#include <string.h>

#define VBE_INDEX_PORT 0x1CE

/* Bytes of a scan line of `pixels` in the whole of the video memory. A planar line has a bit of each plane a pixel. */
static u32 line_bytes(unsigned pixels, unsigned bpp)
{
    return bpp == 4 ? (pixels + 7) / 8 * 4 : pixels * ((bpp + 7) / 8);
}

static bool valid_bpp(unsigned bpp) { return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32; }

/* A width beyond what the memory holds for one screen is cut. effects: VBE_VIRT_WIDTH and VBE_VIRT_HEIGHT */
static void set_virtual_width(struct vga_state *s, unsigned width)
{
    unsigned bpp = s->vbe[VBE_BPP], lines;
    u32 bytes;

    if (width < s->vbe[VBE_XRES])
        width = s->vbe[VBE_XRES];
    bytes = line_bytes(width, bpp);
    lines = bytes == 0 ? 0 : s->vram_bytes / bytes;
    if (lines < s->vbe[VBE_YRES]) { /* the screen as it is always fits: enable() sees to it */
        width = s->vbe[VBE_XRES];
        bytes = line_bytes(width, bpp);
        lines = bytes == 0 ? 0 : s->vram_bytes / bytes;
    }
    s->vbe[VBE_VIRT_WIDTH] = (u16)width;
    s->vbe[VBE_VIRT_HEIGHT] = (u16)(lines > 0xFFFF ? 0xFFFF : lines);
}

/* returns: whether the mode that the registers describe can be shown */
static bool mode_fits(const struct vga_state *s)
{
    return s->vbe[VBE_XRES] != 0 && s->vbe[VBE_YRES] != 0 &&
           (u64)line_bytes(s->vbe[VBE_XRES], s->vbe[VBE_BPP]) * s->vbe[VBE_YRES] <= s->vram_bytes;
}

static void enable(struct vga_state *s, u16 value)
{
    bool was = (s->vbe[VBE_ENABLE] & VBE_ENABLED) != 0;

    value &= VBE_ENABLED | VBE_GETCAPS | VBE_8BIT_DAC | VBE_LFB | VBE_NO_CLEAR;
    if ((value & VBE_ENABLED) && !was) {
        if (!mode_fits(s)) {
            s->vbe[VBE_ENABLE] = value & (u16)~VBE_ENABLED;
            return;
        }
        s->vbe[VBE_BANK] = s->vbe[VBE_X_OFFSET] = s->vbe[VBE_Y_OFFSET] = 0;
        set_virtual_width(s, s->vbe[VBE_XRES]);
        if (!(value & VBE_NO_CLEAR))
            memset(s->vram, 0, line_bytes(s->vbe[VBE_XRES], s->vbe[VBE_BPP]) * s->vbe[VBE_YRES]);
    } else if (!(value & VBE_ENABLED)) {
        s->vbe[VBE_BANK] = 0;
    }
    s->vbe[VBE_ENABLE] = value;
}

u16 vbe_read(const struct vga *vga, unsigned index)
{
    const struct vga_state *s = &vga->state;

    if (s->vbe[VBE_ENABLE] & VBE_GETCAPS)
        switch (index) {
        case VBE_XRES: return VBE_MAX_XRES;
        case VBE_YRES: return VBE_MAX_YRES;
        case VBE_BPP: return VBE_MAX_BPP;
        default: break;
        }
    if (index == VBE_MEMORY_64K)
        return (u16)(s->vram_bytes >> 16);
    return index < VBE_COUNT ? s->vbe[index] : 0;
}

void vbe_write(struct vga *vga, unsigned index, u16 value)
{
    struct vga_state *s = &vga->state;
    bool on = (s->vbe[VBE_ENABLE] & VBE_ENABLED) != 0;

    switch (index) {
    case VBE_ID:
        if (value >= VBE_ID_FIRST && value <= VBE_ID_LAST)
            s->vbe[VBE_ID] = value;
        break;
    case VBE_XRES: /* the geometry is fixed while a mode is on */
        if (!on && value <= VBE_MAX_XRES)
            s->vbe[VBE_XRES] = value & 0xFFF8;
        break;
    case VBE_YRES:
        if (!on && value <= VBE_MAX_YRES)
            s->vbe[VBE_YRES] = value;
        break;
    case VBE_BPP:
        if (value == 0)
            value = 8;
        if (!on && valid_bpp(value))
            s->vbe[VBE_BPP] = value;
        break;
    case VBE_ENABLE: enable(s, value); break;
    case VBE_BANK:
        if (value < s->vram_bytes >> (s->vbe[VBE_BPP] == 4 ? 18 : 16))
            s->vbe[VBE_BANK] = value;
        break;
    case VBE_VIRT_WIDTH:
        if (on)
            set_virtual_width(s, value & 0xFFF8u);
        break;
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET: s->vbe[index] = value; break;
    default: break; /* the height follows from the width; the amount of memory is what it is */
    }
}

static u32 read_port(void *device, u16 port, unsigned size)
{
    const struct vga *vga = device;
    u16 value = port == VBE_INDEX_PORT ? vga->vbe_index : vbe_read(vga, vga->vbe_index);

    return size == 2 ? value : value & 0xFFu;
}

/* The registers are words. A byte write of the index is taken, of data it is not: half a value is none. */
static void write_port(void *device, u16 port, u32 value, unsigned size)
{
    struct vga *vga = device;

    if (port == VBE_INDEX_PORT)
        vga->vbe_index = (u16)value;
    else if (size == 2)
        vbe_write(vga, vga->vbe_index, (u16)value);
}

static const struct port_ops ops = {.read = read_port, .write = write_port, .sizes = 1 | 2};

void vbe_init(struct vga *vga, struct ports *ports)
{
    vga->state.vbe[VBE_ID] = VBE_ID_LAST;
    vga->state.vbe[VBE_BPP] = 8;
    ports_claim(ports, VBE_INDEX_PORT, 4, &ops, vga, "vbe"); /* a word at 1D0h ends at 1D1h */
}
