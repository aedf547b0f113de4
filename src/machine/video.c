/* SPDX-License-Identifier: MIT
 * The display adapter on the board.
 */
#define _GNU_SOURCE /* memmem */
#include "machine/video.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/vga_pci.h"
#include "machine/guest_file.h"

#define ROM_MAX 0x10000u

static const char *const places[] = {
    "/usr/share/seabios/vgabios-stdvga.bin",
    "/usr/share/qemu/vgabios-stdvga.bin",
    "/usr/share/vgabios/vgabios-stdvga.bin",
};

struct video {
    struct vga *vga;
    struct vga_pci *pci;
};

const char *video_firmware_path(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(places); i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

/* returns: false with err set; rom->size is 0 when there is none and none is needed */
static bool read_rom(struct guest_file *rom, bool needed, struct error *err)
{
    const char *path = video_firmware_path();

    *rom = (struct guest_file){0};
    if (path != NULL)
        return guest_file_read(rom, "video firmware", path, ROM_MAX, err);
    return !needed ||
           error_set(err, EXIT_FILE,
                     "no video firmware: %s is not there; install Debian's package seabios, or say -vga none",
                     places[0]);
}

/* The font of 8x16 dots in the firmware, known by its character 1, the smiling face. NULL: it has another. */
static const u8 *find_font(const struct guest_file *rom)
{
    static const u8 face[16] = {0, 0, 0x7E, 0x81, 0xA5, 0x81, 0x81, 0xBD, 0x99, 0x81, 0x81, 0x7E, 0, 0, 0, 0};
    const u8 *at = rom->size == 0 ? NULL : memmem(rom->bytes, rom->size, face, sizeof face);
    size_t offset = at == NULL ? 0 : (size_t)(at - rom->bytes);

    return offset >= 16 && rom->size - (offset - 16) >= VGA_FONT_BYTES ? at - 16 : NULL;
}

struct video *video_new(struct ports *ports, struct physmem *pm, const struct clock *clock, struct pci_host *host,
                        bool by_firmware, struct error *err)
{
    struct video *v = calloc(1, sizeof *v);
    struct guest_file rom;

    if (v == NULL)
        abort();
    if (!read_rom(&rom, by_firmware, err)) {
        free(v);
        return NULL;
    }
    v->vga = vga_new(ports, pm, clock, VIDEO_MEMORY);
    v->pci = vga_pci_new(host, VIDEO_SLOT, pm, v->vga, rom.bytes, rom.size);
    if (!by_firmware)
        vga_preset_text(v->vga, find_font(&rom));
    if (rom.size != 0)
        guest_file_free(&rom);
    return v;
}

void video_free(struct video *v)
{
    if (v == NULL)
        return;
    vga_pci_free(v->pci);
    vga_free(v->vga);
    free(v);
}

const struct vga *video_vga(const struct video *v) { return v->vga; }
