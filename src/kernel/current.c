/* SPDX-License-Identifier: MIT
 * The per-CPU variable that points to the running task. SDM 2A, "ModR/M and SIB Bytes"; MOV.
 */
#include "kernel/current.h"

#include <stdio.h>

#include "base/bits.h"

/* A MOV between a 32-bit register and FS:disp32, as compilers write per-CPU variables on i386. */
struct fs_move {
    bool store;
    u32 address;
};

/* returns: the bytes of the instruction at p; 0 when it is another */
static unsigned fs_move_at(const u8 *p, size_t left, struct fs_move *move)
{
    if (left < 6 || p[0] != 0x64)
        return 0;
    if (p[1] == 0xa1 || p[1] == 0xa3) { /* MOV EAX, moffs32 and back */
        *move = (struct fs_move){.store = p[1] == 0xa3, .address = load_le32(p + 2)};
        return 6;
    }
    if (left < 7 || (p[1] != 0x89 && p[1] != 0x8b) || (p[2] & 0xc7) != 0x05) /* mod 0, r/m 5: disp32 */
        return 0;
    *move = (struct fs_move){.store = p[1] == 0x89, .address = load_le32(p + 3)};
    return 7;
}

#define ADDRESSES_LIMIT 32u

/* The different per-CPU addresses that a function stores to, or loads from. */
struct fs_addresses {
    u32 address[ADDRESSES_LIMIT];
    unsigned count;
};

/* Per-CPU variables are in the section of that name: bytes that only look like such a MOV rarely lead there. */
static bool is_percpu(const struct kernel *k, u32 address)
{
    const struct kernel_range *percpu = kernel_image_section(k->image, ".data..percpu");

    return percpu != NULL ? address >= percpu->address && address - percpu->address < percpu->memory
                          : kernel_image_holds(k->image, address) && !kernel_image_executes(k->image, address);
}

static void scan_function(const struct kernel *k, u64 function, bool store, struct fs_addresses *found)
{
    u64 end = symbols_end(k->symbols, function);
    size_t size = (size_t)(end - function), step;
    const u8 *bytes = size < 16 * PAGE_SIZE ? kernel_bytes(k, function, size) : NULL;

    for (size_t at = 0; bytes != NULL && at < size; at += step) {
        struct fs_move move;
        unsigned length = fs_move_at(bytes + at, size - at, &move);
        bool known = false;

        step = length ? length : 1;
        if (length == 0 || move.store != store || !is_percpu(k, move.address))
            continue;
        for (unsigned i = 0; i < found->count; i++)
            known = known || found->address[i] == move.address;
        if (!known && found->count < ADDRESSES_LIMIT)
            found->address[found->count++] = move.address;
    }
}

/* Functions that ask for the running task and for little else. */
static const char *const askers[] = {
    "__ia32_sys_gettid", "__ia32_sys_getpid", "__ia32_sys_getuid", "__ia32_sys_getppid", "sys_gettid",
    "sys_getpid",        "sys_getuid",        "__do_sys_gettid",   "__do_sys_getpid",    "__ia32_sys_getgid",
};

/* __switch_to stores the new task there, and each of the askers that loads a per-CPU variable loads this one. */
static u64 find_in_code(const struct kernel *k, char *how, size_t how_size)
{
    struct fs_addresses stored = {.count = 0};
    u64 function, found = 0;
    unsigned agree = 0, candidates = 0;

    if (!symbols_find(k->symbols, "__switch_to", &function)) {
        snprintf(how, how_size, "not known: no symbol __switch_to");
        return 0;
    }
    scan_function(k, function, true, &stored);
    for (unsigned s = 0; s < stored.count; s++) {
        unsigned loaded = 0, asked = 0;

        for (unsigned i = 0; i < ARRAY_LEN(askers); i++) {
            struct fs_addresses loads = {.count = 0};

            if (!symbols_find(k->symbols, askers[i], &function))
                continue;
            scan_function(k, function, false, &loads);
            asked += loads.count != 0;
            for (unsigned l = 0; l < loads.count; l++)
                loaded += loads.address[l] == stored.address[s];
        }
        if (asked >= 2 && loaded == asked) {
            found = stored.address[s];
            agree = loaded;
            candidates++;
        }
    }
    if (candidates != 1) {
        snprintf(how, how_size,
                 "not known: of %u per-CPU variables that __switch_to stores, %u are what getpid and the like load",
                 stored.count, candidates);
        return 0;
    }
    snprintf(how, how_size, "0x%llx: __switch_to stores it, %u functions like getpid load it",
             (unsigned long long)found, agree);
    return found;
}

u64 current_find(const struct kernel *k, const struct type_source *types, char *how, size_t how_size)
{
    u64 address;
    u32 member;

    if (symbols_find(k->symbols, "current_task", &address) && address != 0) {
        snprintf(how, how_size, "0x%llx: symbol current_task", (unsigned long long)address);
        return address;
    }
    /* 6.2 to 6.14 keep it in a structure together with what else is used most. */
    if (k->is64 && symbols_find(k->symbols, "pcpu_hot", &address)) {
        if (types == NULL || !type_offset(types, "pcpu_hot", "current_task", &member)) {
            snprintf(how, how_size, "not known: it is in pcpu_hot, whose layout is not known");
            return 0;
        }
        snprintf(how, how_size, "0x%llx: symbol pcpu_hot, member at %u", (unsigned long long)(address + member),
                 member);
        return address + member;
    }
    if (!k->is64)
        return find_in_code(k, how, how_size);
    snprintf(how, how_size, "not known: no symbol current_task or pcpu_hot");
    return 0;
}
