/* SPDX-License-Identifier: MIT
 * A guest that does anything to a VGA: accesses to its ports, its memory window, its PCI function and what that maps,
 * in any order and size, while time passes. Whatever comes of it can be drawn, and written as text.
 *
 * The input is a list of operations: a byte that says which (bits 2-0), the size (bits 4-3: 1, 2, 4, 8) and the
 * address's page or port's base (bits 7-5); two bytes of offset; and for writes as many bytes of value.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/pci_host.h"
#include "devices/vga_pci.h"
#include "display/render.h"
#include "display/text_screen.h"
#include "fuzz.h"

#define VIDEO_MEMORY (1u << 20)
#define DRAWN_MAX 4u

struct guest {
    struct ports *ports;
    struct physmem *pm;
    struct clock clock;
    struct vga *vga;
    struct pci_host *host;
    struct vga_pci *pci;
    struct picture picture;
    FILE *out;
    unsigned drawn;
};

struct input {
    const uint8_t *data;
    size_t size;
};

static unsigned take(struct input *in)
{
    if (in->size == 0)
        return 0;
    in->size--;
    return *in->data++;
}

static void draw(struct guest *g)
{
    if (g->drawn++ >= DRAWN_MAX)
        return;
    render_screen(&g->picture, vga_state(g->vga), (struct render_phase){.cursor = true, .text = true});
    text_screen_write(g->out, vga_state(g->vga));
}

static u16 port_of(unsigned base, unsigned offset)
{
    static const u16 bases[8] = {0x3C0, 0x3D0, 0x3B0, 0x1CE, 0x3C4, 0x3CE, 0x3D4, 0x3C0};

    return (u16)(bases[base] + offset % 16);
}

static paddr_t address_of(unsigned base, unsigned offset)
{
    static const u32 bases[8] = {0xA0000, 0xB0000, 0xE0000000, 0xE00F0000, 0xE8000000, 0xE9000000, 0xAFFF0, 0xBFFF0};

    return bases[base] + offset;
}

static void configure(struct guest *g, unsigned offset, u32 value)
{
    ports_write(g->ports, 0xCF8, 0x80001000 | (offset & 0xFC), 4, INITIATOR_CPU0);
    ports_write(g->ports, 0xCFC, value, 4, INITIATOR_CPU0);
}

static void operate(struct guest *g, struct input *in)
{
    unsigned what = take(in), size = 1u << (what >> 3 & 3), base = what >> 5;
    unsigned offset = take(in) | take(in) << 8, port_size = size == 8 ? 4 : size;
    u64 value = 0;

    if ((what & 7) == 1 || (what & 7) == 3 || (what & 7) == 4)
        for (unsigned i = 0; i < size; i++)
            value |= (u64)take(in) << (8 * i);
    switch (what & 7) {
    case 0: ports_read(g->ports, port_of(base, offset), port_size, INITIATOR_CPU0); break;
    case 1: ports_write(g->ports, port_of(base, offset), (u32)value, port_size, INITIATOR_CPU0); break;
    case 2: physmem_read(g->pm, address_of(base, offset), &value, size, INITIATOR_CPU0); break;
    case 3: physmem_write(g->pm, address_of(base, offset), &value, size, INITIATOR_CPU0); break;
    case 4: configure(g, offset, (u32)value); break;
    case 5: g->clock.ticks += (u64)offset << (4 * base); break;
    case 6: draw(g); break;
    default: vga_beam(g->vga); break;
    }
}

static void open_guest(struct guest *g)
{
    static const u8 rom[4096] = {0x55, 0xAA, 8};
    struct error err;

    *g = (struct guest){.ports = ports_new(), .pm = physmem_new(2u << 20, &err), .out = fopen("/dev/null", "w")};
    if (g->pm == NULL || g->out == NULL)
        abort();
    clock_init(&g->clock);
    g->vga = vga_new(g->ports, g->pm, &g->clock, VIDEO_MEMORY);
    g->host = pci_host_new(g->ports, g->pm);
    g->pci = vga_pci_new(g->host, 2, g->pm, g->vga, rom, sizeof rom);
    configure(g, 0x10, 0xE0000000);
    configure(g, 0x18, 0xE8000000);
    configure(g, 0x30, 0xE9000001);
    configure(g, 0x04, 3);
}

static void close_guest(struct guest *g)
{
    vga_pci_free(g->pci);
    pci_host_free(g->host);
    vga_free(g->vga);
    picture_free(&g->picture);
    physmem_free(g->pm);
    ports_free(g->ports);
    fclose(g->out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct guest g;

    open_guest(&g);
    while (in.size != 0)
        operate(&g, &in);
    g.drawn = 0;
    draw(&g);
    close_guest(&g);
    return 0;
}
