/* SPDX-License-Identifier: MIT
 * What the parts of this module share: the state, and reading the kernel's memory.
 */
#ifndef RINGSIDE_GUEST_INTERNAL_H
#define RINGSIDE_GUEST_INTERNAL_H

#include "guest/guest.h"

#define GUEST_MODULES_MAX 1024u

struct guest {
    struct guest_view view; /* first: guest_look() reads it */
    const struct kernel *kernel;
    struct kernel_layout layout; /* the image's, or what task_layout_find() found */
    struct guest_task task;
    bool slid;
    u64 slide;
    unsigned anchors; /* that agree on it */
    char slide_how[512];
    u64 patience; /* looks until the next search for what is not known; doubles */
    u64 idle;     /* a task with a name that tells where names stand; for task_layout_find() */
    unsigned layout_tries;
    u64 this_cpu_off; /* amd64: per-CPU variable that holds the area's own base; 0: no such symbol */
    struct guest_module **module;
    size_t modules;
    bool unformed;                     /* one of the list was being loaded when it was looked at */
    u32 unformed_looks, unformed_wait; /* how often it was looked at; looks to let pass before the next */
    u32 module_symbols;                /* read so far, of all modules */
    u8 nothing[16];                    /* zeros, for pointers of the view that lead nowhere */
};

/* ---- memory.c: memory as the kernel sees it. With page-table isolation the user's tables lack most of the kernel; the
 * kernel's own are then found beside them. */

bool guest_translate(const struct cpu *cpu, laddr_t laddr, paddr_t *paddr);
/* Read without effects. returns: false when any byte is not mapped or not memory. */
bool guest_read(const struct cpu *cpu, laddr_t laddr, void *out, size_t size);
/* A pointer (4 or 8 bytes, by is64), zero-extended. */
bool guest_read_pointer(const struct cpu *cpu, bool is64, laddr_t laddr, u64 *value);
/* Host address of bytes in RAM that lie in one page; NULL otherwise. */
const u8 *guest_host(const struct cpu *cpu, laddr_t laddr, size_t size);
/* A string of at most size - 1 bytes, always terminated in out.
 * returns: false when it is not mapped, or does not end within size. */
bool guest_read_string(const struct cpu *cpu, laddr_t laddr, char *out, size_t size);
/* An address that can be the kernel's: of the upper half (amd64), of the upper three quarters (i386: PAGE_OFFSET is a
 * choice of the build, 40000000h at the lowest). */
static inline bool guest_is_kernel_address(bool is64, u64 address)
{
    return is64 ? address >> 56 == 0xFF : address >= 0x40000000 && address <= 0xFFFFFFFF;
}

static inline u64 guest_run_address(const struct guest *g, u64 link, u64 slide)
{
    return g->kernel->is64 ? link + slide : (u32)(link + slide);
}

/* ---- slide.c */

/* Search for the slide by the anchors as they are now.
 * returns: whether at least two agree and no other slide has as many; g->slide_how says which, g->anchors how many */
bool slide_find(struct guest *g, const struct cpu *cpu, u64 *slide);
/* Run address of a kernel symbol. returns: false when there is no such symbol or no slide */
bool guest_symbol(const struct guest *g, const char *name, u64 *address);

/* ---- task.c */

/* Point the view at the running task, and read it. returns: whether g->task changed. */
bool task_look(struct guest *g, const struct cpu *cpu);
/* The per-CPU area and all that hangs off it are known no more; g->task stays as it was. */
void task_forget(struct guest *g);
/* comm ends within its 16 bytes and starts with a printable character. */
bool task_comm_is_plausible(const char *comm);

/* ---- task_layout.c */

/* Find pid, tgid and comm inside task_struct. Fills g->layout when certain. in: task  the one that runs */
bool task_layout_find(struct guest *g, const struct cpu *cpu, u64 task);

/* ---- modules.c */

/* Point the view at the list's head, which then looks changed. returns: false when it is not known */
bool modules_locate(struct guest *g, const struct cpu *cpu);
/* Walk the list of modules. returns: whether any was found that was not known. */
bool modules_look(struct guest *g, const struct cpu *cpu);
/* The list's head is known no more. */
void modules_forget(struct guest *g);
void modules_free(struct guest *g);

#endif
