/* SPDX-License-Identifier: MIT
 * The guest of `ringside trace`: its kernel, its initial RAM disk, its command line.
 */
#ifndef RINGSIDE_CLI_TRACE_GUEST_H
#define RINGSIDE_CLI_TRACE_GUEST_H

#include "cli/trace/options.h"
#include "cli/trace/streams.h"
#include "machine/initramfs.h"

struct trace_guest {
    char kernel[4096]; /* path */
    bool kernel64;
    bool program64;
    struct initramfs *files;
    char append[4096];
};

/* Choose the kernel, gather the program's files, fill the machine's options (the world excepted). Options and streams
 * outlive the guest.
 * returns: false with err set: EXIT_FILE for what is missing on the host, EXIT_USAGE for what does not fit together */
bool trace_guest_make(struct trace_guest *g, const struct trace_options *o, const struct trace_streams *s,
                      struct machine_options *machine, struct error *err);
void trace_guest_free(struct trace_guest *g);

/* ---- trace_kernel.c */

/* The newest /boot/vmlinuz-* by its version that can be read. returns: false with err set (EXIT_FILE) */
bool trace_kernel_newest(char *path, size_t size, struct error *err);
/* Whether a kernel file is for 64-bit processors. returns: false with err set (EXIT_FILE): unreadable, or no Linux */
bool trace_kernel_width(const char *path, bool *is64, struct error *err);

#endif
