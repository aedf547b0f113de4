/* SPDX-License-Identifier: MIT
 * The floppy controller's registers, phases, resets and interrupt.
 * Intel 82077AA data sheet, "Registers", "Controller Phases", "Reset".
 * Not implemented: the PS/2 modes with status registers A and B (3F0h, 3F1h read as nothing), power down, and overruns:
 * the controller waits for its host. The FIFO's depth makes no difference.
 */
#include "devices/fdc.h"

#include <stdlib.h>
#include <string.h>

#include "devices/fdc_state.h"

enum { MSR_REQUEST = 0x80, MSR_TO_HOST = 0x40, MSR_BY_PROCESSOR = 0x20, MSR_BUSY = 0x10 };
enum { PORT_DOR = 0x3f2, PORT_TAPE = 0x3f3, PORT_STATUS = 0x3f4, PORT_DATA = 0x3f5, PORT_RATE = 0x3f7 };
enum { DSR_RESET = 0x80 };

/* ---- the interrupt */

static u8 seeks_sensed(const struct fdc *f)
{
    u8 set = 0;

    for (unsigned i = 0; i < FDC_UNITS; i++)
        if (f->sense & 1u << i && (f->sense_st0[i] & ST0_POLLED) != ST0_POLLED)
            set |= (u8)(1u << i);
    return set;
}

void fdc_update_interrupt(struct fdc *f, bool bounce)
{
    bool wanted = f->reset_interrupt || f->result_interrupt || seeks_sensed(f) || (f->moving && fdc_by_processor(f));

    if (bounce)
        irq_set(f->irq, false);
    irq_set(f->irq, wanted && (f->dor & DOR_GATE));
}

void fdc_result(struct fdc *f, const u8 *bytes, unsigned count, bool interrupt)
{
    memcpy(f->result, bytes, count);
    f->result_at = 0;
    f->result_count = count;
    f->phase = FDC_RESULT;
    f->result_interrupt = interrupt;
    fdc_update_interrupt(f, false);
}

static void heads_arrived(void *context, u64 now)
{
    struct fdc_arm *arm = context;
    struct fdc *f = arm->fdc;
    unsigned unit = (unsigned)(arm - f->arm);

    (void)now;
    if (f->drive[unit].present)
        fdc_drive_seek(&f->drive[unit], arm->target);
    f->pcn[unit] = arm->target;
    f->sense |= (u8)(1u << unit);
    f->sense_st0[unit] = arm->st0;
    fdc_update_interrupt(f, true);
}

/* ---- reset */

/* Everything stops. What LOCK keeps of the configuration outlives it. */
static void stop(struct fdc *f)
{
    clock_cancel(f->clock, &f->sector);
    for (unsigned i = 0; i < FDC_UNITS; i++)
        clock_cancel(f->clock, &f->arm[i].timer);
    i8237_request(f->dma, FDC_DMA_CHANNEL, false);
    f->phase = FDC_COMMAND;
    f->received = 0;
    f->moving = f->result_interrupt = f->reset_interrupt = false;
    f->sense = 0;
    f->perpendicular &= 0x3c;
    if (!f->lock)
        f->precompensation = 0;
    f->config = f->lock ? f->config & CONFIG_LOCKED : CONFIG_NO_FIFO;
    fdc_update_interrupt(f, false);
}

/* Out of reset the controller polls the drives, and finds each of them changed. */
static void start(struct fdc *f)
{
    f->reset_interrupt = true;
    f->sense = (1u << FDC_UNITS) - 1;
    for (unsigned i = 0; i < FDC_UNITS; i++)
        f->sense_st0[i] = (u8)(ST0_POLLED | i);
    fdc_update_interrupt(f, true);
}

static void write_dor(struct fdc *f, u8 value)
{
    u8 before = f->dor;

    f->dor = value;
    if ((before & DOR_RUNS) && !(value & DOR_RUNS))
        stop(f);
    if (!(before & DOR_RUNS) && (value & DOR_RUNS))
        start(f);
    fdc_update_interrupt(f, false);
}

static void write_data_rate_select(struct fdc *f, u8 value)
{
    f->rate = value & 3;
    if ((value & DSR_RESET) && (f->dor & DOR_RUNS)) {
        stop(f);
        start(f);
    }
}

/* ---- registers */

