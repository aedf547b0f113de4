/* SPDX-License-Identifier: MIT
 * The table of system calls: a number's row, a name's row, and what a row says.
 */
#include <string.h>

#include "linux/kinds.h"

enum {
#define BOTH(name, amd64, i386, ...) ROW_##name,
#define AMD64(name, number, ...) ROW_##name,
#define I386(name, number, ...) ROW_I386_##name,
#define INNER(name, ...) ROW_##name,
#define X32(name, number)
#define X32_NONE(name)
#include "linux/syscalls.def"
#undef BOTH
#undef AMD64
#undef I386
#undef INNER
    ROWS
};

enum { ARGS____ = 0, MEMORY____ = 0 };
#define KIND(name, memory, arguments, printer, table) ARGS_##name = (arguments), MEMORY_##name = (memory),
enum {
#include "linux/kinds.def"
};
#undef KIND

/* Groups are written as letters: D | F. */
enum {
    D = GROUP_D,
    F = GROUP_F,
    N = GROUP_N,
    P = GROUP_P,
    M = GROUP_M,
    S = GROUP_S,
    I = GROUP_I,
    C = GROUP_C,
    K = GROUP_K
};

#define ROW(text, letters, outcome, a, b, c, d, e, f)                                                                  \
    {.name = (text),                                                                                                   \
     .groups = (letters),                                                                                              \
     .result = RESULT_##outcome,                                                                                       \
     .args = ARGS_##a + ARGS_##b + ARGS_##c + ARGS_##d + ARGS_##e + ARGS_##f,                                          \
     .memory = MEMORY_##a | MEMORY_##b | MEMORY_##c | MEMORY_##d | MEMORY_##e | MEMORY_##f,                            \
     .kind = {KIND_##a, KIND_##b, KIND_##c, KIND_##d, KIND_##e, KIND_##f}},

static const struct linux_syscall rows[ROWS] = {
#define BOTH(name, amd64, i386, ...) ROW(#name, __VA_ARGS__)
#define AMD64(name, number, ...) ROW(#name, __VA_ARGS__)
#define I386(name, number, ...) ROW(#name, __VA_ARGS__)
#define INNER(name, ...) ROW(#name, __VA_ARGS__)
#include "linux/syscalls.def"
#undef BOTH
#undef AMD64
#undef I386
#undef INNER
};

#define INNER(...)

/* Row of a number, plus one; 0 where there is none. */
static const u16 amd64_rows[] = {
#define BOTH(name, amd64, i386, ...) [amd64] = ROW_##name + 1,
#define AMD64(name, number, ...) [number] = ROW_##name + 1,
#define I386(name, number, ...)
#include "linux/syscalls.def"
#undef BOTH
#undef AMD64
#undef I386
};

static const u16 i386_rows[] = {
#define BOTH(name, amd64, i386, ...) [i386] = ROW_##name + 1,
#define AMD64(name, number, ...)
#define I386(name, number, ...) [number] = ROW_I386_##name + 1,
#include "linux/syscalls.def"
#undef BOTH
#undef AMD64
#undef I386
#undef X32
#undef X32_NONE
};

/* Rows of amd64 that x32 has by a number of its own (0: not at all). */
static const struct {
    u16 row;
    u16 number;
} x32_rows[] = {
#define BOTH(...)
#define AMD64(...)
#define I386(...)
#define X32(name, number) {ROW_##name, number},
#define X32_NONE(name) {ROW_##name, 0},
#include "linux/syscalls.def"
#undef BOTH
#undef AMD64
#undef I386
#undef X32
#undef X32_NONE
};

static const struct linux_syscall *row_of(const u16 *table, size_t size, u64 number)
{
    return number < size && table[number] != 0 ? &rows[table[number] - 1] : NULL;
}

static const struct linux_syscall *x32_row(u64 number)
{
    const struct linux_syscall *row = number < 512 ? row_of(amd64_rows, ARRAY_LEN(amd64_rows), number) : NULL;
    for (size_t i = 0; i < ARRAY_LEN(x32_rows); i++) {
        if (x32_rows[i].number == number && number != 0)
            return &rows[x32_rows[i].row];
        if (row == &rows[x32_rows[i].row])
            return NULL;
    }
    return row;
}

#define X32_BIT (1ull << 30)

const struct linux_syscall *linux_syscall(enum linux_abi abi, u64 number)
{
    switch (abi) {
    case LINUX_AMD64: return row_of(amd64_rows, ARRAY_LEN(amd64_rows), number);
    case LINUX_I386: return row_of(i386_rows, ARRAY_LEN(i386_rows), number);
    case LINUX_X32: return x32_row(number & ~X32_BIT);
    default: return NULL;
    }
}

const struct linux_syscall *linux_syscall_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

const char *linux_syscall_name(const struct linux_syscall *s) { return s->name; }

unsigned linux_syscall_args(const struct linux_syscall *s) { return s->args; }

bool linux_syscall_reads(const struct linux_syscall *s) { return s->memory & IN; }

bool linux_syscall_writes(const struct linux_syscall *s) { return s->memory & OUT; }

bool linux_syscall_ends(const struct linux_syscall *s) { return s->result == RESULT_NONE; }

u32 linux_syscall_groups(const struct linux_syscall *s) { return s->groups; }

u32 linux_group(const char *name)
{
    static const struct {
        const char *name;
        u32 bit;
    } groups[] = {
        {"desc", GROUP_D}, {"descriptor", GROUP_D}, {"file", GROUP_F},   {"network", GROUP_N},
        {"net", GROUP_N},  {"process", GROUP_P},    {"memory", GROUP_M}, {"signal", GROUP_S},
        {"ipc", GROUP_I},  {"creds", GROUP_C},      {"clock", GROUP_K},
    };
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        if (strcmp(groups[i].name, name) == 0)
            return groups[i].bit;
    return 0;
}
