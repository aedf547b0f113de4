/* SPDX-License-Identifier: MIT
 * The PIIX3's IDE function.
 */
#include "devices/piix_ide.h"

#include <stdlib.h>

#include "base/bits.h"

#define SLOT 1
#define FUNCTION 1
#define BUS_MASTER_PORTS 16u

enum { COMMAND = 0x04, COMMAND_IO = 1, COMMAND_MASTER = 4, BMIBA = 0x20, IDETIM = 0x40, IDETIM_DECODE = 0x80 };

struct piix_ide {
    struct pci_function function;
    struct ports *ports;
    struct ata_channel *channel[2];
    u16 placed; /* where the bus master answers; 0: nowhere */
};

/* Eight registers for each channel; an access within one channel's. */
static u32 bus_master_read(void *device, u16 port, unsigned size)
{
    struct piix_ide *ide = device;
    unsigned offset = port - ide->placed;

    return ata_bus_master_read(ide->channel[offset >> 3 & 1], offset & 7, size);
}

static void bus_master_write(void *device, u16 port, u32 value, unsigned size)
{
    struct piix_ide *ide = device;
    unsigned offset = port - ide->placed;

    ata_bus_master_write(ide->channel[offset >> 3 & 1], offset & 7, value, size);
}

static const struct port_ops bus_master_ops = {bus_master_read, bus_master_write, 1 | 2 | 4};

static void place(struct piix_ide *ide, u32 base)
{
    if (ide->placed == base)
        return;
    if (ide->placed != 0)
        ports_release(ide->ports, ide->placed, BUS_MASTER_PORTS);
    ide->placed = 0;
    if (base == 0 || !ports_unclaimed(ide->ports, (u16)base, BUS_MASTER_PORTS))
        return;
    ports_claim(ide->ports, (u16)base, BUS_MASTER_PORTS, &bus_master_ops, ide, "ide bus master");
    ide->placed = (u16)base;
}

static void changed(void *context, unsigned offset, unsigned size)
{
    struct piix_ide *ide = context;
    u16 command = load_le16(ide->function.config + COMMAND);
    u32 base = load_le32(ide->function.config + BMIBA);

    (void)offset, (void)size;
    place(ide, command & COMMAND_IO && base <= 0xFFFF ? base & 0xFFF0 : 0);
    for (unsigned i = 0; i < 2; i++)
        ata_bus_master_allow(ide->channel[i], (command & COMMAND_MASTER) != 0);
}

static void init_function(struct piix_ide *ide, u16 bus_master)
{
    struct pci_function *f = &ide->function;

    store_le16(f->config + 0x00, 0x8086);
    store_le16(f->config + 0x02, 0x7010);
    store_le16(f->config + COMMAND, bus_master != 0 ? COMMAND_IO | COMMAND_MASTER : 0);
    store_le16(f->config + 0x06, 0x0280); /* medium DEVSEL timing, fast back-to-back */
    f->config[0x09] = 0x80;               /* both channels at their legacy ports, and a bus master */
    f->config[0x0A] = 0x01;               /* IDE */
    f->config[0x0B] = 0x01;               /* mass storage */
    store_le32(f->config + BMIBA, bus_master | 1u);
    f->writable[COMMAND] = COMMAND_IO | COMMAND_MASTER;
    f->writable[0x0D] = 0xF0; /* latency timer */
    f->writable[BMIBA] = 0xF0;
    f->writable[BMIBA + 1] = 0xFF;
    f->writable[BMIBA + 2] = f->writable[BMIBA + 3] = 0xFF; /* the PIIX3 has zeros; SeaBIOS finds the size by them */
    for (unsigned at = IDETIM; at < IDETIM + 4; at++)
        f->writable[at] = 0xFF; /* timing: no effect */
    f->config[IDETIM + 1] = f->config[IDETIM + 3] = IDETIM_DECODE;
    f->changed = changed;
    f->context = ide;
}

struct piix_ide *piix_ide_new(struct pci_host *host, struct ports *ports, struct clock *clock, struct physmem *pm,
                              struct irq_line *primary, struct irq_line *secondary, u16 bus_master)
{
    struct piix_ide *ide = calloc(1, sizeof *ide);

    if (ide == NULL)
        abort();
    ide->ports = ports;
    ide->channel[0] = ata_channel_new(ports, clock, pm, 0x1F0, 0x3F6, primary, "ide0");
    ide->channel[1] = ata_channel_new(ports, clock, pm, 0x170, 0x376, secondary, "ide1");
    init_function(ide, bus_master);
    pci_host_add(host, SLOT, FUNCTION, &ide->function);
    changed(ide, 0, 0);
    return ide;
}

void piix_ide_free(struct piix_ide *ide)
{
    if (ide == NULL)
        return;
    ata_channel_free(ide->channel[0]);
    ata_channel_free(ide->channel[1]);
    free(ide);
}

void piix_ide_attach(struct piix_ide *ide, unsigned unit, struct ata_drive *drive)
{
    ata_channel_attach(ide->channel[unit / 2], unit & 1, drive);
}
