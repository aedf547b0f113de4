/* SPDX-License-Identifier: MIT
 * The firmware configuration interface.
 * QEMU documentation, "QEMU Firmware Configuration (fw_cfg) Device".
 */
#include "devices/fw_cfg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

#define SELECTOR_PORT 0x510
#define DATA_PORT 0x511
#define DMA_PORT 0x514

#define FIRST_FILE 0x20u
#define FILE_MAX 32u
#define ITEM_MAX (FIRST_FILE + FILE_MAX)
#define ITEM_BYTES_MAX 0x10000u
#define ENTRY_BYTES 64u /* of the directory: size, number, reserved, name */

enum { KEY_SIGNATURE = 0x00, KEY_FEATURES = 0x01, KEY_DIRECTORY = 0x19, FEATURES_PORTS = 1, FEATURES_DMA = 2 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

struct item {
    u8 *bytes;
    u32 size;
};

struct fw_cfg {
    struct physmem *pm;
    struct item items[ITEM_MAX];
    u8 directory[4 + FILE_MAX * ENTRY_BYTES];
    unsigned files;
    u16 selected;
    u32 position; /* in the selected item; stays at its end */
    u32 dma_high; /* upper half of the address of the request */
};

static void select_item(struct fw_cfg *f, u16 key)
{
    f->selected = key;
    f->position = 0;
}

/* The selected item; an empty one when the number has none. */
static const struct item *selected(const struct fw_cfg *f)
{
    static const struct item nothing;

    return f->selected < ITEM_MAX ? &f->items[f->selected] : &nothing;
}

static u8 next_byte(struct fw_cfg *f)
{
    const struct item *item = selected(f);

    return f->position < item->size ? item->bytes[f->position++] : 0;
}

/* ---- the ports */

static u32 read_port(void *device, u16 port, unsigned size)
{
    (void)size;
    return port == DATA_PORT ? next_byte(device) : 0; /* the selector is write-only */
}

static void write_port(void *device, u16 port, u32 value, unsigned size)
{
    if (port == SELECTOR_PORT && size == 2)
        select_item(device, (u16)value);
}

static const struct port_ops ops = {.read = read_port, .write = write_port, .sizes = 1 | 2};

/* ---- DMA: a request lies in memory, big-endian: control (4 bytes), length (4), address (8) */

/* Bytes beyond the item's end read as zeros, so the work is bounded by what the guest's RAM can take: a transfer ends,
 * as an error, where the address is no RAM. */
static bool dma_read(struct fw_cfg *f, u64 address, u32 length)
{
    const struct item *item = selected(f);

    while (length != 0) {
        u32 left = item->size - f->position, to_page_end = (u32)(PAGE_SIZE - (address & (PAGE_SIZE - 1)));
        u32 chunk = length < to_page_end ? length : to_page_end;
        u32 real = chunk < left ? chunk : left;
        u8 page[PAGE_SIZE] = {0};

        if (physmem_holder(f->pm, address) == NULL)
            return false;
        if (real != 0)
            memcpy(page, item->bytes + f->position, real);
        physmem_write(f->pm, address, page, chunk, INITIATOR_DMA);
        f->position += real;
        address += chunk;
        length -= chunk;
    }
    return true;
}

static void dma_skip(struct fw_cfg *f, u32 length)
{
    u32 left = selected(f)->size - f->position;

    f->position += length < left ? length : left;
}

static void dma_request(struct fw_cfg *f, u64 request)
{
    u8 block[16], answer[4];
    u32 control, length;
    bool ok = true;

    physmem_read(f->pm, request, block, sizeof block, INITIATOR_DMA);
    control = load_be32(block);
    length = load_be32(block + 4);
    if (control & DMA_SELECT)
        select_item(f, (u16)(control >> 16));
    if (control & DMA_READ)
        ok = dma_read(f, (u64)load_be32(block + 8) << 32 | load_be32(block + 12), length);
    else if (control & DMA_WRITE)
        ok = false; /* nothing can be written */
    else if (control & DMA_SKIP)
        dma_skip(f, length);
    store_be32(answer, ok ? 0 : DMA_ERROR);
    physmem_write(f->pm, request, answer, sizeof answer, INITIATOR_DMA);
}

static u32 read_dma(void *device, u16 port, unsigned size)
{
    static const u8 signature[8] = "QEMU CFG"; /* big-endian as the register is */
    u32 value = 0;

    (void)device;
    for (unsigned i = 0; i < size && port - DMA_PORT + i < sizeof signature; i++)
        value |= (u32)signature[port - DMA_PORT + i] << (8 * i);
    return value;
}

static void write_dma(void *device, u16 port, u32 value, unsigned size)
{
    struct fw_cfg *f = device;
    u64 request;

    if (size != 4)
        return; /* the register is two doublewords */
    value = __builtin_bswap32(value);
    if (port == DMA_PORT) {
        f->dma_high = value;
    } else if (port == DMA_PORT + 4) {
        request = (u64)f->dma_high << 32 | value;
        f->dma_high = 0;
        dma_request(f, request);
    }
}

static const struct port_ops dma_ops = {.read = read_dma, .write = write_dma, .sizes = 1 | 2 | 4};

/* ---- items */

static void set_item(struct fw_cfg *f, unsigned key, const void *bytes, size_t size)
{
    struct item *item = &f->items[key];

    assert(key < ITEM_MAX && item->bytes == NULL && size <= ITEM_BYTES_MAX);
    item->bytes = malloc(size != 0 ? size : 1);
    if (item->bytes == NULL)
        abort();
    memcpy(item->bytes, bytes, size);
    item->size = (u32)size;
}

void fw_cfg_add(struct fw_cfg *f, enum fw_cfg_key key, const void *bytes, size_t size)
{
    assert(key < FIRST_FILE);
    set_item(f, key, bytes, size);
}

void fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *bytes, size_t size)
{
    u8 *entry = f->directory + 4 + f->files * ENTRY_BYTES;

    assert(f->files < FILE_MAX && strlen(name) < FW_CFG_NAME_BYTES);
    set_item(f, FIRST_FILE + f->files, bytes, size);
    store_be32(entry, (u32)size);
    store_be16(entry + 4, (u16)(FIRST_FILE + f->files));
    memcpy(entry + 8, name, strlen(name));
    f->files++;
    store_be32(f->directory, f->files);
    f->items[KEY_DIRECTORY].size = 4 + f->files * ENTRY_BYTES;
}

struct fw_cfg *fw_cfg_new(struct ports *ports, struct physmem *pm)
{
    struct fw_cfg *f = calloc(1, sizeof *f);
    u8 features[4] = {FEATURES_PORTS | FEATURES_DMA};

    if (f == NULL)
        abort();
    f->pm = pm;
    set_item(f, KEY_SIGNATURE, "QEMU", 4);
    set_item(f, KEY_FEATURES, features, sizeof features);
    f->items[KEY_DIRECTORY] = (struct item){.bytes = f->directory, .size = 4};
    ports_claim(ports, SELECTOR_PORT, 2, &ops, f, "fw-cfg");
    ports_claim(ports, DMA_PORT, 8, &dma_ops, f, "fw-cfg dma");
    return f;
}

void fw_cfg_free(struct fw_cfg *f)
{
    if (f == NULL)
        return;
    f->items[KEY_DIRECTORY].bytes = NULL; /* part of f */
    for (unsigned i = 0; i < ITEM_MAX; i++)
        free(f->items[i].bytes);
    free(f);
}
