/* SPDX-License-Identifier: MIT
 * The display adapter on the board: the VGA, its PCI function, and its firmware from SeaVGABIOS.
 */
#ifndef RINGSIDE_MACHINE_VIDEO_H
#define RINGSIDE_MACHINE_VIDEO_H

#include "base/error.h"
#include "bus/clock.h"
#include "devices/pci_host.h"
#include "devices/vga.h"

#define VIDEO_SLOT 2u            /* on PCI bus 0 */
#define VIDEO_MEMORY (16u << 20) /* bytes */

struct video;

/* Make the adapter. Its expansion ROM is SeaVGABIOS, where Debian's package puts it.
 * in: by_firmware  true: firmware will run the ROM, which must be there; false: nobody will, so that the screen starts
 * in text mode 3 with SeaVGABIOS's font, if it is there returns: NULL with err set (EXIT_FILE) when the ROM is needed
 * and missing, or cannot be read */
struct video *video_new(struct ports *ports, struct physmem *pm, const struct clock *clock, struct pci_host *host,
                        bool by_firmware, struct error *err);
/* The file that video_new() takes the ROM from; NULL: there is none. */
const char *video_firmware_path(void);
void video_free(struct video *video);
const struct vga *video_vga(const struct video *video);

#endif
