/* SPDX-License-Identifier: MIT
 * ATA channel: registers, the wait between a command and its effect, and the bus master.
 */
#include "devices/ata_channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

enum { R_DATA, R_ERROR, R_COUNT, R_LBA0, R_LBA1, R_LBA2, R_DEVICE, R_STATUS };
enum { CONTROL_NIEN = 2, CONTROL_SRST = 4, CONTROL_HOB = 0x80 };

/* Bus master: command and status registers. */
enum { BM_START = 1, BM_TO_MEMORY = 8 };
enum { BM_ACTIVE = 1, BM_ERROR = 2, BM_INTERRUPT = 4, BM_CAPABLE = 0x60 };
#define PRD_BYTES 8u
#define PRD_END BIT(31)
/* A list of descriptors is at most 64 KiB long, for its address may not cross such a boundary. */
#define PRD_MAX 8192u

struct ata_channel {
    struct clock *clock;
    struct physmem *pm;
    struct irq_line *irq;
    struct timer timer;
    u16 base;
    u8 control;
    bool selected; /* device 1 */
    struct ata_drive *drive[2];
    /* ---- the bus master's */
    u8 bm_command, bm_status;
    u32 bm_table;
    bool bm_allowed;
};

static struct ata_drive *selected(const struct ata_channel *c) { return c->drive[c->selected]; }

/* INTRQ is the selected drive's, unless nIEN keeps it from the line. */
static void update_irq(struct ata_channel *c)
{
    const struct ata_drive *d = selected(c);
    bool level = d != NULL && d->interrupt && !(c->control & CONTROL_NIEN);

    if (level && !c->irq->level)
        c->bm_status |= BM_INTERRUPT;
    irq_set(c->irq, level);
}

/* Something happens in a moment: a command is executed, the next block is ready, the bus master moves data. */
static void continue_soon(struct ata_channel *c)
{
    if (!c->timer.armed)
        clock_arm(c->clock, &c->timer, c->clock->ticks + ATA_LATENCY_TICKS);
}

/* ---- bus master */

/* One physical region: [address, address + size) lies within 64 KiB. returns: false ends the transfer */
static bool move_region(struct ata_channel *c, struct ata_drive *d, u32 address, u32 size)
{
    u8 bytes[4096];

    while (size != 0 && d->dma_left != 0) {
        u32 part = size < sizeof bytes ? size : (u32)sizeof bytes;
        bool to_memory = d->phase == ATA_DMA_IN;

        if (d->dma_left < part)
            part = (u32)d->dma_left;
        if (!to_memory)
            physmem_read(c->pm, address, bytes, part, INITIATOR_DMA);
        if (!d->ops->dma(d, bytes, part))
            return false;
        if (to_memory)
            physmem_write(c->pm, address, bytes, part, INITIATOR_DMA);
        address += part;
        size -= part;
    }
    return d->dma_left != 0;
}

/* The whole transfer. A list that ends before the data leaves the drive waiting, and the bus master stops with ACTIVE
 * clear; data that end before the list leave ACTIVE set until it is stopped. 82371SB, "Bus Master IDE Status Register".
 */
static void run_bus_master(struct ata_channel *c, struct ata_drive *d)
{
    u32 at = c->bm_table;
    bool more = true;

    for (unsigned i = 0; more && i < PRD_MAX; i++, at += PRD_BYTES) {
        u8 prd[PRD_BYTES];
        u32 size, address;

        physmem_read(c->pm, at, prd, sizeof prd, INITIATOR_DMA);
        address = load_le32(prd) & ~1u;
        size = load_le32(prd + 4) & 0xFFFE;
        more = move_region(c, d, address, size != 0 ? size : 0x10000);
        if (load_le32(prd + 4) & PRD_END) {
            c->bm_status &= (u8)~BM_ACTIVE;
            return;
        }
    }
}

static bool bus_master_ready(const struct ata_channel *c, const struct ata_drive *d)
{
    bool to_memory = (c->bm_command & BM_TO_MEMORY) != 0;

    return d != NULL && c->bm_allowed && (c->bm_status & BM_ACTIVE) &&
           ((d->phase == ATA_DMA_IN && to_memory) || (d->phase == ATA_DMA_OUT && !to_memory));
}

static void write_bm_command(struct ata_channel *c, u8 value)
{
    bool start = value & BM_START, started = c->bm_command & BM_START;

    c->bm_command = value & (BM_START | BM_TO_MEMORY);
    if (!start)
        c->bm_status &= (u8)~BM_ACTIVE;
    else if (!started)
        c->bm_status |= BM_ACTIVE;
    if (bus_master_ready(c, selected(c)))
        continue_soon(c);
}

