/* SPDX-License-Identifier: MIT
 * Raw images, and the overlay that keeps a guest's writes out of them.
 * Not implemented: qcow2, VMDK, VDI, VHD and VHDX; such a file is refused with the command that converts it.
 */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "block/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#define CLUSTER 4096u

struct image {
    struct block block;
    char *path;
    int fd;
    enum image_writes writes;
    u64 file_bytes; /* what lies behind reads as zeros */
    u64 refused;
    /* IMAGE_KEPT: written clusters, and a bit for each. Both are mapped lazily. */
    u8 *kept, *map;
};

/* ---- the file */

static bool read_file(const struct image *image, u64 offset, u8 *out, size_t size)
{
    while (size != 0) {
        ssize_t n;

        if (offset >= image->file_bytes) {
            memset(out, 0, size);
            return true;
        }
        n = pread(image->fd, out, size < image->file_bytes - offset ? size : (size_t)(image->file_bytes - offset),
                  (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) /* 0: the file became shorter while it was used */
            return false;
        out += n;
        offset += (u64)n;
        size -= (size_t)n;
    }
    return true;
}

static bool write_file(const struct image *image, u64 offset, const u8 *in, size_t size)
{
    while (size != 0) {
        ssize_t n = pwrite(image->fd, in, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        in += n;
        offset += (u64)n;
        size -= (size_t)n;
    }
    return true;
}

/* ---- the overlay */

static bool is_kept(const struct image *image, u64 cluster) { return image->map[cluster / 8] >> (cluster % 8) & 1; }

/* Bring a cluster in, so that a part of it can be written. */
static bool keep(struct image *image, u64 cluster)
{
    u64 at = cluster * CLUSTER, left = image->block.bytes - at;

    if (is_kept(image, cluster))
        return true;
    if (!read_file(image, at, image->kept + at, left < CLUSTER ? (size_t)left : CLUSTER))
        return false;
    image->map[cluster / 8] |= (u8)(1 << cluster % 8);
    return true;
}

/* The part of [offset, offset+size) that lies in offset's cluster. */
static size_t in_cluster(u64 offset, size_t size)
{
    size_t left = CLUSTER - (size_t)(offset % CLUSTER);

    return size < left ? size : left;
}

static bool read_kept(struct image *image, u64 offset, u8 *out, size_t size)
{
    while (size != 0) {
        size_t part = in_cluster(offset, size);

        if (is_kept(image, offset / CLUSTER))
            memcpy(out, image->kept + offset, part);
        else if (!read_file(image, offset, out, part))
            return false;
        out += part;
        offset += part;
        size -= part;
    }
    return true;
}

static bool write_kept(struct image *image, u64 offset, const u8 *in, size_t size)
{
    while (size != 0) {
        size_t part = in_cluster(offset, size);

        if (!keep(image, offset / CLUSTER))
            return false;
        memcpy(image->kept + offset, in, part);
        in += part;
        offset += part;
        size -= part;
    }
    return true;
}

/* ---- as a medium */

static bool read_image(void *context, u64 offset, void *out, size_t size)
{
    struct image *image = context;

    return image->writes == IMAGE_KEPT ? read_kept(image, offset, out, size) : read_file(image, offset, out, size);
}

static bool write_image(void *context, u64 offset, const void *in, size_t size)
{
    struct image *image = context;

    switch (image->writes) {
    case IMAGE_REFUSED: image->refused++; return false;
    case IMAGE_KEPT: return write_kept(image, offset, in, size);
    case IMAGE_WRITTEN: return write_file(image, offset, in, size);
    }
    return false;
}

static bool flush_image(void *context)
{
    const struct image *image = context;
    int failed;

    if (image->writes != IMAGE_WRITTEN)
        return true;
    do
        failed = fdatasync(image->fd);
    while (failed != 0 && errno == EINTR);
    return failed == 0;
}

static const struct block_ops image_ops = {read_image, write_image, flush_image};

/* ---- opening */

static const struct {
    const char *name;
    unsigned at, size;
    const char *magic;
} formats[] = {
    {"qcow2", 0, 4, "QFI\xfb"}, {"vmdk", 0, 4, "KDMV"},    {"vdi", 0x40, 4, "\x7f\x10\xda\xbe"},
    {"vhdx", 0, 8, "vhdxfile"}, {"vpc", 0, 8, "conectix"}, {"qed", 0, 4, "QED\0"},
};

/* A container that holds a disk, taken for the disk itself, would show the guest nonsense. */
static bool check_format(const struct image *image, struct error *err)
{
    u8 head[0x200] = {0};

    if (!read_file(image, 0, head, sizeof head))
        return error_set(err, EXIT_FILE, "cannot read the image '%s': %s", image->path, strerror(errno));
    for (unsigned i = 0; i < ARRAY_LEN(formats); i++)
        if (memcmp(head + formats[i].at, formats[i].magic, formats[i].size) == 0)
            return error_set(err, EXIT_FILE,
                             "the image '%s' is in %s format, which is not read here; convert it: qemu-img convert -f "
                             "%s -O raw '%s' '%s.raw'   (if it is a raw image that only begins like one: format=raw)",
                             image->path, formats[i].name, formats[i].name, image->path, image->path);
    return true;
}

static bool lock_file(const struct image *image, struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(image->fd, F_OFD_SETLK, &lock) == 0)
        return true;
    if (errno == EAGAIN || errno == EACCES)
        return error_set(err, EXIT_FILE, "the image '%s' is being written by another program", image->path);
    return true; /* a file system without locks */
}

static bool measure(struct image *image, struct error *err)
{
    struct stat st;

    if (fstat(image->fd, &st) != 0)
        return error_set(err, EXIT_FILE, "cannot read the image '%s': %s", image->path, strerror(errno));
    if (S_ISBLK(st.st_mode)) {
        if (ioctl(image->fd, BLKGETSIZE64, &image->file_bytes) != 0)
            return error_set(err, EXIT_FILE, "cannot tell the size of '%s': %s", image->path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        return error_set(err, EXIT_FILE, "the image '%s' is not a regular file%s", image->path,
                         S_ISDIR(st.st_mode) ? " but a directory" : "");
    } else {
        image->file_bytes = (u64)st.st_size;
    }
    return image->file_bytes != 0 || error_set(err, EXIT_FILE, "the image '%s' is empty", image->path);
}

static void *reserve(u64 size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static u64 map_bytes(const struct image *image) { return image->block.bytes / CLUSTER / 8 + 1; }

static bool prepare(struct image *image, unsigned sector, bool raw, struct error *err)
{
    u64 rest;

    if (!measure(image, err) || (!raw && !check_format(image, err)))
        return false;
    rest = image->file_bytes % sector;
    if (rest != 0 && image->writes == IMAGE_WRITTEN)
        return error_set(err, EXIT_FILE,
                         "the image '%s' has %llu bytes, which is no whole number of sectors: it cannot be written. "
                         "Make it longer: truncate -s '%%%u' '%s'",
                         image->path, (unsigned long long)image->file_bytes, sector, image->path);
    image->block = (struct block){
        .ops = &image_ops, .context = image, .bytes = image->file_bytes + (rest != 0 ? sector - rest : 0)};
    if (image->writes == IMAGE_WRITTEN)
        return lock_file(image, err);
    if (image->writes == IMAGE_REFUSED)
        return true;
    image->kept = reserve(image->block.bytes);
    image->map = reserve(map_bytes(image));
    return (image->kept != NULL && image->map != NULL) ||
           error_set(err, EXIT_LIMIT, "the host cannot reserve memory for the writes to '%s'", image->path);
}

struct image *image_open(const char *path, enum image_writes writes, unsigned sector, bool raw, struct error *err)
{
    struct image *image = calloc(1, sizeof *image);

    if (image == NULL || (image->path = strdup(path)) == NULL) {
        free(image);
        error_set(err, EXIT_LIMIT, "no memory for the image '%s'", path);
        return NULL;
    }
    image->writes = writes;
    image->fd = open(path, (writes == IMAGE_WRITTEN ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (image->fd < 0)
        error_set(err, EXIT_FILE, "cannot open the image '%s'%s: %s", path,
                  writes == IMAGE_WRITTEN ? " for writing" : "", strerror(errno));
    else if (prepare(image, sector, raw, err))
        return image;
    image_close(image);
    return NULL;
}

void image_close(struct image *image)
{
    if (image == NULL)
        return;
    if (image->kept != NULL)
        munmap(image->kept, image->block.bytes);
    if (image->map != NULL)
        munmap(image->map, map_bytes(image));
    if (image->fd >= 0)
        close(image->fd);
    free(image->path);
    free(image);
}

const struct block *image_block(const struct image *image) { return &image->block; }

u64 image_refused(const struct image *image) { return image->refused; }

const char *image_path(const struct image *image) { return image->path; }
