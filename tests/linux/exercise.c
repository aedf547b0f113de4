/* SPDX-License-Identifier: MIT
 * The exerciser's frame: one call at a time, its memory read as the recorder reads it: first what a visit asks for at
 * the entry and at the return, later only what was kept.
 */
#include "exercise.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

char *bad_page;

/* Pieces of memory that were asked for. */
struct store {
    unsigned count;
    struct {
        u64 address;
        size_t size;
        u8 *bytes;
    } piece[4096];
};

static struct store before, after;
static char *lines;
static size_t lines_used;
enum { LINES_SIZE = 1 << 22 };

static bool is_readable(u64 address, size_t size)
{
    u64 bad = (u64)bad_page;
    return address >= 0x10000 && address + size < 0x7FFFFFFFF000 &&
           (address + size <= bad || address >= bad + PAGE_SIZE);
}

static bool read_and_keep(void *context, u64 address, void *out, size_t size)
{
    struct store *store = context;
    if (!is_readable(address, size) || store->count == ARRAY_LEN(store->piece))
        return false;
    memcpy(out, (const void *)address, size);
    u8 *bytes = malloc(size);
    memcpy(bytes, out, size);
    store->piece[store->count].address = address;
    store->piece[store->count].size = size;
    store->piece[store->count++].bytes = bytes;
    return true;
}

static bool read_kept(void *context, u64 address, void *out, size_t size)
{
    const struct store *store = context;
    for (unsigned i = 0; i < store->count; i++)
        if (address >= store->piece[i].address && address + size <= store->piece[i].address + store->piece[i].size) {
            memcpy(out, store->piece[i].bytes + (address - store->piece[i].address), size);
            return true;
        }
    return false;
}

static void forget(struct store *store)
{
    for (unsigned i = 0; i < store->count; i++)
        free(store->piece[i].bytes);
    store->count = 0;
}

static long enter(enum linux_abi abi, u64 number, const long *a)
{
    long result;
    if (abi == LINUX_I386) {
        /* ebp is the sixth argument */
        __asm__ volatile("push %%rbp\n\tmov %[six], %%rbp\n\tint $0x80\n\tpop %%rbp"
                         : "=a"(result)
                         : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4]), [six] "r"(a[5])
                         : "memory", "cc", "r8", "r9", "r10", "r11");
        return (i32)result;
    }
    register long r10 __asm__("r10") = a[3];
    register long r8 __asm__("r8") = a[4];
    register long r9 __asm__("r9") = a[5];
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "memory", "cc", "rcx", "r11");
    return result;
}

static u64 number_of(enum linux_abi abi, const char *name)
{
    for (u64 number = 0; number < 1024; number++) {
        const struct linux_syscall *row = linux_syscall(abi, number);
        if (row != NULL && strcmp(linux_syscall_name(row), name) == 0)
            return number;
    }
    fprintf(stderr, "no call %s\n", name);
    abort();
}

/* Calls that return twice; but for vfork, whose child would return from here on its parent's stack. */
static bool makes_process(const char *name)
{
    return strcmp(name, "fork") == 0 || strcmp(name, "clone") == 0 || strcmp(name, "clone3") == 0;
}

long exercise_call(enum linux_abi abi, const char *name, const long *args)
{
    const struct linux_style style = {0};
    struct linux_memory in = {&before, read_and_keep}, out = {&after, read_and_keep};
    struct linux_call call = {.abi = abi, .number = number_of(abi, name), .in = &in};
    for (unsigned i = 0; i < LINUX_ARGS; i++)
        call.arg[i] = (u64)args[i];
    forget(&before);
    forget(&after);
    linux_visit_memory(&call, &style);
    call.result = enter(abi, call.number, args);
    if (call.result == 0 && makes_process(name))
        enter(LINUX_AMD64, SYS_exit, (const long[LINUX_ARGS]){0}); /* the child */
    in.read = read_kept;
    call.returned = true;
    call.out = &out;
    linux_visit_memory(&call, &style);
    out.read = read_kept;
    FILE *line = fmemopen(lines + lines_used, LINES_SIZE - lines_used, "w");
    linux_print_call(line, &call, &style);
    fputs(" = ", line);
    linux_print_result(line, &call, &style);
    fputc('\n', line);
    fflush(line);
    lines_used += (size_t)ftell(line);
    fclose(line);
    return (long)call.result;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: linux_exercise files|processes|sockets|i386\n", stderr);
        return 2;
    }
    lines = mmap(NULL, LINES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bad_page = mmap(NULL, PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    free(malloc(1 << 16));
    /* the end of a child must not cut a call short: strace sees that, a program does not */
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    access("/exercise-begins", F_OK);
    if (strcmp(argv[1], "files") == 0)
        exercise_files();
    else if (strcmp(argv[1], "processes") == 0)
        exercise_processes();
    else if (strcmp(argv[1], "sockets") == 0)
        exercise_sockets();
    else
        exercise_i386();
    access("/exercise-ends", F_OK);
    fwrite(lines, 1, lines_used, stdout);
    return fflush(stdout) != 0;
}
