/* SPDX-License-Identifier: MIT
 * An ATAPI CD-ROM drive: data CDs of 2048-byte frames, read by PIO or DMA.
 * ATA/ATAPI-6 (T13/1410D), "PACKET"; SFF-8020i; MMC-5 (T10/1675D).
 * Not implemented: audio, raw sector forms, writing, changers; asked for, they fail with their sense codes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/ata_drive.h"

#define FRAME 2048u
#define LEAD_IN 150u /* frames before address 0, in minutes, seconds and frames */

/* Sense keys with additional codes. SPC-3, "Sense key and sense code definitions". */
enum sense_key { NO_SENSE, NOT_READY = 2, MEDIUM_ERROR = 3, ILLEGAL_REQUEST = 5, UNIT_ATTENTION = 6 };
enum sense_code {
    UNRECOVERED_READ_ERROR = 0x11,
    INVALID_COMMAND = 0x20,
    ADDRESS_OUT_OF_RANGE = 0x21,
    INVALID_FIELD = 0x24,
    MEDIUM_MAY_HAVE_CHANGED = 0x28,
    NO_MEDIUM = 0x3A,
    SAVING_NOT_SUPPORTED = 0x39,
    ILLEGAL_MODE_FOR_TRACK = 0x64,
};

/* ATAPI's interrupt reason says what the data port does next. */
static void say(struct ata_drive *d, u8 reason) { d->count[0] = reason; }

static void succeed(struct ata_drive *d)
{
    d->sense_key = d->sense_code = d->sense_qualifier = 0;
    say(d, ATAPI_COMMAND | ATAPI_TO_HOST);
    ata_complete(d);
}

static void check_condition(struct ata_drive *d, u8 key, u8 code)
{
    d->sense_key = key;
    d->sense_code = code;
    d->sense_qualifier = 0;
    say(d, ATAPI_COMMAND | ATAPI_TO_HOST);
    ata_fail(d, (u8)(key << 4));
}

/* ---- data to the host */

static u32 frame_count(const struct ata_drive *d) { return d->medium != NULL ? (u32)(d->medium->bytes / FRAME) : 0; }

/* The byte count registers say how much the host takes at once; 0 is as FFFEh, and odd counts are one less. */
static u32 byte_limit(const struct ata_drive *d)
{
    u32 limit = ((u32)d->lba[2][0] << 8 | d->lba[1][0]) & 0xFFFE;

    return limit != 0 ? limit : 0xFFFE;
}

static void offer(struct ata_drive *d, u32 size)
{
    say(d, ATAPI_TO_HOST);
    d->lba[1][0] = (u8)size;
    d->lba[2][0] = (u8)(size >> 8);
    ata_data_in(d, size, true);
}

static bool read_medium(struct ata_drive *d, u64 at, u8 *bytes, size_t size)
{
    if (d->medium != NULL && block_read(d->medium, at, bytes, size))
        return true;
    check_condition(d, MEDIUM_ERROR, UNRECOVERED_READ_ERROR);
    return false;
}

/* As much as the host takes at once. */
static void offer_part(struct ata_drive *d)
{
    u32 size = d->read_left < d->block_limit ? (u32)d->read_left : d->block_limit;

    if (!read_medium(d, d->read_at, d->buffer, size))
        return;
    d->read_at += size;
    d->read_left -= size;
    offer(d, size);
}

/* Answer a command with the first `size` bytes of the buffer, cut to what the host allocated for them. */
static void answer(struct ata_drive *d, u32 size, u32 allocated)
{
    u32 limit = byte_limit(d);

    if (size > allocated)
        size = allocated;
    d->read_left = 0;
    d->buffer_size = size;
    if (size == 0)
        succeed(d);
    else if (d->by_dma)
        ata_dma_in(d, size);
    else
        offer(d, size < limit ? size : limit); /* no answer is longer than what a driver takes at once */
}

static void read_disc(struct ata_drive *d, u32 frame, u32 count)
{
    if (frame > frame_count(d) || count > frame_count(d) - frame) {
        check_condition(d, ILLEGAL_REQUEST, ADDRESS_OUT_OF_RANGE);
        return;
    }
    if (count == 0) {
        succeed(d);
        return;
    }
    d->read_at = (u64)frame * FRAME;
    d->read_left = (u64)count * FRAME;
    d->block_limit = byte_limit(d);
    if (d->by_dma)
        ata_dma_in(d, d->read_left);
    else
        offer_part(d);
}

static bool cd_dma(struct ata_drive *d, u8 *bytes, size_t size)
{
    if (d->read_left == 0) {
        memcpy(bytes, d->buffer + (d->buffer_size - d->dma_left), size);
    } else {
        if (!read_medium(d, d->read_at, bytes, size))
            return false;
        d->read_at += size;
    }
    d->dma_left -= size;
    if (d->dma_left == 0)
        succeed(d);
    return true;
}

