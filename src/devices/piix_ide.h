/* SPDX-License-Identifier: MIT
 * The PIIX3's IDE function 8086:7010: two ATA channels at their legacy ports, and their bus master.
 * Intel 82371SB (PIIX3) datasheet, "IDE Configuration Registers"; "Programming Interface for Bus Master IDE
 * Controller".
 */
#ifndef RINGSIDE_DEVICES_PIIX_IDE_H
#define RINGSIDE_DEVICES_PIIX_IDE_H

#include "devices/ata_channel.h"
#include "devices/pci_host.h"

struct piix_ide;

/* Puts the function at 1.1 and claims 1F0h-1F7h, 3F6h (IRQ 14) and 170h-177h, 376h (IRQ 15): the channels are enabled
 * from the start, whatever IDETIM (40h, 42h) says later. BMIBA (20h) places the bus master's sixteen ports where they
 * are free and the command register lets them answer.
 * in: primary, secondary  IRQ 14 and 15; bus_master  port that BMIBA has at power-on: 0 when firmware will set it.
 * returns: never NULL. */
struct piix_ide *piix_ide_new(struct pci_host *host, struct ports *ports, struct clock *clock, struct physmem *pm,
                              struct irq_line *primary, struct irq_line *secondary, u16 bus_master);
/* Frees its channels and drives, too. */
void piix_ide_free(struct piix_ide *ide);
/* unit: 0 and 1 are the primary channel's, 2 and 3 the secondary's. The function owns the drive from now on. */
void piix_ide_attach(struct piix_ide *ide, unsigned unit, struct ata_drive *drive);

#endif
