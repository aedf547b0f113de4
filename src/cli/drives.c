/* SPDX-License-Identifier: MIT
 * The images of a run.
 */
#include "cli/drives.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/fdc_drive.h"

#define CD_UNIT 2u /* the secondary channel's first, as QEMU has it */
#define CD_DESCRIPTOR 0x8001u

/* ---- options */

static bool take_unit(struct drive_options *o, unsigned unit, const char *path, struct error *err)
{
    struct drive_option *d = &o->unit[unit];

    if (d->kind != DRIVE_NONE)
        return error_set(err, EXIT_USAGE, "'%s' and '%s' both want %s unit %u: give one another index=", d->path, path,
                         unit < MACHINE_IDE_DRIVES ? "IDE"
                         : unit < MACHINE_DISKS    ? "virtio"
                                                   : "floppy",
                         unit % MACHINE_IDE_DRIVES);
    if (strlen(path) >= sizeof d->path)
        return error_set(err, EXIT_USAGE, "the image's name has more than %zu characters", sizeof d->path - 1);
    memcpy(d->path, path, strlen(path) + 1);
    return true;
}

bool drives_add_disk(struct drive_options *o, unsigned unit, const char *path, struct error *err)
{
    if (!take_unit(o, unit, path, err))
        return false;
    o->unit[unit].kind = DRIVE_DISK;
    return true;
}

bool drives_add_floppy(struct drive_options *o, unsigned unit, const char *path, struct error *err)
{
    unit += MACHINE_DISKS;
    if (!take_unit(o, unit, path, err))
        return false;
    o->unit[unit].kind = DRIVE_FLOPPY;
    return true;
}

bool drives_add_cd(struct drive_options *o, const char *path, struct error *err)
{
    if (!take_unit(o, CD_UNIT, path, err))
        return false;
    o->unit[CD_UNIT].kind = DRIVE_CD;
    return true;
}

static bool parse_switch(const char *name, const char *text, bool *out, struct error *err)
{
    if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
        return error_set(err, EXIT_USAGE, "-drive %s=%s: on or off", name, text);
    *out = strcmp(text, "on") == 0;
    return true;
}

/* One property of -drive. index: stays MACHINE_DRIVES until it is given */
static bool take_property(struct drive_option *d, unsigned *index, const char *name, const char *value,
                          struct error *err)
{
    bool read_only;

    if (strcmp(name, "file") == 0) {
        if (strlen(value) >= sizeof d->path)
            return error_set(err, EXIT_USAGE, "the image's name has more than %zu characters", sizeof d->path - 1);
        snprintf(d->path, sizeof d->path, "%s", value);
    } else if (strcmp(name, "if") == 0) {
        if (strcmp(value, "ide") != 0 && strcmp(value, "virtio") != 0 && strcmp(value, "floppy") != 0)
            return error_set(err, EXIT_USAGE, "-drive if=%s: ide or virtio or floppy", value);
        d->virtio = value[0] == 'v';
        d->floppy = value[0] == 'f';
    } else if (strcmp(name, "index") == 0) {
        if (value[0] < '0' || value[0] >= '0' + (int)MACHINE_IDE_DRIVES || value[1] != '\0')
            return error_set(err, EXIT_USAGE, "-drive index=%s: 0 to %u", value, MACHINE_IDE_DRIVES - 1);
        *index = (unsigned)(value[0] - '0');
    } else if (strcmp(name, "media") == 0) {
        if (strcmp(value, "disk") != 0 && strcmp(value, "cdrom") != 0)
            return error_set(err, EXIT_USAGE, "-drive media=%s: disk or cdrom", value);
        d->kind = value[0] == 'c' ? DRIVE_CD : DRIVE_DISK;
    } else if (strcmp(name, "format") == 0) {
        if (strcmp(value, "raw") != 0)
            return error_set(err, EXIT_USAGE,
                             "-drive format=%s: only raw images are read; 'qemu-img convert -O raw IN OUT' makes one",
                             value);
        d->raw = true;
    } else if (strcmp(name, "readonly") == 0 || strcmp(name, "read-only") == 0) {
        if (!parse_switch(name, value, &read_only, err))
            return false;
        d->writable = !read_only;
    } else if (strcmp(name, "snapshot") == 0) {
        return parse_switch(name, value, &d->snapshot, err);
    } else {
        return error_set(err, EXIT_USAGE,
                         "-drive has no property '%s' (file, if, index, media, format, readonly, snapshot)", name);
    }
    return true;
}

