/* SPDX-License-Identifier: MIT
 * An initial RAM disk, made in memory: a cpio archive of directories, files, symbolic links and devices.
 * Linux documentation, "initramfs buffer format" (newc).
 */
#ifndef RINGSIDE_MACHINE_INITRAMFS_H
#define RINGSIDE_MACHINE_INITRAMFS_H

#include "base/error.h"
#include "base/types.h"

struct initramfs;

#define INITRAMFS_PATH_MAX 4096u

/* All owners are root and all times 0: the same additions give the same bytes. Never returns NULL (aborts when the host
 * has no memory). */
struct initramfs *initramfs_new(void);
void initramfs_free(struct initramfs *fs);

/* Each adds one member. in: path  absolute, without "." and ".." and double slashes; mode  permission bits
 * Directories above it that are not there yet are added with mode 0755. A path that is there already is left as it is.
 * returns: false with err set (EXIT_FILE) when a directory above it is there as something else, or the path or the file
 * is longer than the format can say */
bool initramfs_add_directory(struct initramfs *fs, const char *path, u32 mode, struct error *err);
bool initramfs_add_file(struct initramfs *fs, const char *path, u32 mode, const void *bytes, size_t size,
                        struct error *err);
bool initramfs_add_symlink(struct initramfs *fs, const char *path, const char *target, struct error *err);
bool initramfs_add_device(struct initramfs *fs, const char *path, u32 mode, u32 major, u32 minor, struct error *err);
bool initramfs_has(const struct initramfs *fs, const char *path);
/* Bytes so far. */
size_t initramfs_size(const struct initramfs *fs);

/* End the archive. returns: its bytes, which live as long as fs; nothing can be added any more */
const u8 *initramfs_finish(struct initramfs *fs, size_t *size);

#endif
