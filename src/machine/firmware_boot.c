/* SPDX-License-Identifier: MIT
 * Starting by firmware.
 */
#include "machine/firmware_boot.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/bits.h"
#include "machine/guest_file.h"

#define IMAGE_UNIT 0x10000u
#define IMAGE_MAX (16u << 20)
#define LOW_BYTES 0x20000u /* of the image's end that are seen below 1 MiB */
#define E820_ENTRY 20u
#define COM1_PORT 0x3F8u

static const char *const places[] = {
    "/usr/share/seabios/bios-256k.bin",
    "/usr/share/seabios/bios.bin",
    "/usr/share/qemu/bios-256k.bin",
};

const char *firmware_boot_path(const char *asked)
{
    for (unsigned i = 0; asked == NULL && i < ARRAY_LEN(places); i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return asked;
}

bool firmware_boot_map(struct physmem *pm, const char *path, struct error *err)
{
    struct guest_file file;
    size_t low;

    path = firmware_boot_path(path);
    if (path == NULL)
        return error_set(err, EXIT_FILE,
                         "no BIOS: %s is not there; install Debian's package seabios, or give one with -bios FILE",
                         places[0]);
    if (!guest_file_read(&file, "BIOS", path, IMAGE_MAX, err))
        return false;
    if (file.size % IMAGE_UNIT != 0) {
        error_set(err, EXIT_FILE, "the BIOS '%s' has %zu bytes: an image is a whole number of 64 KiB", path, file.size);
        guest_file_free(&file);
        return false;
    }
    low = file.size < LOW_BYTES ? file.size : LOW_BYTES;
    physmem_map_rom(pm, BIT(32) - file.size, file.size, file.bytes, "bios");
    physmem_map_rom(pm, 0x100000 - low, low, file.bytes + file.size - low, "bios");
    guest_file_free(&file);
    return true;
}

static u8 *put_e820(u8 *at, u64 base, u64 size)
{
    store_le64(at, base);
    store_le64(at + 8, size);
    store_le32(at + 16, 1); /* RAM */
    return at + E820_ENTRY;
}

static void add_number(struct fw_cfg *fw_cfg, enum fw_cfg_key key, u64 value, size_t size)
{
    u8 bytes[8];

    store_le64(bytes, value);
    fw_cfg_add(fw_cfg, key, bytes, size);
}

void firmware_boot_describe(struct fw_cfg *fw_cfg, const struct firmware_facts *facts)
{
    u8 e820[2 * E820_ENTRY], *end = put_e820(e820, 0, facts->low), port[2];

    if (facts->high != 0)
        end = put_e820(end, BIT(32), facts->high);
    fw_cfg_add_file(fw_cfg, "etc/e820", e820, (size_t)(end - e820));
    add_number(fw_cfg, FW_CFG_RAM_SIZE, facts->low + facts->high, 8);
    add_number(fw_cfg, FW_CFG_CPUS, facts->cpus, 2);
    add_number(fw_cfg, FW_CFG_MAX_CPUS, facts->cpus, 2);
    if (facts->serial_only) {
        store_le16(port, COM1_PORT);
        fw_cfg_add_file(fw_cfg, "etc/sercon-port", port, sizeof port);
    }
}