/* ---- commands */

static void request_sense(struct ata_drive *d)
{
    u8 *b = d->buffer;

    memset(b, 0, 18);
    b[0] = 0x70;
    b[2] = d->sense_key;
    b[7] = 10;
    b[12] = d->sense_code;
    b[13] = d->sense_qualifier;
    d->sense_key = d->sense_code = d->sense_qualifier = 0;
    answer(d, 18, d->packet[4]);
}

static void put_spaced(u8 *at, const char *text, unsigned size)
{
    memset(at, ' ', size);
    memcpy(at, text, strlen(text) < size ? strlen(text) : size);
}

static void inquiry(struct ata_drive *d)
{
    u8 *b = d->buffer;

    if (d->packet[1] & 1) { /* vital product data */
        check_condition(d, ILLEGAL_REQUEST, INVALID_FIELD);
        return;
    }
    memset(b, 0, 36);
    b[0] = 5;    /* a CD/DVD device */
    b[1] = 0x80; /* whose medium is removable */
    b[3] = 0x21; /* ATAPI; response format 1 */
    b[4] = 31;
    put_spaced(b + 8, "RINGSIDE", 8);
    put_spaced(b + 16, "CD-ROM", 16);
    put_spaced(b + 32, "1.0", 4);
    answer(d, 36, (u32)d->packet[3] << 8 | d->packet[4]);
}

static void read_capacity(struct ata_drive *d)
{
    store_be32(d->buffer, frame_count(d) - 1);
    store_be32(d->buffer + 4, FRAME);
    answer(d, 8, 8);
}

static void put_address(u8 *at, u32 frame, bool msf)
{
    if (!msf) {
        store_be32(at, frame);
        return;
    }
    frame += LEAD_IN;
    at[0] = 0;
    at[1] = (u8)(frame / 75 / 60);
    at[2] = (u8)(frame / 75 % 60);
    at[3] = (u8)(frame % 75);
}

/* One data track and the lead-out. MMC-5, "READ TOC/PMA/ATIP". */
static void read_toc(struct ata_drive *d)
{
    bool msf = (d->packet[1] & 2) != 0;
    u8 *b = d->buffer, format = d->packet[2] & 15, first = d->packet[6];
    u32 size = 4, allocated = (u32)d->packet[7] << 8 | d->packet[8];

    if (format == 0)
        format = d->packet[9] >> 6; /* where SFF-8020i had it */
    memset(b, 0, 64);
    b[2] = b[3] = 1; /* first and last track or session */
    if (format == 0) {
        if (first > 1 && first != 0xAA) {
            check_condition(d, ILLEGAL_REQUEST, INVALID_FIELD);
            return;
        }
        if (first <= 1) {
            b[size + 1] = 0x14; /* a data track that allows copies not */
            b[size + 2] = 1;
            put_address(b + size + 4, 0, msf);
            size += 8;
        }
        b[size + 1] = 0x14;
        b[size + 2] = 0xAA;
        put_address(b + size + 4, frame_count(d), msf);
        size += 8;
    } else if (format == 1) { /* the last session begins with track 1 */
        b[size + 1] = 0x14;
        b[size + 2] = 1;
        put_address(b + size + 4, 0, msf);
        size += 8;
    } else {
        check_condition(d, ILLEGAL_REQUEST, INVALID_FIELD);
        return;
    }
    b[0] = (u8)((size - 2) >> 8);
    b[1] = (u8)(size - 2);
    answer(d, size, allocated);
}

/* Capabilities (page 2Ah) and error recovery (01h) are what drivers ask for. MMC-5, "Mode Parameters". */
static void mode_sense(struct ata_drive *d)
{
    u8 *b = d->buffer, page = d->packet[2] & 0x3F;
    u32 size = 8, allocated = (u32)d->packet[7] << 8 | d->packet[8];

    if (d->packet[2] >> 6 == 3) {
        check_condition(d, ILLEGAL_REQUEST, SAVING_NOT_SUPPORTED);
        return;
    }
    memset(b, 0, 64);
    if (page == 0x01 || page == 0x3F) {
        b[size] = 0x01;
        b[size + 1] = 6;
        b[size + 3] = 5; /* retries */
        size += 8;
    }
    if (page == 0x2A || page == 0x3F) {
        b[size] = 0x2A;
        b[size + 1] = 18;
        b[size + 2] = 0x03;               /* reads CD-R and CD-RW */
        b[size + 4] = 0x70;               /* mode 2 forms, multi-session */
        b[size + 6] = 0x29;               /* tray; eject; lock */
        store_be16(b + size + 8, 0x1000); /* speeds, in kB/s */
        store_be16(b + size + 14, 0x1000);
        size += 20;
    }
    if (size == 8) {
        check_condition(d, ILLEGAL_REQUEST, INVALID_FIELD);
        return;
    }
    store_be16(b, (u16)(size - 2));
    b[2] = d->medium != NULL ? 0x01 : 0x70; /* data disc of 120 mm, or none */
    answer(d, size, allocated);
}

