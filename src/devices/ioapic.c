/* SPDX-License-Identifier: MIT
 * The I/O APIC.
 * Intel 82093AA data sheet, "I/O APIC Registers". The EOI register at 40h is the ICH's addition (version 20h).
 */
#include "devices/ioapic.h"

#include <stdlib.h>

#define VERSION (0x20u | (IOAPIC_PINS - 1) << 16)
#define ENTRY_WRITABLE 0xff0000000001afffull
#define ENTRY_REMOTE_IRR 0x4000ull
#define ENTRY_LEVEL 0x8000ull
#define ENTRY_MASKED 0x10000ull

struct ioapic {
    struct physmem *pm;
    struct apic_bus *bus;
    struct irq_line input[IOAPIC_PINS];
    u64 entry[IOAPIC_PINS];
    u8 id, select;
};

static void deliver(struct ioapic *io, unsigned pin)
{
    u64 entry = io->entry[pin];
    struct apic_message m = {
        .destination = (u32)(entry >> 56),
        .logical = entry & 0x800,
        .level = entry & ENTRY_LEVEL,
        .mode = (enum apic_mode)(entry >> 8 & 7),
        .vector = (u8)entry,
    };

    /* A level entry waits for its EOI only once a local APIC has it. */
    if (apic_bus_send(io->bus, &m) && m.level && m.mode <= APIC_LOWEST)
        io->entry[pin] |= ENTRY_REMOTE_IRR;
}

static void service_level(struct ioapic *io, unsigned pin)
{
    u64 entry = io->entry[pin];

    if (io->input[pin].level && (entry & ENTRY_LEVEL) && !(entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)))
        deliver(io, pin);
}

static void input_changed(void *context, unsigned pin, bool level)
{
    struct ioapic *io = context;

    if (io->entry[pin] & ENTRY_LEVEL)
        service_level(io, pin);
    else if (level && !(io->entry[pin] & ENTRY_MASKED)) /* a masked edge is lost */
        deliver(io, pin);
}

static void end_of_interrupt(void *context, u8 vector)
{
    struct ioapic *io = context;

    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        if ((u8)io->entry[pin] != vector || !(io->entry[pin] & ENTRY_REMOTE_IRR))
            continue;
        io->entry[pin] &= ~ENTRY_REMOTE_IRR;
        service_level(io, pin);
    }
}

static u32 read_register(const struct ioapic *io)
{
    unsigned index = io->select;

    switch (index) {
    case 0: return (u32)io->id << 24;
    case 1: return VERSION;
    case 2: return (u32)io->id << 24; /* arbitration ID */
    default:
        if (index < 0x10 || index >= 0x10 + 2 * IOAPIC_PINS)
            return 0;
        return (u32)(io->entry[(index - 0x10) / 2] >> (index & 1 ? 32 : 0));
    }
}

static void write_entry(struct ioapic *io, unsigned pin, bool high, u32 value)
{
    u64 old = io->entry[pin];
    u64 new = high ? (u32)old | (u64)value << 32 : (old & ~0xffffffffull) | value;

    new = (new &ENTRY_WRITABLE) | (old & ENTRY_REMOTE_IRR);
    if (!(new &ENTRY_LEVEL)) /* switching to edge drops the wait: how Linux clears a stuck remote IRR */
        new &= ~ENTRY_REMOTE_IRR;
    io->entry[pin] = new;
    service_level(io, pin);
}

static u64 page_read(void *device, u64 offset, unsigned size, enum initiator who)
{
    struct ioapic *io = device;

    (void)size, (void)who;
    switch (offset & 0xff) {
    case 0: return io->select;
    case 0x10: return read_register(io);
    default: return 0;
    }
}

static void page_write(void *device, u64 offset, u64 value, unsigned size, enum initiator who)
{
    struct ioapic *io = device;
    unsigned index = io->select;

    (void)size, (void)who;
    switch (offset & 0xff) {
    case 0: io->select = (u8)value; break;
    case 0x10:
        if (index == 0)
            io->id = value >> 24 & 15;
        else if (index >= 0x10 && index < 0x10 + 2 * IOAPIC_PINS)
            write_entry(io, (index - 0x10) / 2, index & 1, (u32)value);
        break;
    case 0x40: end_of_interrupt(io, (u8)value); break;
    default: break;
    }
}

static const struct mmio_ops page_ops = {page_read, page_write};

struct ioapic *ioapic_new(struct physmem *pm, struct apic_bus *bus, u8 id)
{
    struct ioapic *io = calloc(1, sizeof *io);

    if (!io)
        abort();
    io->pm = pm;
    io->bus = bus;
    io->id = id & 15;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        io->input[pin] = (struct irq_line){.changed = input_changed, .context = io, .number = pin};
        io->entry[pin] = ENTRY_MASKED;
    }
    physmem_map_mmio(pm, IOAPIC_BASE, PAGE_SIZE, &page_ops, io, "ioapic");
    apic_bus_set_eoi(bus, end_of_interrupt, io);
    return io;
}

void ioapic_free(struct ioapic *io)
{
    if (!io)
        return;
    apic_bus_set_eoi(io->bus, NULL, NULL);
    physmem_unmap_mmio(io->pm, IOAPIC_BASE);
    free(io);
}

struct irq_line *ioapic_input(struct ioapic *io, unsigned pin) { return &io->input[pin % IOAPIC_PINS]; }

u64 ioapic_entry(const struct ioapic *io, unsigned pin) { return io->entry[pin % IOAPIC_PINS]; }

bool ioapic_asserted(const struct ioapic *io, unsigned pin) { return io->input[pin % IOAPIC_PINS].level; }
