/* SPDX-License-Identifier: MIT
 * The VGA's memory: the window at A0000h-BFFFFh with its write modes, latches and chains, and the linear framebuffer.
 * IBM PS/2 Hardware Interface Technical Reference, "Graphics Controller Registers", "Video Memory Organization".
 */
#include "devices/vga_internal.h"

#include <string.h>

/* The four planes' bits of a register as a mask of bytes: plane p is byte p. */
static u32 spread(unsigned planes)
{
    return (planes & 1 ? 0xFFu : 0) | (planes & 2 ? 0xFF00u : 0) | (planes & 4 ? 0xFF0000u : 0) |
           (planes & 8 ? 0xFF000000u : 0);
}

static u32 load_planes(const struct vga_state *s, u32 offset)
{
    u32 value;

    memcpy(&value, s->vram + offset * 4, sizeof value);
    return value;
}

/* Where in the window the memory answers. GFX_MISC, "Memory Map".
 * in: at  offset from A0000h.  returns: false when it does not; else *at is the offset from its first byte */
static bool decode_window(const struct vga_state *s, u32 *at)
{
    static const struct {
        u32 base, size;
    } maps[4] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
    unsigned map = s->gfx[GFX_MISC] >> 2 & 3;

    if (!(s->misc & MISC_RAM) || *at - maps[map].base >= maps[map].size)
        return false;
    *at -= maps[map].base;
    return true;
}

static bool vbe_on(const struct vga_state *s) { return (s->vbe[VBE_ENABLE] & VBE_ENABLED) != 0; }

/* In a packed VBE mode the window is a 64 KiB bank of the framebuffer. */
static bool linear_window(const struct vga_state *s) { return vbe_on(s) && s->vbe[VBE_BPP] >= 8; }

static u32 banked(const struct vga_state *s, u32 at)
{
    return vbe_on(s) ? (u32)s->vbe[VBE_BANK] * VGA_PLANE_BYTES + (at & (VGA_PLANE_BYTES - 1)) : at;
}

/* The offset within a plane. in: at, as the window decoded it */
static u32 plane_offset(const struct vga_state *s, u32 at)
{
    u32 limit = vbe_on(s) ? s->vram_bytes / 4 : VGA_PLANE_BYTES;

    if (s->seq[SEQ_MEMORY] & MEMORY_CHAIN4)
        at &= ~3u;
    else if (s->gfx[GFX_MISC] & GFX_MISC_ODD_EVEN)
        at &= ~1u; /* A0 chooses the plane; the bit that takes its place is 0 */
    return banked(s, at) % limit;
}

static u8 read_byte(struct vga *vga, u32 at)
{
    const struct vga_state *s = &vga->state;
    u32 offset, planes, differ;
    unsigned plane;

    if (!decode_window(s, &at))
        return 0xFF;
    if (linear_window(s)) {
        offset = banked(s, at);
        return offset < s->vram_bytes ? s->vram[offset] : 0xFF;
    }
    offset = plane_offset(s, at);
    planes = load_planes(s, offset);
    memcpy(vga->latch, &planes, sizeof planes);
    if (s->seq[SEQ_MEMORY] & MEMORY_CHAIN4)
        return vga->latch[at & 3];
    if (s->gfx[GFX_MODE] & GFX_MODE_READ) {
        differ = (planes ^ spread(s->gfx[GFX_COMPARE])) & spread(s->gfx[GFX_DONT_CARE]);
        differ |= differ >> 16;
        return (u8) ~(differ | differ >> 8);
    }
    plane = s->gfx[GFX_READ_MAP] & 3;
    if (s->gfx[GFX_MODE] & GFX_MODE_ODD_EVEN)
        plane = (plane & 2) | (at & 1);
    return vga->latch[plane];
}

/* What the graphics controller makes of a byte, for all planes: write modes, set/reset, function, bit mask. */
static u32 write_data(const struct vga *vga, u8 data)
{
    const u8 *g = vga->state.gfx;
    unsigned rotate = g[GFX_ROTATE] & 7;
    u8 rotated = (u8)(data >> rotate | data << (8 - rotate)), mask = g[GFX_BIT_MASK];
    u32 latch, value, bits;

    memcpy(&latch, vga->latch, sizeof latch);
    switch (g[GFX_MODE] & 3) {
    case 0: {
        u32 replaced = spread(g[GFX_ENABLE_SET_RESET]);

        value = (rotated * 0x01010101u & ~replaced) | (spread(g[GFX_SET_RESET]) & replaced);
        break;
    }
    case 1: return latch;
    case 2: value = spread(data); break;
    default:
        value = spread(g[GFX_SET_RESET]);
        mask &= rotated;
        break;
    }
    switch (g[GFX_ROTATE] >> 3 & 3) {
    case 1: value &= latch; break;
    case 2: value |= latch; break;
    case 3: value ^= latch; break;
    default: break;
    }
    bits = mask * 0x01010101u;
    return (value & bits) | (latch & ~bits);
}

static void write_byte(struct vga *vga, u32 at, u8 data)
{
    struct vga_state *s = &vga->state;
    unsigned planes = s->seq[SEQ_MAP_MASK] & 15;
    u32 offset, keep, value;

    if (!decode_window(s, &at))
        return;
    if (linear_window(s)) {
        offset = banked(s, at);
        if (offset < s->vram_bytes)
            s->vram[offset] = data;
        return;
    }
    if (s->seq[SEQ_MEMORY] & MEMORY_CHAIN4)
        planes &= 1u << (at & 3);
    else if (!(s->seq[SEQ_MEMORY] & MEMORY_ODD_EVEN_OFF))
        planes &= at & 1 ? 0xA : 0x5;
    offset = plane_offset(s, at);
    keep = ~spread(planes);
    value = (load_planes(s, offset) & keep) | (write_data(vga, data) & ~keep);
    memcpy(s->vram + offset * 4, &value, sizeof value);
}

/* The bus is 8 or 16 bits wide and goes byte by byte, the lowest address first. */
static u64 window_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    u64 value = 0;

    (void)who;
    for (unsigned i = 0; i < size; i++)
        value |= (u64)read_byte(device, (u32)offset + i) << (8 * i);
    return value;
}

static void window_write(void *device, u64 offset, u64 value, unsigned size, enum initiator who)
{
    (void)who;
    for (unsigned i = 0; i < size; i++)
        write_byte(device, (u32)offset + i, (u8)(value >> (8 * i)));
}

const struct mmio_ops vga_window_ops = {window_read, window_write};

static u64 framebuffer_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    const struct vga_state *s = &((struct vga *)device)->state;
    u64 value = ~0ull;

    (void)who;
    if (offset + size <= s->vram_bytes) {
        value = 0;
        memcpy(&value, s->vram + offset, size);
    }
    return value;
}

static void framebuffer_write(void *device, u64 offset, u64 value, unsigned size, enum initiator who)
{
    struct vga_state *s = &((struct vga *)device)->state;

    (void)who;
    if (offset + size <= s->vram_bytes)
        memcpy(s->vram + offset, &value, size);
}

const struct mmio_ops vga_framebuffer_ops = {framebuffer_read, framebuffer_write};