u32 ata_bus_master_read(struct ata_channel *c, unsigned offset, unsigned size)
{
    u8 registers[8] = {c->bm_command, 0, c->bm_status, 0};
    u32 value = 0;

    store_le32(registers + 4, c->bm_table);
    for (unsigned i = 0; i < size && offset + i < sizeof registers; i++)
        value |= (u32)registers[offset + i] << (8 * i);
    return value;
}

void ata_bus_master_write(struct ata_channel *c, unsigned offset, u32 value, unsigned size)
{
    for (unsigned i = 0; i < size; i++, offset++, value >>= 8) {
        u8 byte = (u8)value;

        if (offset == 0)
            write_bm_command(c, byte);
        else if (offset == 2) /* ERROR and INTERRUPT are cleared by ones */
            c->bm_status =
                (u8)((c->bm_status & ~(byte & (BM_ERROR | BM_INTERRUPT)) & ~BM_CAPABLE) | (byte & BM_CAPABLE));
        else if (offset >= 4 && offset < 8)
            c->bm_table = (c->bm_table & ~(0xFFu << 8 * (offset - 4))) | (u32)byte << 8 * (offset - 4);
    }
    c->bm_table &= ~3u;
}

void ata_bus_master_allow(struct ata_channel *c, bool allowed)
{
    c->bm_allowed = allowed;
    if (bus_master_ready(c, selected(c)))
        continue_soon(c);
}

/* ---- what happens after a moment */

static void go_on(void *context, u64 now)
{
    struct ata_channel *c = context;

    (void)now;
    for (unsigned unit = 0; unit < 2; unit++) {
        struct ata_drive *d = c->drive[unit];

        if (d == NULL)
            continue;
        if (d->phase == ATA_EXECUTE)
            d->ops->execute(d);
        else if (d->phase == ATA_WAS_READ || d->phase == ATA_WAS_WRITTEN)
            d->ops->next(d, d->phase == ATA_WAS_WRITTEN);
        else if (unit == c->selected && bus_master_ready(c, d))
            run_bus_master(c, d);
    }
    if (bus_master_ready(c, selected(c)) && (selected(c)->phase == ATA_DMA_IN || selected(c)->phase == ATA_DMA_OUT))
        continue_soon(c);
    update_irq(c);
}

static void block_moved(struct ata_channel *c, struct ata_drive *d)
{
    d->phase = d->phase == ATA_PIO_IN ? ATA_WAS_READ : ATA_WAS_WRITTEN;
    d->status = ATA_BSY;
    continue_soon(c);
}

/* ---- reset */

static void reset_drive(struct ata_drive *d)
{
    d->phase = ATA_IDLE;
    d->interrupt = false;
    d->device = ATA_DEVICE_ONES;
    d->error = 1; /* diagnostic code: passed */
    memset(d->feature, 0, sizeof d->feature);
    memset(d->count, 0, sizeof d->count);
    memset(d->lba, 0, sizeof d->lba);
    d->ops->signature(d);
}

static void reset_channel(struct ata_channel *c)
{
    clock_cancel(c->clock, &c->timer);
    c->selected = false;
    for (unsigned unit = 0; unit < 2; unit++)
        if (c->drive[unit] != NULL)
            reset_drive(c->drive[unit]);
    update_irq(c);
}

/* EXECUTE DEVICE DIAGNOSTIC is for both drives, whichever is selected, and device 0 answers for both. */
static void diagnose(struct ata_channel *c)
{
    bool interrupt = c->drive[0] != NULL || c->drive[1] != NULL;

    reset_channel(c);
    if (c->drive[0] != NULL)
        c->drive[0]->interrupt = interrupt;
    update_irq(c);
}

static void write_command(struct ata_channel *c, u8 command)
{
    struct ata_drive *d = selected(c);

    if (command == 0x90) {
        diagnose(c);
        return;
    }
    if (d == NULL)
        return;
    d->interrupt = false;
    if (command == 0x08 && d->ops->packet) { /* DEVICE RESET is heard while a command is under way, too */
        u8 device = d->device;

        reset_drive(d);
        d->device = device;
    } else if (!(d->status & (ATA_BSY | ATA_DRQ))) {
        d->command = command;
        d->phase = ATA_EXECUTE;
        d->status = ATA_BSY;
        continue_soon(c);
    }
    update_irq(c);
}

/* ---- registers */

static u8 read_pair(const struct ata_channel *c, const u8 pair[2]) { return pair[(c->control & CONTROL_HOB) != 0]; }

static u8 read_register(struct ata_channel *c, unsigned offset, bool quiet)
{
    struct ata_drive *d = selected(c);

    if (d == NULL)
        return 0;
    switch (offset) {
    case R_ERROR: return d->error;
    case R_COUNT: return read_pair(c, d->count);
    case R_LBA0:
    case R_LBA1:
    case R_LBA2: return read_pair(c, d->lba[offset - R_LBA0]);
    case R_DEVICE: return d->device;
    default: break;
    }
    if (!quiet) {
        d->interrupt = false;
        update_irq(c);
    }
    return d->status;
}

