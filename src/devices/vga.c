/* SPDX-License-Identifier: MIT
 * The VGA's registers: their ports, and the beam that input status 1 tells of.
 * IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem", register descriptions.
 */
#include "devices/vga_internal.h"

#include <stdlib.h>

#define WINDOW 0xA0000u
#define WINDOW_BYTES 0x20000u
#define CRTC_LOCK 0x80u /* in CRTC_V_RETRACE_END: registers 0-7 are read-only */

/* ---- the beam */

/* A vertical value of 10 bits: its low byte, and two bits of the overflow register. */
static unsigned vertical(const u8 *crtc, unsigned low, unsigned bit8, unsigned bit9)
{
    return crtc[low] | (crtc[CRTC_OVERFLOW] >> bit8 & 1u) << 8 | (crtc[CRTC_OVERFLOW] >> bit9 & 1u) << 9;
}

/* Characters a second: the dot clock (25.175 MHz or 28.322 MHz; the others are not wired) by the dots of a character.
 */
static u64 character_hz(const struct vga_state *s)
{
    u64 dots = (s->misc >> 2 & 3) == 1 ? 28322000 : 25175000;

    if (s->seq[SEQ_CLOCKING] & CLOCKING_HALF)
        dots /= 2;
    return dots / (s->seq[SEQ_CLOCKING] & CLOCKING_8_DOTS ? 8 : 9);
}

struct vga_beam vga_beam(const struct vga *vga)
{
    const struct vga_state *s = &vga->state;
    const u8 *c = s->crtc;
    unsigned columns = c[CRTC_H_TOTAL] + 5u, lines = vertical(c, CRTC_V_TOTAL, 0, 5) + 2;
    unsigned start = vertical(c, CRTC_V_RETRACE_START, 2, 7);
    unsigned length = ((c[CRTC_V_RETRACE_END] - start - 1) & 15) + 1; /* four bits of the line at which it ends */
    u64 at = clock_to_hz(vga->clock->ticks, character_hz(s));
    unsigned in_frame = (unsigned)(at % (columns * lines)), line = in_frame / columns, column = in_frame % columns;

    return (struct vga_beam){
        .frame = at / (columns * lines),
        .display_disabled = column > c[CRTC_H_DISPLAY_END] || line > vertical(c, CRTC_V_DISPLAY_END, 1, 6),
        .retrace = line - start < length, /* before the start this wraps */
    };
}

/* effects: the attribute controller's port takes an index next */
static u8 read_status(struct vga *vga)
{
    struct vga_beam beam = vga_beam(vga);

    vga->attr_data = false;
    return (u8)((beam.display_disabled || beam.retrace ? 1 : 0) | (beam.retrace ? 8 : 0));
}

/* ---- the register files */

static void write_crtc(struct vga *vga, u8 value)
{
    u8 *c = vga->state.crtc;

    if (vga->crtc_index >= CRTC_COUNT)
        return;
    if (vga->crtc_index <= CRTC_OVERFLOW && (c[CRTC_V_RETRACE_END] & CRTC_LOCK)) {
        if (vga->crtc_index == CRTC_OVERFLOW) /* the line-compare bit is not locked */
            c[CRTC_OVERFLOW] = (u8)((c[CRTC_OVERFLOW] & ~0x10) | (value & 0x10));
        return;
    }
    c[vga->crtc_index] = value;
}

static void write_sequencer(struct vga *vga, u8 value)
{
    static const u8 writable[SEQ_COUNT] = {0x03, 0x3D, 0x0F, 0x3F, 0x0E, 0, 0, 0};

    vga->state.seq[vga->seq_index] = value & writable[vga->seq_index];
}

static void write_graphics(struct vga *vga, u8 value)
{
    static const u8 writable[GFX_COUNT] = {0x0F, 0x0F, 0x0F, 0x1F, 0x03, 0x7B, 0x0F, 0x0F, 0xFF};

    if (vga->gfx_index < GFX_COUNT)
        vga->state.gfx[vga->gfx_index] = value & writable[vga->gfx_index];
}

static void write_attribute(struct vga *vga, u8 value)
{
    static const u8 writable[ATTR_COUNT - ATTR_MODE] = {0xEF, 0xFF, 0x3F, 0x0F, 0x0F};

    vga->attr_data = !vga->attr_data;
    if (vga->attr_data) {
        vga->attr_index = value & 0x1F;
        vga->state.palette_on = (value & 0x20) != 0;
    } else if (vga->attr_index < ATTR_MODE) {
        vga->state.attr[vga->attr_index] = value & 0x3F;
    } else if (vga->attr_index < ATTR_COUNT) {
        vga->state.attr[vga->attr_index] = value & writable[vga->attr_index - ATTR_MODE];
    }
}

/* ---- the DAC: three writes make a colour, three reads take one */

static void write_dac(struct vga *vga, u8 value)
{
    u8 *color = vga->state.dac[vga->dac_write_index];

    vga->dac_pending[vga->dac_at++] = vga->state.vbe[VBE_ENABLE] & VBE_8BIT_DAC ? value : value & 0x3F;
    if (vga->dac_at < 3)
        return;
    for (unsigned i = 0; i < 3; i++)
        color[i] = vga->dac_pending[i];
    vga->dac_at = 0;
    vga->dac_write_index++;
}

