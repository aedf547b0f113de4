/* SPDX-License-Identifier: MIT
 * A kernel without its image, in bytes, as a recording keeps it.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/own.h"
#include "kernel/pack.h"

#define PACK_FORMAT 0x314c4e4bu /* "KNL1": what follows, in this order. A change of it is another number */

/* The numbers of struct kernel_layout behind `known`, all u32. */
#define LAYOUT_FIRST offsetof(struct kernel_layout, task_pid)
#define LAYOUT_NUMBERS ((sizeof(struct kernel_layout) - LAYOUT_FIRST) / sizeof(u32))

static void pack_layout(struct pack_writer *w, const struct kernel_layout *layout)
{
    u32 number[LAYOUT_NUMBERS];

    memcpy(number, (const char *)layout + LAYOUT_FIRST, sizeof number);
    pack_number(w, layout->known);
    pack_number(w, LAYOUT_NUMBERS);
    for (size_t i = 0; i < LAYOUT_NUMBERS; i++)
        pack_number(w, number[i]);
}

static void unpack_layout(struct pack_reader *r, struct kernel_layout *layout)
{
    u32 number[LAYOUT_NUMBERS];

    layout->known = unpack_number(r) != 0;
    if (unpack_number(r) != LAYOUT_NUMBERS)
        r->failed = true;
    for (size_t i = 0; i < LAYOUT_NUMBERS; i++) {
        u64 value = unpack_number(r);

        if (value > UINT32_MAX)
            r->failed = true;
        number[i] = (u32)value;
    }
    memcpy((char *)layout + LAYOUT_FIRST, number, sizeof number);
}

static void pack_syscall(struct pack_writer *w, const struct kernel_syscall *s)
{
    pack_number(w, s->number);
    pack_number(w, s->args);
    pack_string(w, s->name);
    for (u32 i = 0; i < s->args; i++) {
        pack_string(w, s->type[i]);
        pack_string(w, s->arg[i]);
    }
}

static void unpack_syscall(struct pack_reader *r, struct kernel_own *own)
{
    u64 number = unpack_number(r), args = unpack_number(r);
    const char *name = unpack_string(r);
    struct kernel_syscall *s;

    if (number > UINT32_MAX || args > KERNEL_SYSCALL_ARGS)
        r->failed = true;
    if (r->failed)
        return;
    s = kernel_add_syscall(own);
    s->number = (u32)number;
    s->args = (u32)args;
    s->name = kernel_keep(own, name);
    for (u32 i = 0; i < KERNEL_SYSCALL_ARGS; i++) {
        s->type[i] = i < args ? kernel_keep(own, unpack_string(r)) : "";
        s->arg[i] = i < args ? kernel_keep(own, unpack_string(r)) : "";
    }
}

u8 *kernel_pack(const struct kernel *k, size_t *size)
{
    struct pack_writer w = {0};
    size_t symbols_size;
    u8 *symbols = symbols_pack(k->symbols, &symbols_size);

    pack_number(&w, PACK_FORMAT);
    pack_number(&w, k->is64);
    pack_number(&w, k->current_task);
    pack_layout(&w, &k->layout);
    pack_string(&w, k->banner);
    pack_string(&w, k->release);
    pack_string(&w, k->symbols_how);
    pack_string(&w, k->layout_how);
    pack_string(&w, k->syscalls_how);
    pack_string(&w, k->current_how);
    pack_string(&w, k->image_how);
    pack_number(&w, k->syscalls);
    for (size_t i = 0; i < k->syscalls; i++)
        pack_syscall(&w, &k->syscall[i]);
    pack_number(&w, symbols_size);
    pack_bytes(&w, symbols, symbols_size);
    free(symbols);
    *size = w.size;
    return w.bytes;
}

static void unpack_symbols(struct pack_reader *r, struct kernel *k, struct error *err)
{
    size_t size = unpack_count(r, 1);
    const u8 *bytes = unpack_bytes(r, size);
    struct symbols *symbols;

    if (r->failed)
        return;
    symbols = symbols_unpack(bytes, size, err);
    if (symbols == NULL) {
        r->failed = true;
        return;
    }
    symbols_free(k->symbols);
    k->symbols = symbols;
}

struct kernel *kernel_unpack(const u8 *bytes, size_t size, struct error *err)
{
    struct pack_reader r = {.at = bytes, .end = bytes + size};
    struct kernel_own *own = kernel_own_new();
    struct kernel *k = &own->kernel;
    size_t syscalls;

    if (unpack_number(&r) != PACK_FORMAT)
        r.failed = true;
    k->is64 = unpack_number(&r) != 0;
    k->current_task = unpack_number(&r);
    unpack_layout(&r, &k->layout);
    k->banner = kernel_keep(own, unpack_string(&r));
    k->release = kernel_keep(own, unpack_string(&r));
    k->symbols_how = kernel_keep(own, unpack_string(&r));
    k->layout_how = kernel_keep(own, unpack_string(&r));
    k->syscalls_how = kernel_keep(own, unpack_string(&r));
    k->current_how = kernel_keep(own, unpack_string(&r));
    k->image_how = kernel_keep(own, unpack_string(&r));
    syscalls = unpack_count(&r, 3); /* number, arguments, the 0 of the name */
    for (size_t i = 0; i < syscalls && !r.failed; i++)
        unpack_syscall(&r, own);
    unpack_symbols(&r, k, err);
    if (r.failed || r.at != r.end) {
        kernel_free(k);
        error_set(err, EXIT_FILE, "the packed description of the kernel is damaged at byte %zu of %zu",
                  (size_t)(r.at - bytes), size);
        return NULL;
    }
    return k;
}
