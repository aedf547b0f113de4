/* SPDX-License-Identifier: MIT
 * Files of the host put into an initial RAM disk under the same paths, symbolic links and all.
 */
#ifndef RINGSIDE_MACHINE_HOST_TREE_H
#define RINGSIDE_MACHINE_HOST_TREE_H

#include "machine/initramfs.h"

/* Add what an absolute path of the host leads to: each directory and symbolic link on the way, then the regular file
 * or, with everything in it, the directory. Sockets, devices and the like inside a directory are left out. in: what
 * names the role in messages ("program") out:     real (may be NULL)  the path with its links resolved,
 * INITRAMFS_PATH_MAX bytes returns: false with err set (EXIT_FILE): missing, unreadable, no file, or inside /dev, /proc
 * or /sys, of which a guest has its own */
bool host_tree_add(struct initramfs *fs, const char *what, const char *path, char *real, struct error *err);
/* Add the file or directory to which the host's path leads, links followed, under another absolute path. */
bool host_tree_add_as(struct initramfs *fs, const char *what, const char *path, const char *as, struct error *err);
/* Add the directory of this path alone, without what is in it, and the links on the way. */
bool host_tree_add_directory(struct initramfs *fs, const char *what, const char *path, char *real, struct error *err);

/* An absolute path: name itself, or name below directory.
 * returns: false with err set (EXIT_FILE) when it has INITRAMFS_PATH_MAX bytes or more */
bool host_tree_absolute(char out[INITRAMFS_PATH_MAX], const char *directory, const char *name, struct error *err);

#endif
