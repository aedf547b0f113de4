/* SPDX-License-Identifier: MIT
 * The PIIX4's SMBus host controller, on a bus that nothing is connected to.
 * Intel 82371AB (PIIX4) datasheet, "SMBus I/O Space Registers".
 */
#ifndef RINGSIDE_DEVICES_SMBUS_H
#define RINGSIDE_DEVICES_SMBUS_H

#include "bus/ports.h"

#define SMBUS_PORTS 16u

struct smbus;

/* Unplaced until smbus_place(). A transaction ends at once, without an interrupt: no device acknowledges (DEV_ERR).
 * returns: never NULL. */
struct smbus *smbus_new(struct ports *ports);
void smbus_free(struct smbus *smbus);
/* Move the registers, as SMBBA does; they answer only where all SMBUS_PORTS are free. in: base  a multiple of 16; 0
 * takes them away. */
void smbus_place(struct smbus *smbus, u16 base);

#endif