static u8 main_status(const struct fdc *f)
{
    u8 value = 0;

    if (!(f->dor & DOR_RUNS))
        return 0;
    for (unsigned i = 0; i < FDC_UNITS; i++)
        value |= (u8)(f->arm[i].timer.armed << i);
    switch (f->phase) {
    case FDC_COMMAND: return value | MSR_REQUEST | (f->received ? MSR_BUSY : 0);
    case FDC_RESULT: return value | MSR_REQUEST | MSR_TO_HOST | MSR_BUSY;
    default: break;
    }
    value |= MSR_BUSY;
    if (fdc_by_processor(f))
        value |= MSR_BY_PROCESSOR;
    if (fdc_by_processor(f) && f->moving)
        value |= MSR_REQUEST | (fdc_from_host(f) ? 0 : MSR_TO_HOST);
    return value;
}

static u8 read_data(struct fdc *f)
{
    u8 value;

    if (f->phase == FDC_EXECUTION && f->moving && fdc_by_processor(f) && !fdc_from_host(f))
        return fdc_data_read(f);
    if (f->phase != FDC_RESULT)
        return 0;
    f->result_interrupt = false;
    fdc_update_interrupt(f, false);
    value = f->result[f->result_at++];
    if (f->result_at == f->result_count)
        f->phase = FDC_COMMAND;
    return value;
}

static void write_data(struct fdc *f, u8 value)
{
    if (!(f->dor & DOR_RUNS))
        return;
    if (f->phase == FDC_EXECUTION && f->moving && fdc_by_processor(f) && fdc_from_host(f))
        fdc_data_write(f, value);
    if (f->phase != FDC_COMMAND)
        return;
    f->command[f->received++] = value;
    if (f->received == fdc_command_length(f->command[0]))
        fdc_execute(f);
}

static u32 port_read(void *device, u16 port, unsigned size)
{
    struct fdc *f = device;

    (void)size;
    switch (port) {
    case PORT_DOR: return f->dor;
    case PORT_TAPE: return f->tape;
    case PORT_STATUS: return main_status(f);
    case PORT_DATA: return read_data(f);
    default: return f->drive[f->dor & 3].present && f->drive[f->dor & 3].changed ? 0x80 : 0; /* digital input */
    }
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct fdc *f = device;

    (void)size;
    switch (port) {
    case PORT_DOR: write_dor(f, (u8)value); break;
    case PORT_TAPE: f->tape = value & 3; break;
    case PORT_STATUS: write_data_rate_select(f, (u8)value); break;
    case PORT_DATA: write_data(f, (u8)value); break;
    default: f->rate = value & 3; break; /* configuration control */
    }
}

static const struct port_ops fdc_ops = {port_read, port_write, 0};

struct fdc *fdc_new(struct ports *ports, struct clock *clock, struct i8237 *dma, struct irq_line *irq6)
{
    struct fdc *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    f->clock = clock;
    f->dma = dma;
    f->irq = irq6;
    f->rate = 2;
    f->config = CONFIG_NO_FIFO;
    f->sector = (struct timer){.fire = fdc_sector_due, .context = f, .name = "fdc sector"};
    for (unsigned i = 0; i < FDC_UNITS; i++) {
        f->arm[i].fdc = f;
        f->arm[i].timer = (struct timer){.fire = heads_arrived, .context = &f->arm[i], .name = "fdc heads"};
    }
    i8237_attach(dma, FDC_DMA_CHANNEL, fdc_dma_ready, f);
    ports_claim(ports, PORT_DOR, 4, &fdc_ops, f, "fdc");
    ports_claim(ports, PORT_RATE, 1, &fdc_ops, f, "fdc");
    return f;
}

void fdc_free(struct fdc *f)
{
    if (!f)
        return;
    stop(f);
    i8237_attach(f->dma, FDC_DMA_CHANNEL, NULL, NULL);
    free(f);
}

void fdc_add_drive(struct fdc *f, unsigned number, const struct block *medium, bool write_protected)
{
    fdc_drive_init(&f->drive[number % FDC_DRIVES], medium);
    f->drive[number % FDC_DRIVES].write_protected = write_protected;
}

u8 fdc_type(const struct fdc *f, unsigned number) { return fdc_drive_type(&f->drive[number % FDC_DRIVES]); }
