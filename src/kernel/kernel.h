/* SPDX-License-Identifier: MIT
 * What can be known of a Linux kernel from its image alone: symbols (kallsyms, found by structure), layouts (BTF or
 * DWARF), the table of system calls that the kernel's own tracer uses. All addresses are link-time addresses: where the
 * kernel really runs (its slide) is found out by watching it (guest/guest.h).
 *
 * A kernel file is distrusted: no length or offset in it is believed before it was compared with what is there.
 */
#ifndef RINGSIDE_KERNEL_KERNEL_H
#define RINGSIDE_KERNEL_KERNEL_H

#include "kernel/symbols.h"

#define KERNEL_SYSCALL_ARGS 6u

/* Offsets in bytes inside the kernel's structures, from BTF or DWARF. `known` is false when the image has neither. A
 * kernel without modules has 0 in module_name and all that follows. */
struct kernel_layout {
    bool known;
    u32 task_pid, task_tgid, task_comm, task_mm, task_flags, task_thread_sp;
    u32 mm_pgd;
    u32 module_list, module_name;
    u32 module_base, module_size;                         /* of its core part; since 6.4 of its code */
    u32 module_kallsyms;                                  /* struct module: pointer to its struct mod_kallsyms */
    u32 kallsyms_symtab, kallsyms_count, kallsyms_strtab; /* struct mod_kallsyms */
};

/* One system call of the kernel's own metadata (CONFIG_FTRACE_SYSCALLS). */
struct kernel_syscall {
    u32 number;
    u32 args;
    const char *name; /* "openat", without the "sys_" before it */
    const char *type[KERNEL_SYSCALL_ARGS], *arg[KERNEL_SYSCALL_ARGS];
};

struct kernel {
    bool is64;
    const char *banner;      /* "Linux version 6.1.0-50-amd64 ...", or "" */
    const char *release;     /* "6.1.0-50-amd64", or "" */
    struct symbols *symbols; /* may be empty, never NULL */
    struct kernel_layout layout;
    /* The per-CPU variable that points to the running task: its address in the per-CPU segment (amd64: an offset from
     * the base of GS; i386: a link-time address, used with the base of FS). 0: not known. */
    u64 current_task;
    size_t syscalls;
    const struct kernel_syscall *syscall; /* by ascending number; names are the kernel's own: "newfstat", "sendto" */
    /* How each was found, one line for people: "kallsyms: 98,765 symbols, relative offsets, at file offset ..." */
    const char *symbols_how, *layout_how, *syscalls_how, *current_how;
    const char *image_how;      /* what the file was: "bzImage, payload LZ4, ..." */
    struct kernel_image *image; /* NULL for an unpacked one */
};

/* Read a kernel: a bzImage (XZ, LZ4, zstd, gzip or LZMA payload; bzip2 and LZO stop by name), an ELF vmlinux,
 * compressed by gzip or not. in:      vmlinux  an unstripped ELF of the same build, for DWARF and symtab; NULL = none
 * returns: NULL with err set (EXIT_FILE). An image without symbols or BTF is no error: the members say so. */
struct kernel *kernel_open(const char *path, const char *vmlinux, struct error *err);
/* The same from memory. in: name  for messages; limit  the most bytes that the unpacked kernel may have */
struct kernel *kernel_open_bytes(const u8 *bytes, size_t size, const char *name, size_t limit, struct error *err);
void kernel_free(struct kernel *k);

/* Bytes of the image at a link-time address.
 * returns: NULL when any of the range lies outside what the file holds (or the kernel was unpacked). */
const u8 *kernel_bytes(const struct kernel *k, u64 address, size_t size);

/* All but the image, as a recording keeps it. The caller frees. */
u8 *kernel_pack(const struct kernel *k, size_t *size);
/* returns: NULL with err set (EXIT_FILE) when the bytes are not what kernel_pack() makes; they are not needed
 * afterwards. */
struct kernel *kernel_unpack(const u8 *bytes, size_t size, struct error *err);

#endif
