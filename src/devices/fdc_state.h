/* SPDX-License-Identifier: MIT
 * The floppy controller's state, for its own files: fdc.c has registers and phases, fdc_command.c the commands,
 * fdc_transfer.c what moves data.
 */
#ifndef RINGSIDE_DEVICES_FDC_STATE_H
#define RINGSIDE_DEVICES_FDC_STATE_H

#include "devices/fdc.h"

#define FDC_DMA_CHANNEL 2u
#define FDC_UNITS 4u /* drives that commands can name */

enum fdc_phase { FDC_COMMAND, FDC_EXECUTION, FDC_RESULT };
enum fdc_kind { FDC_READ, FDC_WRITE, FDC_FORMAT, FDC_READ_ID };

/* Status registers 0-2. */
enum { ST0_ABNORMAL = 0x40, ST0_INVALID = 0x80, ST0_POLLED = 0xc0, ST0_SEEK_END = 0x20, ST0_EQUIPMENT = 0x10 };
enum { ST1_END = 0x80, ST1_DATA = 0x20, ST1_NO_DATA = 0x04, ST1_PROTECTED = 0x02, ST1_NO_MARK = 0x01 };
enum { ST2_DATA = 0x20, ST2_WRONG_CYLINDER = 0x10, ST2_BAD_CYLINDER = 0x02 };
enum { CONFIG_IMPLIED_SEEK = 0x40, CONFIG_NO_FIFO = 0x20, CONFIG_LOCKED = 0x2f };
enum { DOR_RUNS = 4, DOR_GATE = 8 };

struct fdc {
    struct clock *clock;
    struct i8237 *dma;
    struct irq_line *irq;
    struct fdc_drive drive[FDC_UNITS];
    struct fdc_arm { /* what steps the heads of a drive */
        struct fdc *fdc;
        struct timer timer;
        u8 target, st0;
        bool home; /* to track 0, whatever the controller thinks */
    } arm[FDC_UNITS];
    u8 pcn[FDC_UNITS];       /* present cylinder number, as the controller counts */
    u8 sense_st0[FDC_UNITS]; /* what SENSE INTERRUPT will say, */
    u8 sense;                /* for these drives */
    bool reset_interrupt;    /* the controller came out of reset, and nobody has asked */
    u8 dor, tape, rate;
    u8 specify[2], config, precompensation, perpendicular;
    bool lock;

    enum fdc_phase phase;
    u8 command[9];
    unsigned received;
    u8 result[10];
    unsigned result_at, result_count;
    bool result_interrupt;

    /* The command that executes: */
    enum fdc_kind kind;
    struct timer sector;
    u8 unit, head;
    u8 c, h, r, n; /* the sector it is at */
    u8 sector_bytes[FDC_SECTOR_BYTES];
    unsigned at, size;     /* of what moves */
    bool moving, terminal; /* the host may move data; the terminal count has come */
};

/* fdc.c: the interrupt follows the state; bounce shows another edge. */
void fdc_update_interrupt(struct fdc *f, bool bounce);
/* Results are ready. in: interrupt  the command ends with one */
void fdc_result(struct fdc *f, const u8 *bytes, unsigned count, bool interrupt);

/* fdc_command.c: bytes of the command that begins so. */
unsigned fdc_command_length(u8 opcode);
void fdc_execute(struct fdc *f);

/* fdc_transfer.c */
void fdc_transfer_begin(struct fdc *f, enum fdc_kind kind);
/* Data go through the data register, byte by byte. */
bool fdc_by_processor(const struct fdc *f);
bool fdc_from_host(const struct fdc *f);
u8 fdc_data_read(struct fdc *f);
void fdc_data_write(struct fdc *f, u8 value);
/* Callbacks: the sector's time has come; the DMA channel runs. */
void fdc_sector_due(void *fdc, u64 now);
void fdc_dma_ready(void *fdc);

#endif
