/* SPDX-License-Identifier: MIT
 * What can be known of a kernel: opening an image and asking each part of this module.
 */
#define _GNU_SOURCE /* memmem */
#include "kernel/kernel.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/current.h"
#include "kernel/dwarf.h"
#include "kernel/kallsyms.h"
#include "kernel/layout.h"
#include "kernel/own.h"
#include "kernel/pack.h"
#include "kernel/syscalls.h"

#define BANNER_LIMIT 512u

const char *kernel_keep(struct kernel_own *own, const char *text)
{
    size_t size = strlen(text) + 1;

    own->text = kernel_grow(own->text, &own->text_room, own->texts + 1, sizeof *own->text);
    own->text[own->texts] = kernel_alloc(size);
    return memcpy(own->text[own->texts++], text, size);
}

const char *kernel_keep_format(struct kernel_own *own, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return kernel_keep(own, text);
}

struct kernel_syscall *kernel_add_syscall(struct kernel_own *own)
{
    own->syscall = kernel_grow(own->syscall, &own->syscall_room, own->kernel.syscalls + 1, sizeof *own->syscall);
    own->kernel.syscall = own->syscall;
    own->syscall[own->kernel.syscalls] = (struct kernel_syscall){.name = ""};
    return &own->syscall[own->kernel.syscalls++];
}

struct kernel_own *kernel_own_new(void)
{
    struct kernel_own *own = kernel_alloc(sizeof *own);
    struct kernel *k = &own->kernel;

    k->symbols = symbols_new();
    k->banner = k->release = "";
    k->symbols_how = k->layout_how = k->syscalls_how = k->current_how = k->image_how = "";
    return own;
}

void kernel_free(struct kernel *k)
{
    struct kernel_own *own = (struct kernel_own *)k;

    if (k == NULL)
        return;
    symbols_free(k->symbols);
    kernel_image_free(k->image);
    free(own->syscall);
    for (size_t i = 0; i < own->texts; i++)
        free(own->text[i]);
    free(own->text);
    free(own);
}

const u8 *kernel_bytes(const struct kernel *k, u64 address, size_t size)
{
    return k->image != NULL ? kernel_image_bytes(k->image, address, size) : NULL;
}

/* The build has a number, "#1 SMP": some images hold a template of the banner without it, which is never printed. */
static bool banner_is_numbered(const char *text)
{
    const char *number = strrchr(text, '#');

    return number != NULL && isdigit((unsigned char)number[1]);
}

/* The banner is a text of the image that begins so, with the number of a version behind it: the first that has a
 * build's number, else the first. */
static void find_banner(struct kernel_own *own)
{
    static const char start[] = "Linux version ";
    const struct kernel_image *image = own->kernel.image;
    const u8 *at = image->bytes, *end = image->bytes + image->size;
    char banner[BANNER_LIMIT] = "";

    while (!banner_is_numbered(banner) && (at = memmem(at, (size_t)(end - at), start, sizeof start - 1)) != NULL) {
        char text[BANNER_LIMIT];
        const u8 *word = at + sizeof start - 1;
        size_t length = 0;

        while (at + length < end && length < sizeof text - 1 && isprint(at[length]))
            length++;
        memcpy(text, at, length);
        text[length] = '\0';
        if (word < end && isdigit(*word) && length > sizeof start && (banner[0] == '\0' || banner_is_numbered(text)))
            memcpy(banner, text, length + 1);
        at = word;
    }
    if (banner[0] == '\0')
        return;
    own->kernel.banner = kernel_keep(own, banner);
    banner[strcspn(banner + sizeof start - 1, " ") + sizeof start - 1] = '\0';
    own->kernel.release = kernel_keep(own, banner + sizeof start - 1);
}

static void find_symbols(struct kernel_own *own, const struct dwarf *dwarf, const char *vmlinux)
{
    struct kernel *k = &own->kernel;
    const struct kernel_image *image = k->image;
    size_t count = dwarf != NULL ? dwarf_symbols(dwarf, k->symbols) : 0;
    char how[256];

    if (count != 0) {
        k->symbols_how = kernel_keep_format(own, "symtab: %zu symbols of %s", count, vmlinux);
    } else {
        kallsyms_find(image, k->symbols, how, sizeof how);
        k->symbols_how = kernel_keep(own, how);
    }
    for (size_t i = 0; i < image->sections; i++)
        symbols_add_end(k->symbols, image->section[i].address + image->section[i].memory);
    for (size_t i = 0; i < image->segments && image->sections == 0; i++)
        symbols_add_end(k->symbols, image->segment[i].address + image->segment[i].memory);
    symbols_sort(k->symbols);
}

/* What a description of types gives. where: for people, where it lies */
static bool take_types(struct kernel_own *own, const struct type_source *types, const char *where)
{
    struct kernel *k = &own->kernel;
    const char *missing = NULL;
    char how[256];

    k->current_task = current_find(k, types, how, sizeof how);
    k->current_how = kernel_keep(own, how);
    if (types == NULL)
        return false;
    if (!layout_read(types, &k->layout, &missing)) {
        k->layout_how = kernel_keep_format(own, "not known: %s does not describe %s", types->name, missing);
        return false;
    }
    k->layout_how =
        kernel_keep_format(own, "%s: %s%s", types->name, where, missing != NULL ? "; modules not known" : "");
    return true;
}

/* From the vmlinux if there is one and it describes types, else from the image. */
static void find_layout(struct kernel_own *own, struct dwarf *dwarf, const char *vmlinux)
{
    struct type_source types;
    struct btf *btf;
    const char *how;
    char where[128];

    if (dwarf != NULL && dwarf_types(dwarf, &types) && take_types(own, &types, vmlinux))
        return;
    btf = btf_open(own->kernel.image, &how);
    if (btf != NULL) {
        types = btf_source(btf);
        snprintf(where, sizeof where, "%zu types at 0x%zx of the ELF", btf_types(btf), btf_offset(btf));
        take_types(own, &types, where);
    } else {
        take_types(own, NULL, NULL);
        own->kernel.layout_how =
            kernel_keep_format(own, "not known: %s%s", how, dwarf != NULL ? ", no DWARF either" : "");
    }
    btf_free(btf);
}

static void find_syscalls(struct kernel_own *own)
{
    char how[256];

    syscalls_find(own, how, sizeof how);
    own->kernel.syscalls_how = kernel_keep(own, how);
}

/* in: image  taken; NULL is passed on */
static struct kernel *open_image(struct kernel_image *image, const char *vmlinux, struct error *err)
{
    struct kernel_own *own;
    struct dwarf *dwarf = NULL;

    if (image == NULL)
        return NULL;
    if (vmlinux != NULL && (dwarf = dwarf_open(vmlinux, image, err)) == NULL) {
        kernel_image_free(image);
        return NULL;
    }
    own = kernel_own_new();
    own->kernel.image = image;
    own->kernel.is64 = image->is64;
    own->kernel.image_how = kernel_keep(own, image->how);
    find_banner(own);
    find_symbols(own, dwarf, vmlinux);
    find_layout(own, dwarf, vmlinux);
    find_syscalls(own);
    dwarf_close(dwarf);
    return &own->kernel;
}

struct kernel *kernel_open(const char *path, const char *vmlinux, struct error *err)
{
    return open_image(kernel_image_open(path, KERNEL_IMAGE_LIMIT, err), vmlinux, err);
}

struct kernel *kernel_open_bytes(const u8 *bytes, size_t size, const char *name, size_t limit, struct error *err)
{
    return open_image(kernel_image_read(bytes, size, name, limit, err), NULL, err);
}
