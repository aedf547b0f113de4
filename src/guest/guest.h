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
    u64 task;              /* linear address of its task_struct */
    u32 pid;               /* the thread's id; 0 is the idle task */
    u32 tgid;              /* the process's id, which getpid() returns */
    char comm[GUEST_COMM]; /* always ends with a 0 */
    bool known;            /* false: the kernel is unknown, or not found yet: the process is its CR3 */
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

/* Something that is worth a record of its own happened since the last look. GUEST_SLIDE: found, lost, or the same but
 * more anchors agree on it. */
enum guest_news { GUEST_TASK = 1, GUEST_SLIDE = 2, GUEST_MODULE = 4 };

/* What the last look went by. Everything that a look reads is reached by a pointer, so that "nothing changed" is a few
 * loads and compares: what is not known points at zeros that stay. Private to this module. */
struct guest_view {
    u64 idt_base, lstar; /* the kernel's own entries: another kernel, or none, has others */
    u64 looks;           /* left until something that is not known yet is looked for again */
    bool is64;
    bool any_area; /* no per-CPU area is known */
    bool ask;      /* look again at the next at_user, even if nothing changed */
    u64 area;      /* amd64: base of the per-CPU area, which is in GS.base or in IA32_KERNEL_GS_BASE */
    u64 gdt_base;  /* i386: the area's descriptor in the GDT */
    const u8 *descriptor;
    u64 descriptor_value;
    const u8 *current; /* the per-CPU variable that points to the task */
    u64 task;
    const u8 *pid, *tgid, *comm[2];
    u32 pid_value, tgid_value;
    u64 comm_value[2];
    const u8 *modules[2]; /* the head of the list of modules: looked at when at_user */
    u64 modules_value[2];
};

/* Whether all is as at the last look. */
ALWAYS_INLINE bool guest_is_unchanged(struct guest_view *v, const struct cpu *cpu, bool at_user)
{
    const struct cpu_arch *a = &cpu->arch;

    if (a->idtr.base != v->idt_base || a->msr.lstar != v->lstar || --v->looks == 0)
        return false;
    if (v->is64) {
        if (a->seg[GS].base != v->area && a->msr.kernel_gs_base != v->area && !v->any_area)
            return false;
        if (load_le64(v->current) != v->task)
            return false;
    } else {
        if ((a->gdtr.base != v->gdt_base && !v->any_area) || load_le64(v->descriptor) != v->descriptor_value)
            return false;
        if (load_le32(v->current) != (u32)v->task)
            return false;
    }
    if (load_le32(v->pid) != v->pid_value || load_le32(v->tgid) != v->tgid_value ||
        load_le64(v->comm[0]) != v->comm_value[0] || load_le64(v->comm[1]) != v->comm_value[1])
        return false;
    return !at_user || (!v->ask && load_le64(v->modules[0]) == v->modules_value[0] &&
                        load_le64(v->modules[1]) == v->modules_value[1]);
}

/* The part of guest_look() for a guest that changed. */
unsigned guest_look_again(struct guest *g, struct cpu *cpu, bool at_user);

/* Look at the guest. Called by the recorder before every event: a few loads when nothing changed.
 * in:      at_user  the event leaves or enters ring 3 (the slower questions are asked at these only)
 * returns: guest_news bits: what the accessors below say changed */
ALWAYS_INLINE unsigned guest_look(struct guest *g, struct cpu *cpu, bool at_user)
{
    struct guest_view *v = (struct guest_view *)g; /* its first member */

    return LIKELY(guest_is_unchanged(v, cpu, at_user)) ? 0 : guest_look_again(g, cpu, at_user);
}

/* Forget where the kernel runs, and all host pointers: the board is being made anew. Modules that were found stay.
 * Not needed where every event is looked at: a reset empties IDTR, which the next look sees. */
void guest_reset(struct guest *g);

const struct guest_task *guest_task(const struct guest *g);
/* Run address = link address + slide. returns: false while it is not known. how: one line, which anchors agreed */
bool guest_slide(const struct guest *g, u64 *slide);
const char *guest_slide_how(const struct guest *g);
/* Modules that were found loaded, in the order in which they were found; those unloaded stay. */
size_t guest_modules(const struct guest *g);
const struct guest_module *guest_module(const struct guest *g, size_t i);

/* Return addresses from the kernel stack of the instruction at cpu->arch.rip, innermost first, found by call sites:
 * each is an address behind a call that leads to the function before it. out[0] is RIP itself. returns: how many, at
 * most max; 1 where nothing is known */
size_t guest_backtrace(const struct guest *g, struct cpu *cpu, u64 *out, size_t max);

#endif
