/* SPDX-License-Identifier: MIT
 * The floppy disk controller: an 82077AA in AT mode, with up to two drives.
 * Intel 82077AA data sheet.
 *
 * It is faster than a drive: a sector takes 100 microseconds, and so does each step of the heads.
 */
#ifndef RINGSIDE_DEVICES_FDC_H
#define RINGSIDE_DEVICES_FDC_H

#include "bus/clock.h"
#include "bus/irq.h"
#include "bus/ports.h"
#include "devices/fdc_drive.h"
#include "devices/i8237.h"

#define FDC_DRIVES 2u
#define FDC_SECTOR_TICKS (100 * (TICKS_PER_SECOND / 1000000))
#define FDC_STEP_TICKS (100 * (TICKS_PER_SECOND / 1000000))
/* A command that looks for a sector where no medium turns gives up after this long; hardware waits for ever. */
#define FDC_GIVE_UP_TICKS (400 * (TICKS_PER_SECOND / 1000))

struct fdc;

/* Claims 3F2h-3F5h and 3F7h; data move by channel 2 of the DMA controllers. Starts in reset, as after power-on: bit 2
 * of the digital output register ends it. returns: never NULL. */
struct fdc *fdc_new(struct ports *ports, struct clock *clock, struct i8237 *dma, struct irq_line *irq6);
void fdc_free(struct fdc *f);
/* in: number 0-1; medium  outlives the controller; NULL: a drive with nothing in it;
 * write_protected  as a read-only medium is in any case */
void fdc_add_drive(struct fdc *f, unsigned number, const struct block *medium, bool write_protected);
/* The drive's type for CMOS 10h; 0: there is none. */
u8 fdc_type(const struct fdc *f, unsigned number);

#endif
