/* SPDX-License-Identifier: MIT
 * -hda, -cdrom, -drive, -snapshot and -boot: which images a run has, and the images themselves.
 */
#ifndef RINGSIDE_CLI_DRIVES_H
#define RINGSIDE_CLI_DRIVES_H

#include "block/image.h"
#include "machine/machine.h"

/* What the options say of one unit (machine.h). */
struct drive_option {
    enum machine_drive_kind kind;
    char path[1024]; /* empty: a CD drive with nothing in it */
    bool virtio;     /* if=virtio */
    bool floppy;     /* if=floppy */
    bool raw;        /* format=raw: whatever the file begins with */
    bool writable;   /* readonly=off */
    bool snapshot;
};

struct drive_options {
    struct drive_option unit[MACHINE_DRIVES];
    bool snapshot; /* -snapshot: of all */
};

/* unit: 0 for -hda to 3 for -hdd. Each returns false with err set (EXIT_USAGE): what is wrong, and what is there. */
bool drives_add_disk(struct drive_options *o, unsigned unit, const char *path, struct error *err);
/* unit: 0 for -fda, 1 for -fdb */
bool drives_add_floppy(struct drive_options *o, unsigned unit, const char *path, struct error *err);
bool drives_add_cd(struct drive_options *o, const char *path, struct error *err);
/* -drive file=F[,if=ide|virtio|floppy][,index=N][,media=disk|cdrom][,format=raw][,readonly=on|off][,snapshot=on|off] */
bool drives_add(struct drive_options *o, const char *value, struct error *err);
/* -boot [order=]LETTERS: a floppy, c hard disk, d CD, n network. */
bool drives_parse_boot(u8 order[BOOT_DEVICES], const char *value, struct error *err);
/* The order when nothing is said: the first hard disk, then a floppy disk, then the CD, then the network; no more than
 * BOOT_DEVICES. */
void drives_default_boot(u8 order[BOOT_DEVICES], const struct drive_options *o);

/* An image given as the run's only word, which is no kernel: a CD when it has a volume descriptor, else a disk when it
 * has a boot sector: a floppy disk when there are such of its size. returns: DRIVE_NONE: neither */
enum machine_drive_kind drives_recognise(const char *path);

/* The images of a run, open. */
struct drives {
    struct image *image[MACHINE_DRIVES];
};

/* Open every image and connect it. returns: false with err set (EXIT_FILE); those that are open stay for drives_close()
 */
bool drives_open(struct drives *d, const struct drive_options *o, struct machine_options *machine, struct error *err);
/* Flush and close. effects: tells on stderr of writes that were refused.
 * returns: false with err set when the host could not keep what was written */
bool drives_close(struct drives *d, struct error *err);

#endif
