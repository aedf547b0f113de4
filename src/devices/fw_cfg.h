/* SPDX-License-Identifier: MIT
 * The firmware configuration interface: items, numbered and named, that the machine offers to its firmware.
 * QEMU documentation, "QEMU Firmware Configuration (fw_cfg) Device".
 */
#ifndef RINGSIDE_DEVICES_FW_CFG_H
#define RINGSIDE_DEVICES_FW_CFG_H

#include "bus/ports.h"

struct fw_cfg;

/* Numbers of items that have no name. */
enum fw_cfg_key { FW_CFG_RAM_SIZE = 0x03, FW_CFG_CPUS = 0x05, FW_CFG_MAX_CPUS = 0x0F };

#define FW_CFG_NAME_BYTES 56u /* of a file's name, with its final zero */

/* Claims the selector and data ports 510h-511h and the DMA address register 514h-51Bh. Signature, features and the
 * directory of files are there from the start. All items are read-only; a number that has no item reads as zeros.
 * in: pm  where DMA goes.  returns: never NULL. */
struct fw_cfg *fw_cfg_new(struct ports *ports, struct physmem *pm);
void fw_cfg_free(struct fw_cfg *f);
/* Add an item (bytes are copied), at most 64 KiB. A small number of each kind fits: asserted, they are the machine's.
 */
void fw_cfg_add(struct fw_cfg *f, enum fw_cfg_key key, const void *bytes, size_t size);
void fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *bytes, size_t size);

#endif