bool drives_add(struct drive_options *o, const char *value, struct error *err)
{
    struct drive_option d = {.kind = DRIVE_DISK};
    unsigned index = MACHINE_DRIVES, first, end;

    while (*value != '\0') {
        size_t length = strcspn(value, ","), name = strcspn(value, "=,");
        char word[sizeof d.path + 32];

        if (length >= sizeof word || name == length)
            return error_set(err, EXIT_USAGE, "-drive wants NAME=VALUE,..., not '%s'", value);
        memcpy(word, value, length);
        word[length] = word[name] = '\0';
        if (!take_property(&d, &index, word, word + name + 1, err))
            return false;
        value += length + (value[length] == ',');
    }
    if (d.path[0] == '\0' && d.kind != DRIVE_CD)
        return error_set(err, EXIT_USAGE, "-drive wants file=IMAGE");
    if ((d.virtio || d.floppy) && d.kind == DRIVE_CD)
        return error_set(err, EXIT_USAGE, "-drive if=%s is a disk: media=cdrom wants if=ide",
                         d.virtio ? "virtio" : "floppy");
    if (d.floppy)
        d.kind = DRIVE_FLOPPY;
    first = d.floppy ? MACHINE_DISKS : d.virtio ? MACHINE_IDE_DRIVES : 0;
    end = d.floppy ? MACHINE_DRIVES : d.virtio ? MACHINE_DISKS : MACHINE_IDE_DRIVES;
    if (d.floppy && index != MACHINE_DRIVES && index >= end - first)
        return error_set(err, EXIT_USAGE, "-drive if=floppy,index=%u: 0 or 1", index);
    if (index != MACHINE_DRIVES)
        index += first;
    for (unsigned i = first; i < end && index == MACHINE_DRIVES; i++)
        if (o->unit[i].kind == DRIVE_NONE)
            index = i;
    if (index == MACHINE_DRIVES)
        return error_set(err, EXIT_USAGE, "-drive file=%s: there are %u drives of this kind already", d.path,
                         end - first);
    if (!take_unit(o, index, d.path, err))
        return false;
    o->unit[index] = d;
    return true;
}

bool drives_parse_boot(u8 order[BOOT_DEVICES], const char *value, struct error *err)
{
    static const struct {
        char letter;
        u8 device;
    } letters[] = {{'a', BOOT_FLOPPY}, {'c', BOOT_DISK}, {'d', BOOT_CD}, {'n', BOOT_NETWORK}};
    const char *text = strncmp(value, "order=", 6) == 0 ? value + 6 : value;
    unsigned count = 0;

    memset(order, 0, BOOT_DEVICES);
    for (; *text != '\0'; text++) {
        u8 device = BOOT_END;

        for (unsigned i = 0; i < ARRAY_LEN(letters); i++)
            if (letters[i].letter == *text)
                device = letters[i].device;
        if (device == BOOT_END || count == BOOT_DEVICES)
            return error_set(err, EXIT_USAGE,
                             "-boot %s: up to %u letters of a (floppy), c (hard disk), d (CD), n (network)", value,
                             BOOT_DEVICES);
        order[count++] = device;
    }
    return count != 0 || error_set(err, EXIT_USAGE, "-boot wants an order, as in -boot order=dc");
}

