/* SPDX-License-Identifier: MIT
 * An initial RAM disk, made in memory. Linux documentation, "initramfs buffer format" (newc).
 */
#include "machine/initramfs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* File types of the format's mode field, which are those of stat(). */
enum { TYPE_DEVICE = 0020000, TYPE_DIRECTORY = 0040000, TYPE_FILE = 0100000, TYPE_SYMLINK = 0120000 };

#define HEADER_BYTES 110u /* "070701" and 13 fields of 8 hexadecimal digits */

#define INITRAMFS_MAX ((size_t)0x7FFF0000)

struct member {
    char *path; /* without the leading slash, as the archive has it */
    u32 type;
};

struct initramfs {
    u8 *bytes;
    size_t size, room;
    struct member *member;
    size_t members, member_room;
    bool finished;
};

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

struct initramfs *initramfs_new(void) { return must(calloc(1, sizeof(struct initramfs))); }

void initramfs_free(struct initramfs *fs)
{
    if (fs == NULL)
        return;
    for (size_t i = 0; i < fs->members; i++)
        free(fs->member[i].path);
    free(fs->member);
    free(fs->bytes);
    free(fs);
}

static void append(struct initramfs *fs, const void *bytes, size_t size)
{
    if (fs->size + size > fs->room) {
        fs->room = 2 * (fs->size + size);
        fs->bytes = must(realloc(fs->bytes, fs->room));
    }
    if (size != 0)
        memcpy(fs->bytes + fs->size, bytes, size);
    fs->size += size;
}

/* Header with name, and data, each end at a multiple of four bytes. */
static void pad(struct initramfs *fs)
{
    static const u8 zeros[4];

    append(fs, zeros, -fs->size & 3);
}

struct header {
    size_t number;
    u32 mode;
    size_t size;
    u32 major, minor;
};

static void append_member(struct initramfs *fs, const char *name, const struct header *h, const void *bytes)
{
    char text[HEADER_BYTES + 1];
    unsigned links = (h->mode & 0170000) == TYPE_DIRECTORY ? 2 : 1;

    /* magic, inode, mode, owner, group, links, time, size, device of the file system, device, length of the name, sum
     */
    snprintf(text, sizeof text, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", (unsigned)h->number,
             h->mode, 0u, 0u, links, 0u, (unsigned)h->size, 0u, 0u, h->major, h->minor, (unsigned)strlen(name) + 1, 0u);
    append(fs, text, HEADER_BYTES);
    append(fs, name, strlen(name) + 1);
    pad(fs);
    append(fs, bytes, h->size);
    pad(fs);
}

/* in: path  without the leading slash; length bytes of it count */
static const struct member *find(const struct initramfs *fs, const char *path, size_t length)
{
    for (size_t i = 0; i < fs->members; i++)
        if (strlen(fs->member[i].path) == length && memcmp(fs->member[i].path, path, length) == 0)
            return &fs->member[i];
    return NULL;
}

bool initramfs_has(const struct initramfs *fs, const char *path)
{
    return find(fs, path + 1, strlen(path + 1)) != NULL;
}

size_t initramfs_size(const struct initramfs *fs) { return fs->size; }

static void add_member(struct initramfs *fs, const char *name, size_t length, struct header h, const void *bytes)
{
    char *path = must(strndup(name, length));

    if (fs->members == fs->member_room) {
        fs->member_room = fs->member_room == 0 ? 64 : 2 * fs->member_room;
        fs->member = must(realloc(fs->member, fs->member_room * sizeof *fs->member));
    }
    fs->member[fs->members++] = (struct member){.path = path, .type = h.mode & 0170000};
    h.number = fs->members;
    append_member(fs, path, &h, bytes);
}

static bool add_parents(struct initramfs *fs, const char *name, struct error *err)
{
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const struct member *above = find(fs, name, (size_t)(slash - name));

        if (above == NULL)
            add_member(fs, name, (size_t)(slash - name), (struct header){.mode = TYPE_DIRECTORY | 0755}, NULL);
        else if (above->type != TYPE_DIRECTORY)
            return error_set(err, EXIT_FILE, "'/%s' cannot be put into the guest: '/%s' is no directory there", name,
                             above->path);
    }
    return true;
}

static bool add(struct initramfs *fs, const char *path, const struct header *h, const void *bytes, struct error *err)
{
    const char *name = path + 1;

    assert(path[0] == '/' && !fs->finished);
    if (name[0] == '\0')
        return true; /* the root is always there */
    if (strlen(path) >= INITRAMFS_PATH_MAX)
        return error_set(err, EXIT_FILE, "'%.60s...' cannot be put into the guest: its path is longer than %u bytes",
                         path, INITRAMFS_PATH_MAX - 1);
    if (h->size > INITRAMFS_MAX - fs->size)
        return error_set(err, EXIT_FILE, "'%s' cannot be put into the guest: an initial RAM disk holds less than 2 GiB",
                         path);
    if (!add_parents(fs, name, err))
        return false;
    if (find(fs, name, strlen(name)) == NULL)
        add_member(fs, name, strlen(name), *h, bytes);
    return true;
}

bool initramfs_add_directory(struct initramfs *fs, const char *path, u32 mode, struct error *err)
{
    return add(fs, path, &(struct header){.mode = TYPE_DIRECTORY | (mode & 07777)}, NULL, err);
}

bool initramfs_add_file(struct initramfs *fs, const char *path, u32 mode, const void *bytes, size_t size,
                        struct error *err)
{
    return add(fs, path, &(struct header){.mode = TYPE_FILE | (mode & 07777), .size = size}, bytes, err);
}

bool initramfs_add_symlink(struct initramfs *fs, const char *path, const char *target, struct error *err)
{
    return add(fs, path, &(struct header){.mode = TYPE_SYMLINK | 0777, .size = strlen(target)}, target, err);
}

bool initramfs_add_device(struct initramfs *fs, const char *path, u32 mode, u32 major, u32 minor, struct error *err)
{
    return add(fs, path, &(struct header){.mode = TYPE_DEVICE | (mode & 07777), .major = major, .minor = minor}, NULL,
               err);
}

const u8 *initramfs_finish(struct initramfs *fs, size_t *size)
{
    if (!fs->finished)
        append_member(fs, "TRAILER!!!", &(struct header){.number = 0}, NULL);
    fs->finished = true;
    *size = fs->size;
    return fs->bytes;
}
