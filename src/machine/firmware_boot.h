/* SPDX-License-Identifier: MIT
 * Starting by firmware: the BIOS image in ROM, and what the machine tells it about itself.
 */
#ifndef RINGSIDE_MACHINE_FIRMWARE_BOOT_H
#define RINGSIDE_MACHINE_FIRMWARE_BOOT_H

#include "base/error.h"
#include "bus/physmem.h"
#include "devices/fw_cfg.h"

/* returns: asked, or SeaBIOS's path where Debian's package puts it, or NULL: it is not there */
const char *firmware_boot_path(const char *asked);
/* Map the image so that it ends at 4 GiB, and its last 128 KiB once more so that they end at 1 MiB.
 * in:  path  NULL: SeaBIOS, where Debian's package puts it
 * returns: false with err set (EXIT_FILE): not found, or not a whole number of 64 KiB up to 16 MiB */
bool firmware_boot_map(struct physmem *pm, const char *path, struct error *err);

struct firmware_facts {
    u64 low, high;    /* bytes of RAM below and from 4 GiB */
    unsigned cpus;    /* that there are, and that there can be */
    bool serial_only; /* the BIOS's screen and keyboard are COM1 */
};

/* Items of fw_cfg that say what the machine is. source: QEMU's fw_cfg documentation; SeaBIOS, "Runtime_config" */
void firmware_boot_describe(struct fw_cfg *fw_cfg, const struct firmware_facts *facts);

#endif