/* The profile: a CD-ROM, if there is a disc. MMC-5, "GET CONFIGURATION". */
static void get_configuration(struct ata_drive *d)
{
    u8 *b = d->buffer;
    u32 size = 8;

    memset(b, 0, 64);
    store_be16(b + 6, d->medium != NULL ? 0x0008 : 0);
    if (((u32)d->packet[2] << 8 | d->packet[3]) == 0) {
        b[size + 2] = 0x03; /* feature 0: profiles, persistent and current */
        b[size + 3] = 4;
        store_be16(b + size + 4, 0x0008);
        b[size + 6] = d->medium != NULL;
        size += 8;
    }
    store_be32(b, size - 4);
    answer(d, size, (u32)d->packet[7] << 8 | d->packet[8]);
}

/* Polled: whether a disc is in. MMC-5, "GET EVENT STATUS NOTIFICATION". */
static void get_event_status(struct ata_drive *d)
{
    u8 *b = d->buffer;
    bool media = (d->packet[4] & 0x10) != 0;

    if (!(d->packet[1] & 1)) { /* asynchronous */
        check_condition(d, ILLEGAL_REQUEST, INVALID_FIELD);
        return;
    }
    memset(b, 0, 8);
    b[1] = media ? 6 : 2;
    b[2] = media ? 4 : 0x80;
    b[3] = 0x10; /* the class that is supported */
    if (media) {
        b[4] = d->medium_changed ? 2 : 0; /* new media */
        b[5] = d->medium != NULL ? 2 : 0;
        d->medium_changed = false;
    }
    answer(d, media ? 8 : 4, (u32)d->packet[7] << 8 | d->packet[8]);
}

static void read_disc_information(struct ata_drive *d)
{
    u8 *b = d->buffer;

    memset(b, 0, 34);
    b[1] = 32;
    b[2] = 0x0E; /* a finished disc, a complete last session */
    b[3] = b[4] = b[5] = b[6] = 1;
    b[7] = 0x20;
    answer(d, 34, (u32)d->packet[7] << 8 | d->packet[8]);
}

static void mechanism_status(struct ata_drive *d)
{
    memset(d->buffer, 0, 8);
    d->buffer[5] = 1;
    answer(d, 8, (u32)d->packet[8] << 8 | d->packet[9]);
}

/* READ CD: only the 2048 bytes of user data, which are what the medium holds. */
static void read_cd(struct ata_drive *d)
{
    u32 count = (u32)d->packet[6] << 16 | (u32)d->packet[7] << 8 | d->packet[8];
    u8 parts = d->packet[9] & 0xF8;

    if (parts != 0x10 && parts != 0) {
        check_condition(d, ILLEGAL_REQUEST, parts & 0xE8 ? ILLEGAL_MODE_FOR_TRACK : INVALID_FIELD);
        return;
    }
    read_disc(d, load_be32(d->packet + 2), parts != 0 ? count : 0);
}

/* Commands that must work before a unit attention was told, and without a disc. */
static bool always_allowed(u8 command)
{
    return command == 0x03 || command == 0x12 || command == 0x46 || command == 0x4A;
}

static bool needs_disc(u8 command)
{
    static const u8 list[] = {0x00, 0x25, 0x28, 0x2B, 0x42, 0x43, 0x51, 0xA8, 0xBE};

    return memchr(list, command, sizeof list) != NULL;
}

static bool is_ready(struct ata_drive *d)
{
    u8 command = d->packet[0];

    if (always_allowed(command))
        return true;
    if (d->medium_changed && d->medium != NULL) {
        d->medium_changed = false;
        check_condition(d, UNIT_ATTENTION, MEDIUM_MAY_HAVE_CHANGED);
        return false;
    }
    if (d->medium == NULL && needs_disc(command)) {
        check_condition(d, NOT_READY, NO_MEDIUM);
        return false;
    }
    return true;
}

