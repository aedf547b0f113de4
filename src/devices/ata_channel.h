/* SPDX-License-Identifier: MIT
 * An ATA channel: the command and control block registers of two drives, INTRQ, and the bus master that moves their
 * data. ATA/ATAPI-6 (T13/1410D); 82371SB (PIIX3), "Bus Master IDE".
 */
#ifndef RINGSIDE_DEVICES_ATA_CHANNEL_H
#define RINGSIDE_DEVICES_ATA_CHANNEL_H

#include "bus/clock.h"
#include "bus/irq.h"
#include "bus/physmem.h"
#include "bus/ports.h"
#include "devices/ata_drive.h"

/* Time that a drive takes to look at a command, and between two blocks of data. */
#define ATA_LATENCY_TICKS 2000u

struct ata_channel;

/* Claims base..base+7 and control (the alternate status register; base 1F0h has 3F6h).
 * in: irq  INTRQ; pm  what the bus master reads and writes.  returns: never NULL */
struct ata_channel *ata_channel_new(struct ports *ports, struct clock *clock, struct physmem *pm, u16 base, u16 control,
                                    struct irq_line *irq, const char *name);
/* Frees its drives, too. */
void ata_channel_free(struct ata_channel *channel);
/* unit: 0 or 1. The channel owns the drive from now on. */
void ata_channel_attach(struct ata_channel *channel, unsigned unit, struct ata_drive *drive);

/* The bus master's eight registers of this channel (offset 0-7), which a PCI function places. */
u32 ata_bus_master_read(struct ata_channel *channel, unsigned offset, unsigned size);
void ata_bus_master_write(struct ata_channel *channel, unsigned offset, u32 value, unsigned size);
/* The PCI function's command register allows it to master the bus. */
void ata_bus_master_allow(struct ata_channel *channel, bool allowed);

#endif
