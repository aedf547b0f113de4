/* SPDX-License-Identifier: MIT
 * Awareness of a running Linux kernel, gained by looking: where it runs (its slide), which task runs, which modules are
 * loaded, who called whom. Nothing of the guest is changed; memory is read without effects only (mmu_peek, host
 * pointers to RAM). What is not certain is not said: `known` is false then.
 *
 * A look depends on the guest's state only, so both engines and every replay see the same.
 */
#ifndef RINGSIDE_GUEST_GUEST_H
#define RINGSIDE_GUEST_GUEST_H

#include "cpu/cpu.h"
#include "kernel/kernel.h"

struct guest;

#define GUEST_COMM 16u

struct guest_task {
    u64 task; /* linear address of its task_struct */
    u32 pid;  /* the thread's id; 0 is the idle task */
    u32 tgid; /* the process's id, which getpid() returns */
    char comm[GUEST_COMM]; /* always ends with a 0 */
    bool known; /* false: the kernel is unknown, or not found yet: the process is its CR3 */
};

struct guest_module {
    char name[56];
    u64 base;
    u64 size;
    struct symbols *symbols; /* addresses as loaded; may be empty */
};

/* in: kernel  borrowed; outlives the guest. */
struct guest *guest_new(const struct kernel *kernel);
void guest_free(struct guest *g);

/* Something that is worth a record of its own happened since the last look. */
enum guest_news { GUEST_TASK = 1, GUEST_SLIDE = 2, GUEST_MODULE = 4 };

/* Look at the guest. Called by the recorder before every event: a few loads when nothing changed.
 * in:      at_user  the event leaves or enters ring 3 (the slower questions are asked at these only)
 * returns: guest_news bits: what the accessors below say changed */
unsigned guest_look(struct guest *g, struct cpu *cpu, bool at_user);

const struct guest_task *guest_task(const struct guest *g);
/* Run address = link address + slide. returns: false while it is not known. how: one line, which anchors agreed */
bool guest_slide(const struct guest *g, u64 *slide);
const char *guest_slide_how(const struct guest *g);
/* Modules that were found loaded, in the order in which they were found; those unloaded stay. */
size_t guest_modules(const struct guest *g);
const struct guest_module *guest_module(const struct guest *g, size_t i);

/* Return addresses from the kernel stack of the instruction at cpu->arch.rip, innermost first, found by call sites: each
 * is an address behind a call that leads to the function before it. out[0] is RIP itself.
 * returns: how many, at most max; 1 where nothing is known */
size_t guest_backtrace(const struct guest *g, struct cpu *cpu, u64 *out, size_t max);

#endif