static void write_pair(u8 pair[2], u8 value)
{
    pair[1] = pair[0];
    pair[0] = value;
}

static void write_register(struct ata_channel *c, unsigned offset, u8 value)
{
    c->control &= (u8)~CONTROL_HOB;
    if (offset == R_STATUS) {
        write_command(c, value);
        return;
    }
    if (offset == R_DEVICE)
        c->selected = (value & ATA_DEVICE_1) != 0;
    for (unsigned unit = 0; unit < 2; unit++) { /* both drives listen */
        struct ata_drive *d = c->drive[unit];

        if (d == NULL || (d->status & (ATA_BSY | ATA_DRQ)))
            continue;
        if (offset == R_ERROR)
            write_pair(d->feature, value);
        else if (offset == R_COUNT)
            write_pair(d->count, value);
        else if (offset == R_DEVICE)
            d->device = value | ATA_DEVICE_ONES;
        else
            write_pair(d->lba[offset - R_LBA0], value);
    }
    update_irq(c);
}

static u32 read_data(struct ata_channel *c, unsigned size)
{
    struct ata_drive *d = selected(c);
    u32 value = 0;

    if (d == NULL || d->phase != ATA_PIO_IN)
        return size == 4 ? ~0u : 0xFFFF;
    for (unsigned i = 0; i < size && d->position < d->buffer_size; i++)
        value |= (u32)d->buffer[d->position++] << (8 * i);
    if (d->position == d->buffer_size)
        block_moved(c, d);
    return value;
}

static void write_data(struct ata_channel *c, u32 value, unsigned size)
{
    struct ata_drive *d = selected(c);

    if (d == NULL || d->phase != ATA_PIO_OUT)
        return;
    for (unsigned i = 0; i < size && d->position < d->buffer_size; i++)
        d->buffer[d->position++] = (u8)(value >> (8 * i));
    if (d->position == d->buffer_size)
        block_moved(c, d);
}

static u32 command_read(void *device, u16 port, unsigned size)
{
    struct ata_channel *c = device;
    unsigned offset = port - c->base;

    if (offset == R_DATA)
        return read_data(c, size);
    return size == 1 ? read_register(c, offset, false) : ~0u;
}

static void command_write(void *device, u16 port, u32 value, unsigned size)
{
    struct ata_channel *c = device;
    unsigned offset = port - c->base;

    if (offset == R_DATA)
        write_data(c, value, size);
    else if (size == 1)
        write_register(c, offset, (u8)value);
}

static u32 control_read(void *device, u16 port, unsigned size)
{
    (void)port, (void)size;
    return read_register(device, R_STATUS, true);
}

static void control_write(void *device, u16 port, u32 value, unsigned size)
{
    struct ata_channel *c = device;
    u8 before = c->control;

    (void)port, (void)size;
    c->control = (u8)value;
    if ((c->control & CONTROL_SRST) && !(before & CONTROL_SRST)) {
        reset_channel(c);
        for (unsigned unit = 0; unit < 2; unit++)
            if (c->drive[unit] != NULL)
                c->drive[unit]->status = ATA_BSY; /* as long as the reset lasts */
    } else if (!(c->control & CONTROL_SRST) && (before & CONTROL_SRST)) {
        reset_channel(c);
    }
    update_irq(c);
}

static const struct port_ops command_ops = {command_read, command_write, 1 | 2 | 4};
static const struct port_ops control_ops = {control_read, control_write, 1};

struct ata_channel *ata_channel_new(struct ports *ports, struct clock *clock, struct physmem *pm, u16 base, u16 control,
                                    struct irq_line *irq, const char *name)
{
    struct ata_channel *c = calloc(1, sizeof *c);

    if (c == NULL)
        abort();
    c->clock = clock;
    c->pm = pm;
    c->irq = irq;
    c->base = base;
    c->timer = (struct timer){.fire = go_on, .context = c, .name = name};
    ports_claim(ports, base, 8, &command_ops, c, name);
    ports_claim(ports, control, 1, &control_ops, c, name);
    return c;
}

void ata_channel_free(struct ata_channel *c)
{
    if (c == NULL)
        return;
    clock_cancel(c->clock, &c->timer);
    for (unsigned unit = 0; unit < 2; unit++)
        if (c->drive[unit] != NULL)
            ata_drive_free(c->drive[unit]);
    free(c);
}

void ata_channel_attach(struct ata_channel *c, unsigned unit, struct ata_drive *drive)
{
    c->drive[unit] = drive;
    drive->number = unit != 0;
    reset_drive(drive);
}
