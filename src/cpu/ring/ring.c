/* SPDX-License-Identifier: MIT
 * The door: the only place that assigns CPL and commits CS and the execution mode.
 * SDM 3A, "Privilege Levels", "Mode Switching"; APM 2, "Segment-Protection Overview".
 */
#include "cpu/ring/ring.h"

#include "cpu/flags.h"

const char *mechanism_name(enum mechanism m)
{
    static const char *const names[MECHANISMS] = {
#define MECHANISM(id, name, text) [MECH_##id] = name,
#include "cpu/ring/mechanism.def"
#undef MECHANISM
    };

    return m < MECHANISMS ? names[m] : "unknown";
}

const char *mechanism_text(enum mechanism m)
{
    static const char *const texts[MECHANISMS] = {
#define MECHANISM(id, name, text) [MECH_##id] = text,
#include "cpu/ring/mechanism.def"
#undef MECHANISM
    };

    return m < MECHANISMS ? texts[m] : "unknown";
}

struct ring_state ring_state_of(const struct cpu *cpu, u64 rip)
{
    struct ring_state state;

    ring_state_put(&state, cpu, rip, flags_get(cpu));
    return state;
}

/* Mechanisms that replace more of the processor's state than CS, SS, CPL and RFLAGS. */
static bool replaces_state(enum mechanism m) { return m >= MECH_TASK_SWITCH || m == MECH_IRET_TASK; }

static void show(struct cpu *cpu, struct transition *t)
{
    ring_state_put(&t->to, cpu, t->rip, flags_get(cpu));
    cpu->host.observer->transition(cpu->host.observer->context, cpu, t);
}

/* Recompute what depends on the mode and show the transition. */
ALWAYS_INLINE void open_door(struct cpu *cpu, struct transition *t)
{
    if (replaces_state(t->mechanism))
        cpu_update_derived(cpu);
    else
        cpu_update_ring(cpu);
    cpu->d.last_mechanism = (u8)t->mechanism;
    cpu->d.in_rep = false; /* the next event interrupts the handler, not the repeated instruction (ID-14) */
    t->sequence = ++cpu->d.door_count;
    if (ring_is_observed(cpu))
        show(cpu, t);
}

void ring_commit(struct cpu *cpu, struct transition *t)
{
    segment_copy(&cpu->arch.seg[CS], &t->cs);
    cpu->arch.cpl = t->new_cpl;
    cpu->d.next_rip = t->rip;
    if (t->stage & STAGE_SS)
        segment_copy(&cpu->arch.seg[SS], &t->ss);
    if (t->stage & STAGE_RSP)
        cpu->arch.gpr[RSP] = t->rsp;
    if (t->stage & STAGE_RFLAGS)
        flags_put(cpu, t->rflags);
    else if (t->stage & STAGE_CONTROL_FLAGS)
        flags_put_control(cpu, t->rflags);
    open_door(cpu, t);
}

void ring_commit_mode(struct cpu *cpu, enum mechanism mechanism, const struct ring_state *before)
{
    struct transition t = transition_begin(cpu, mechanism);

    t.from = *before;
    if (!(cpu->arch.cr0 & CR0_PE))
        cpu->arch.cpl = 0;
    t.new_cpl = cpu->arch.cpl;
    open_door(cpu, &t);
}

void ring_side(struct cpu *cpu, enum side_kind kind, u32 number, u64 old_value, u64 new_value)
{
    if (cpu->host.observer == NULL || cpu->host.observer->side == NULL)
        return;

    struct side_event event = {.kind = kind, .number = number, .old_value = old_value, .new_value = new_value};

    cpu->host.observer->side(cpu->host.observer->context, cpu, &event);
}

void ring_side_undelivered(struct cpu *cpu, const struct fault *fault)
{
    struct side_event event = {.kind = SIDE_UNDELIVERED, .fault = fault};

    if (cpu->host.observer && cpu->host.observer->side)
        cpu->host.observer->side(cpu->host.observer->context, cpu, &event);
    if (cpu->host.fault_watch)
        cpu->host.fault_watch->undelivered(cpu->host.fault_watch->context, cpu, fault);
}
