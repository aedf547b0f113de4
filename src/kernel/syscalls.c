/* SPDX-License-Identifier: MIT
 * The kernel's table of system calls gives each number its function, the tracer's descriptions give each function the
 * names and types of its arguments. In the image a description has no number yet (the kernel fills it in as it starts),
 * so the two are joined by name: function __x64_sys_openat, description "sys_openat".
 */
#include "kernel/syscalls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "kernel/pack.h"

#define SYSCALLS_LIMIT 2048u
#define NAMES_AT_ONE 64u /* names of one function that are looked at */
#define NAME_LIMIT 64u   /* of a call or an argument */
#define TYPE_LIMIT 128u

/* A description: struct syscall_metadata. */
struct description {
    const char *name; /* "sys_openat" */
    u32 args;
    u64 types, arguments; /* addresses of arrays of pointers to text */
};

static bool read_description(const struct kernel_image *image, u64 address, struct description *d)
{
    u64 word = image->is64 ? 8 : 4, name;
    const u8 *numbers = kernel_image_bytes(image, address + word, 8);

    if (numbers == NULL || !kernel_image_word(image, address, &name) ||
        !kernel_image_word(image, address + word + 8, &d->types) ||
        !kernel_image_word(image, address + 2 * word + 8, &d->arguments))
        return false;
    d->name = kernel_image_string(image, name, NAME_LIMIT);
    d->args = load_le32(numbers + 4);
    return d->name != NULL && strncmp(d->name, "sys_", 4) == 0 && d->args <= KERNEL_SYSCALL_ARGS;
}

static int compare_descriptions(const void *left, const void *right)
{
    const struct description *a = left, *b = right;

    return strcmp(a->name, b->name);
}

/* All descriptions by name. returns: how many; SIZE_MAX when one cannot be read */
static size_t read_descriptions(const struct kernel *k, u64 start, u64 stop, struct description *d)
{
    u64 word = k->is64 ? 8 : 4, address;
    size_t count = 0;

    for (; start < stop; start += word) {
        if (!kernel_image_word(k->image, start, &address) || !read_description(k->image, address, &d[count]))
            return SIZE_MAX;
        count++;
    }
    qsort(d, count, sizeof *d, compare_descriptions);
    return count;
}

static const struct description *find_description(const struct description *d, size_t count, const char *name)
{
    struct description wanted = {.name = name};

    return bsearch(&wanted, d, count, sizeof *d, compare_descriptions);
}

/* The symbols at an address, of which one may be the entry of a described call.
 * returns: the description; NULL when there is none */
static const struct description *describe_function(const struct kernel *k, u64 function, const struct description *d,
                                                   size_t count)
{
    static const char *const prefix[] = {"__x64_", "__ia32_", ""};
    size_t low = 0, high = symbols_count(k->symbols);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (symbols_at(k->symbols, middle).address < function)
            low = middle + 1;
        else
            high = middle;
    }
    high = symbols_count(k->symbols) - low < NAMES_AT_ONE ? symbols_count(k->symbols) : low + NAMES_AT_ONE;
    for (; low < high && symbols_at(k->symbols, low).address == function; low++) {
        const char *name = symbols_at(k->symbols, low).name;

        for (unsigned i = 0; i < ARRAY_LEN(prefix); i++) {
            size_t length = strlen(prefix[i]);
            const struct description *found = NULL;

            if (strncmp(name, prefix[i], length) == 0)
                found = find_description(d, count, name + length);
            if (found != NULL)
                return found;
        }
    }
    return NULL;
}

static void add_syscall(struct kernel_own *own, u32 number, const struct description *d)
{
    const struct kernel_image *image = own->kernel.image;
    struct kernel_syscall *s = kernel_add_syscall(own);
    u64 word = image->is64 ? 8 : 4, address;

    s->number = number;
    s->args = d->args;
    s->name = kernel_keep(own, d->name + strlen("sys_"));
    for (u32 i = 0; i < KERNEL_SYSCALL_ARGS; i++) {
        const char *type = NULL, *arg = NULL;

        if (i < d->args && kernel_image_word(image, d->types + i * word, &address))
            type = kernel_image_string(image, address, TYPE_LIMIT);
        if (i < d->args && kernel_image_word(image, d->arguments + i * word, &address))
            arg = kernel_image_string(image, address, NAME_LIMIT);
        s->type[i] = kernel_keep(own, type != NULL ? type : "");
        s->arg[i] = kernel_keep(own, arg != NULL ? arg : "");
    }
}

static void join(struct kernel_own *own, u64 table, size_t entries, const struct description *d, size_t described,
                 char *how, size_t how_size)
{
    struct kernel *k = &own->kernel;
    u64 word = k->is64 ? 8 : 4, function;

    for (size_t i = 0; i < entries && kernel_image_word(k->image, table + i * word, &function); i++) {
        const struct description *found = describe_function(k, function, d, described);

        /* Numbers without a call share one function, whose description is no call's. */
        if (found != NULL && strcmp(found->name, "sys_ni_syscall") != 0)
            add_syscall(own, (u32)i, found);
    }
    snprintf(how, how_size, "%zu of the %zu entries of sys_call_table, joined by name with %zu descriptions",
             k->syscalls, entries, described);
}

void syscalls_find(struct kernel_own *own, char *how, size_t how_size)
{
    const struct kernel *k = &own->kernel;
    u64 start, stop, table, word = k->is64 ? 8 : 4, entries;
    struct description *d;
    size_t described;

    if (!symbols_find(k->symbols, "__start_syscalls_metadata", &start) ||
        !symbols_find(k->symbols, "__stop_syscalls_metadata", &stop) ||
        !symbols_find(k->symbols, "sys_call_table", &table)) {
        snprintf(how, how_size, "none: no symbols of the tracer's descriptions");
        return;
    }
    entries = (symbols_end(k->symbols, table) - table) / word;
    if (stop < start || (stop - start) / word > SYSCALLS_LIMIT || entries > SYSCALLS_LIMIT) {
        snprintf(how, how_size, "none: the tables of the tracer's descriptions have no sensible size");
        return;
    }
    d = kernel_alloc((size_t)((stop - start) / word + 1) * sizeof *d);
    described = read_descriptions(k, start, stop, d);
    if (described == SIZE_MAX)
        snprintf(how, how_size, "none: a description of the tracer cannot be read");
    else
        join(own, table, (size_t)entries, d, described, how, how_size);
    free(d);
}
