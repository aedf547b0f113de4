/* SPDX-License-Identifier: MIT
 * The bus of the local APICs: routing of messages by destination, and the page at FEE00000h.
 * SDM 3A, "Advanced Programmable Interrupt Controller (APIC)", "Determining IPI Destination".
 */
#include <stdlib.h>

#include "devices/lapic_state.h"

u32 lapic_logical_id(const struct lapic *l) /* x2APIC: cluster and bit follow from the ID */
{
    return (l->number >> 4) << 16 | 1u << (l->number & 15);
}

static bool matches(const struct lapic *l, const struct apic_message *m)
{
    u32 d = m->destination;

    if (!enabled(l))
        return false;
    if (m->wide ? d == 0xffffffff : (d & 0xff) == 0xff)
        return true;
    if (!m->logical)
        return (x2apic(l) ? l->number : l->id) == d;
    if (x2apic(l))
        return d >> 16 == lapic_logical_id(l) >> 16 && (d & lapic_logical_id(l) & 0xffff);
    if (l->dfr >> 28 == 0xf)
        return (l->ldr >> 24) & d & 0xff;
    return (l->ldr >> 28) == (d >> 4 & 15) && ((l->ldr >> 24) & d & 15);
}

bool apic_bus_send(struct apic_bus *bus, const struct apic_message *m)
{
    struct lapic *best = NULL;
    bool any = false;

    for (unsigned i = 0; i < bus->count; i++) {
        struct lapic *l = bus->lapic[(bus->turn + i) % bus->count];

        if (!matches(l, m))
            continue;
        any = true;
        if (m->mode != APIC_LOWEST)
            lapic_deliver(l, m->vector, m->mode, m->level);
        else if (software_enabled(l) && (!best || lapic_priority(l) < lapic_priority(best)))
            best = l;
    }
    if (best) {
        bus->turn = (best->number + 1) % bus->count;
        lapic_deliver(best, m->vector, APIC_FIXED, m->level);
    }
    return m->mode == APIC_LOWEST ? best != NULL : any;
}

static struct lapic *of_initiator(struct apic_bus *bus, u64 offset, enum initiator who)
{
    struct lapic *l = (unsigned)who < bus->count ? bus->lapic[who] : NULL;

    return l && enabled(l) && !x2apic(l) && offset % 16 < 4 ? l : NULL;
}

static u64 page_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    struct lapic *l = of_initiator(device, offset, who);

    (void)size;
    return l && offset < 0x400 ? lapic_read_register(l, (unsigned)(offset / 16)) >> (8 * (offset % 4)) : l ? 0 : ~0ull;
}

static void page_write(void *device, u64 offset, u64 value, unsigned size, enum initiator who)
{
    struct lapic *l = of_initiator(device, offset, who);

    if (l && size >= 4 && offset % 16 == 0 && offset < 0x400)
        lapic_write_register(l, (unsigned)(offset / 16), (u32)value);
}

static const struct mmio_ops page_ops = {page_read, page_write};

struct apic_bus *apic_bus_new(struct physmem *pm, struct clock *clock)
{
    struct apic_bus *bus = calloc(1, sizeof *bus);

    if (!bus)
        abort();
    bus->pm = pm;
    bus->clock = clock;
    physmem_map_mmio(pm, LAPIC_DEFAULT_BASE, PAGE_SIZE, &page_ops, bus, "lapic");
    return bus;
}

void apic_bus_free(struct apic_bus *bus)
{
    if (!bus)
        return;
    for (unsigned i = 0; i < bus->count; i++) {
        clock_cancel(bus->clock, &bus->lapic[i]->timer);
        free(bus->lapic[i]);
    }
    physmem_unmap_mmio(bus->pm, LAPIC_DEFAULT_BASE);
    free(bus);
}

void apic_bus_set_eoi(struct apic_bus *bus, void (*eoi)(void *context, u8 vector), void *context)
{
    bus->eoi = eoi;
    bus->eoi_context = context;
}