void drives_default_boot(u8 order[BOOT_DEVICES], const struct drive_options *o)
{
    bool has_disk = false, has_floppy = false;
    unsigned count = 0;

    for (unsigned i = 0; i < MACHINE_DRIVES; i++)
        has_disk |= o->unit[i].kind == DRIVE_DISK;
    has_floppy = o->unit[MACHINE_DISKS].kind == DRIVE_FLOPPY;
    if (has_disk)
        order[count++] = BOOT_DISK;
    if (has_floppy)
        order[count++] = BOOT_FLOPPY;
    order[count++] = BOOT_CD;
    if (count < BOOT_DEVICES)
        order[count++] = BOOT_NETWORK;
    while (count < BOOT_DEVICES)
        order[count++] = BOOT_END;
}

/* ---- what a file is */

static bool read_at(FILE *file, long offset, u8 *out, size_t size)
{
    return fseek(file, offset, SEEK_SET) == 0 && fread(out, 1, size, file) == size;
}

static bool has_floppy_size(FILE *file)
{
    const struct fdc_geometry *g;
    u64 bytes;

    if (fseek(file, 0, SEEK_END) != 0)
        return false;
    bytes = (u64)ftell(file);
    g = fdc_geometry(bytes);
    return g != NULL && fdc_geometry_bytes(g) == bytes;
}

enum machine_drive_kind drives_recognise(const char *path)
{
    FILE *file = fopen(path, "rb");
    enum machine_drive_kind kind = DRIVE_NONE;
    u8 sector[1024], descriptor[5];

    if (file == NULL)
        return DRIVE_NONE;
    if (read_at(file, CD_DESCRIPTOR, descriptor, sizeof descriptor) && memcmp(descriptor, "CD001", 5) == 0)
        kind = DRIVE_CD;
    else if (read_at(file, 0, sector, sizeof sector) && sector[510] == 0x55 && sector[511] == 0xAA &&
             memcmp(sector + 0x202, "HdrS", 4) != 0) /* a Linux kernel has a boot sector's signature, too */
        kind = has_floppy_size(file) ? DRIVE_FLOPPY : DRIVE_DISK;
    fclose(file);
    return kind;
}

/* ---- open */

bool drives_open(struct drives *d, const struct drive_options *o, struct machine_options *machine, struct error *err)
{
    for (unsigned i = 0; i < MACHINE_DRIVES; i++) {
        const struct drive_option *u = &o->unit[i];
        bool kept = u->snapshot || o->snapshot;
        enum image_writes writes = kept ? IMAGE_KEPT : u->writable ? IMAGE_WRITTEN : IMAGE_REFUSED;

        machine->drives[i] = (struct machine_drive){.kind = u->kind};
        if (u->kind == DRIVE_NONE || u->path[0] == '\0')
            continue;
        d->image[i] = image_open(u->path, u->kind == DRIVE_CD ? IMAGE_REFUSED : writes,
                                 u->kind == DRIVE_CD ? 2048 : 512, u->raw, err);
        if (d->image[i] == NULL)
            return false;
        machine->drives[i].medium = image_block(d->image[i]);
        machine->drives[i].write_protected = writes == IMAGE_REFUSED;
        if (u->kind == DRIVE_FLOPPY && fdc_geometry(machine->drives[i].medium->bytes) == NULL)
            return error_set(err, EXIT_FILE, "the image '%s' has %llu bytes: no floppy disk has so many", u->path,
                             (unsigned long long)machine->drives[i].medium->bytes);
    }
    return true;
}

bool drives_close(struct drives *d, struct error *err)
{
    bool ok = true;

    for (unsigned i = 0; i < MACHINE_DRIVES; i++) {
        struct image *image = d->image[i];

        if (image == NULL)
            continue;
        if (image_refused(image) != 0)
            fprintf(
                stderr,
                "ringside: the guest's %llu writes to '%s' were refused: -drive file=...,readonly=off lets it write, "
                "-snapshot keeps what it writes for the run\n",
                (unsigned long long)image_refused(image), image_path(image));
        if (!block_flush(image_block(image)) && ok)
            ok = error_set(err, EXIT_FILE, "what the guest wrote to '%s' could not be kept: the host's disk failed",
                           image_path(image));
        image_close(image);
        d->image[i] = NULL;
    }
    return ok;
}