static u8 read_dac(struct vga *vga)
{
    u8 value = vga->state.dac[vga->dac_read_index][vga->dac_at++];

    if (vga->dac_at == 3) {
        vga->dac_at = 0;
        vga->dac_read_index++;
    }
    return value;
}

static void set_dac_index(struct vga *vga, u8 value, bool reading)
{
    vga->dac_reading = reading;
    vga->dac_at = 0;
    if (reading)
        vga->dac_read_index = value;
    else
        vga->dac_write_index = value;
}

/* ---- ports */

/* The CRT controller answers at 3Bxh or 3Dxh, as the miscellaneous output says. */
static bool wrong_side(const struct vga *vga, u16 port)
{
    bool color = (vga->state.misc & MISC_COLOR) != 0;

    return (port >= 0x3D0 && !color) || (port < 0x3C0 && color);
}

u8 vga_port_read(struct vga *vga, u16 port)
{
    const struct vga_state *s = &vga->state;

    if (wrong_side(vga, port))
        return 0xFF;
    switch (port) {
    case 0x3C0: return (u8)(vga->attr_index | (s->palette_on ? 0x20 : 0));
    case 0x3C1: return vga->attr_index < ATTR_COUNT ? s->attr[vga->attr_index] : 0;
    case 0x3C2: return 0x10; /* input status 0: a monitor is sensed, no interrupt */
    case 0x3C3: return 1;    /* enabled */
    case 0x3C4: return vga->seq_index;
    case 0x3C5: return s->seq[vga->seq_index];
    case 0x3C6: return s->dac_mask;
    case 0x3C7: return vga->dac_reading ? 3 : 0;
    case 0x3C8: return vga->dac_write_index;
    case 0x3C9: return read_dac(vga);
    case 0x3CA: return s->feature;
    case 0x3CC: return s->misc;
    case 0x3CE: return vga->gfx_index;
    case 0x3CF: return vga->gfx_index < GFX_COUNT ? s->gfx[vga->gfx_index] : 0;
    case 0x3B4:
    case 0x3D4: return vga->crtc_index;
    case 0x3B5:
    case 0x3D5: return vga->crtc_index < CRTC_COUNT ? s->crtc[vga->crtc_index] : 0;
    case 0x3BA:
    case 0x3DA: return read_status(vga);
    default: return 0xFF;
    }
}

void vga_port_write(struct vga *vga, u16 port, u8 value)
{
    if (wrong_side(vga, port))
        return;
    switch (port) {
    case 0x3C0:
    case 0x3C1: write_attribute(vga, value); break;
    case 0x3C2: vga->state.misc = value; break;
    case 0x3C4: vga->seq_index = value & 7; break;
    case 0x3C5: write_sequencer(vga, value); break;
    case 0x3C6: vga->state.dac_mask = value; break;
    case 0x3C7: set_dac_index(vga, value, true); break;
    case 0x3C8: set_dac_index(vga, value, false); break;
    case 0x3C9: write_dac(vga, value); break;
    case 0x3CE: vga->gfx_index = value & 15; break;
    case 0x3CF: write_graphics(vga, value); break;
    case 0x3B4:
    case 0x3D4: vga->crtc_index = value & 0x3F; break;
    case 0x3B5:
    case 0x3D5: write_crtc(vga, value); break;
    case 0x3BA:
    case 0x3DA: vga->state.feature = value & 3; break;
    default: break;
    }
}

static u32 port_read(void *device, u16 port, unsigned size)
{
    (void)size;
    return vga_port_read(device, port);
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    (void)size;
    vga_port_write(device, port, (u8)value);
}

static const struct port_ops ops = {.read = port_read, .write = port_write};

/* ---- life */

struct vga *vga_new(struct ports *ports, struct physmem *pm, const struct clock *clock, u32 vram_bytes)
{
    static const struct {
        u16 first, count;
    } claims[] = {{0x3B4, 2}, {0x3BA, 1}, {0x3C0, 16}, {0x3D4, 2}, {0x3DA, 1}};
    struct vga *vga = calloc(1, sizeof *vga);

    if (vga == NULL)
        abort();
    vga->state.vram = calloc(1, vram_bytes);
    if (vga->state.vram == NULL)
        abort();
    vga->state.vram_bytes = vram_bytes;
    vga->state.dac_mask = 0xFF;
    vga->clock = clock;
    vga->pm = pm;
    for (unsigned i = 0; i < ARRAY_LEN(claims); i++)
        ports_claim(ports, claims[i].first, claims[i].count, &ops, vga, "vga");
    vbe_init(vga, ports);
    physmem_map_mmio(pm, WINDOW, WINDOW_BYTES, &vga_window_ops, vga, "vga");
    return vga;
}

void vga_free(struct vga *vga)
{
    if (vga == NULL)
        return;
    physmem_unmap_mmio(vga->pm, WINDOW);
    free(vga->state.vram);
    free(vga);
}

const struct vga_state *vga_state(const struct vga *vga) { return &vga->state; }