static void execute_packet(struct ata_drive *d)
{
    const u8 *p = d->packet;

    if (!is_ready(d))
        return;
    switch (p[0]) {
    case 0x00: /* TEST UNIT READY */
    case 0x1B: /* START STOP UNIT: the tray stays as it is */
    case 0x2B: /* SEEK */
    case 0xBB: /* SET CD SPEED */ succeed(d); break;
    case 0x1E: /* PREVENT ALLOW MEDIUM REMOVAL */
        d->locked = p[4] & 1;
        succeed(d);
        break;
    case 0x03: request_sense(d); break;
    case 0x12: inquiry(d); break;
    case 0x25: read_capacity(d); break;
    case 0x28: read_disc(d, load_be32(p + 2), (u32)p[7] << 8 | p[8]); break;
    case 0xA8: read_disc(d, load_be32(p + 2), load_be32(p + 6)); break;
    case 0xBE: read_cd(d); break;
    case 0x43: read_toc(d); break;
    case 0x46: get_configuration(d); break;
    case 0x4A: get_event_status(d); break;
    case 0x51: read_disc_information(d); break;
    case 0x5A: mode_sense(d); break;
    case 0xBD: mechanism_status(d); break;
    default: check_condition(d, ILLEGAL_REQUEST, INVALID_COMMAND); break;
    }
}

static void cd_next(struct ata_drive *d, bool written)
{
    if (written) {
        memcpy(d->packet, d->buffer, sizeof d->packet);
        execute_packet(d);
    } else if (d->command == 0xA1) {
        ata_settle(d);
    } else if (d->read_left != 0) {
        offer_part(d);
    } else {
        succeed(d);
    }
}

/* ---- ATA commands */

static void identify(struct ata_drive *d)
{
    u8 *w = d->buffer;

    memset(w, 0, ATA_SECTOR);
    store_le16(w, 0x85C0); /* ATAPI, CD-ROM, removable, DRQ within 50 us, 12-byte packets */
    ata_put_text(w + 20, d->serial, 20);
    ata_put_text(w + 46, "1.0", 8);
    ata_put_text(w + 54, d->model, 40);
    store_le16(w + 2 * 49, 0x0B00); /* DMA, LBA, IORDY */
    store_le16(w + 2 * 53, 7);
    store_le16(w + 2 * 63, (u16)(7 | (d->dma_mode >> 3 == 4 ? 0x100u << (d->dma_mode & 7) : 0)));
    store_le16(w + 2 * 64, 3);
    for (unsigned word = 65; word <= 68; word++)
        store_le16(w + 2 * word, 120);
    store_le16(w + 2 * 80, 0x7E);
    store_le16(w + 2 * 82, 0x0210); /* PACKET, DEVICE RESET */
    store_le16(w + 2 * 83, 0x4000);
    store_le16(w + 2 * 85, 0x0210);
    store_le16(w + 2 * 88, (u16)(0x3F | (d->dma_mode >> 3 == 8 ? 0x100u << (d->dma_mode & 7) : 0)));
    ata_put_integrity(w);
    ata_data_in(d, ATA_SECTOR, true);
}

static void set_features(struct ata_drive *d)
{
    u8 mode = d->count[0];

    if (d->feature[0] != 0x03 ||
        !(mode >> 3 <= 1 || (mode >> 3 == 4 && (mode & 7) <= 2) || (mode >> 3 == 8 && (mode & 7) <= 5))) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    if (mode >> 3 >= 4)
        d->dma_mode = mode;
    ata_complete(d);
}

static void cd_signature(struct ata_drive *d)
{
    d->count[0] = d->lba[0][0] = 1;
    d->lba[1][0] = 0x14;
    d->lba[2][0] = 0xEB;
    d->status = 0; /* a packet device is not DRDY after a reset */
}

static void cd_execute(struct ata_drive *d)
{
    switch (d->command) {
    case 0xA0:
        if (d->feature[0] & 2) { /* overlapped */
            ata_fail(d, ATA_ABRT);
            return;
        }
        d->by_dma = d->feature[0] & 1;
        say(d, ATAPI_COMMAND);
        ata_data_out(d, sizeof d->packet, false);
        return;
    case 0xA1: identify(d); return;
    case 0xEF: set_features(d); return;
    case 0x20: /* READ SECTORS and IDENTIFY DEVICE: a host learns that this is a packet device */
    case 0xEC:
        cd_signature(d);
        ata_fail(d, ATA_ABRT);
        return;
    case 0xE0:
    case 0xE1:
    case 0xE6: ata_complete(d); return;
    case 0xE5:
        d->count[0] = 0xFF;
        ata_complete(d);
        return;
    default: ata_fail(d, ATA_ABRT); return;
    }
}

static const struct ata_drive_ops cd_ops = {
    .execute = cd_execute, .next = cd_next, .dma = cd_dma, .signature = cd_signature, .packet = true};

struct ata_drive *ata_cd_new(const struct block *medium, const char *serial)
{
    struct ata_drive *d = calloc(1, sizeof *d);

    if (d == NULL)
        abort();
    d->ops = &cd_ops;
    d->medium = medium;
    d->medium_changed = medium != NULL;
    d->dma_mode = 0x22;
    strncpy(d->serial, serial, sizeof d->serial - 1);
    strcpy(d->model, "RINGSIDE CD-ROM");
    return d;
}
