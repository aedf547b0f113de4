/* SPDX-License-Identifier: MIT
 * The instruction boundary: priorities, shadows, traps, interrupts, and the delivery of faults.
 * SDM 3A, "Priority Among Concurrent Events"; SDM 3B, "Debug Exceptions"; rules NX-01..NX-06, SH-01..SH-05, DB-03.
 */
#include "cpu/engine/event.h"
#include "cpu/engine/state.h"

#include "cpu/fault.h"
#include "cpu/flags.h"

/* ---- delivery, with the state that survives an unwind */

/* Deliver the engine's event. */
static void deliver(struct cpu *cpu)
{
    struct engine *e = cpu->host.engine;

    e->delivering = true;
    cpu->d.next_rip = cpu->arch.rip;
    interrupt_deliver(cpu, &e->event);
    e->delivering = false;
    COVER(cpu, RULE_ID_19, false);
    cpu->arch.rip = cpu->d.next_rip;
    cpu->arch.shadow = 0; /* a shadow covers one boundary of its own code, not the handler's */
    clock_pass(cpu->clock, 1);
    cpu_attention(cpu);
}

static enum mechanism mechanism_of_fault(u8 vector)
{
    switch (vector) {
    case VEC_DF:
    case VEC_MC: return MECH_ABORT;
    case VEC_BR: return MECH_BOUND; /* no other instruction raises it */
    default: return MECH_FAULT;
    }
}

/* Make this the event to deliver, with the fields that all events have. Field by field, as cpu_raise() does. */
static void event_begin(struct cpu *cpu, enum mechanism mechanism, u8 vector)
{
    struct interrupt_event *event = &cpu->host.engine->event;

    event->mechanism = mechanism;
    event->vector = vector;
    event->has_error = false;
    event->error = 0;
    event->cr2 = 0;
    event->rule = 0;
    event->return_rip = cpu->arch.rip;
    event->in_rep = false;
    event->code_breakpoint = false;
}

static void event_begin_fault(struct cpu *cpu, const struct fault *fault)
{
    struct interrupt_event *event = &cpu->host.engine->event;

    event_begin(cpu, mechanism_of_fault(fault->vector), fault->vector);
    event->has_error = fault->has_error;
    event->error = fault->error;
    event->cr2 = fault->cr2;
    event->rule = fault->rule;
    event->code_breakpoint = fault->rule == RULE_DB_03;
}

/* Show the faults that no handler will see: the one whose delivery failed and, unless it is delivered in its own turn,
 * the one that made it fail. */
static void report_undelivered(struct cpu *cpu, enum nesting nesting)
{
    const struct interrupt_event *event = &cpu->host.engine->event;
    struct fault first = {.vector = event->vector,
                          .has_error = event->has_error,
                          .error = event->error,
                          .cr2 = event->cr2,
                          .rule = event->rule};

    ring_side_undelivered(cpu, &first);
    if (nesting != NEST_SERIAL)
        ring_side_undelivered(cpu, &cpu->host.fault);
}

/* Which rules of nesting a fault in a delivery came under. */
static void cover_nesting(struct cpu *cpu, enum nesting nesting)
{
#ifdef RINGSIDE_COVERAGE
    const struct interrupt_event *event = &cpu->host.engine->event;
    bool exception = event->mechanism == MECH_FAULT || event->mechanism == MECH_TRAP || event->mechanism == MECH_ABORT;
    u8 second = cpu->host.fault.vector;

    COVER(cpu, RULE_ID_19, second == VEC_PF || second == VEC_SS);
    COVER(cpu, RULE_NX_08, !exception);
    COVER(cpu, RULE_NX_03, nesting == NEST_SERIAL);
    COVER(cpu, RULE_NX_05, nesting == NEST_SERIAL && second == event->vector);
    COVER(cpu, RULE_NX_10, nesting != NEST_SERIAL && second == VEC_PF);
    if (exception && event->vector == VEC_DF)
        COVER(cpu, RULE_NX_04, nesting == NEST_SHUTDOWN);
    else if ((exception && event->vector == VEC_PF) || second == VEC_PF)
        COVER(cpu, RULE_NX_02, nesting == NEST_DOUBLE_FAULT);
    else
        COVER(cpu, RULE_NX_01, nesting == NEST_DOUBLE_FAULT);
#else
    (void)cpu;
    (void)nesting;
#endif
}

void event_fault_raised(struct cpu *cpu)
{
    struct engine *e = cpu->host.engine;
    const struct fault *fault = &cpu->host.fault;
    bool delivering = e->delivering;

    e->delivering = false;
    e->trap_armed = false;
    e->pending = true;
    clock_pass(cpu->clock, 1); /* a loop of faults takes time (NX-05) */
    cpu_attention(cpu);
    if (delivering) {
        enum nesting nesting = fault_nesting(&e->event, fault);

        report_undelivered(cpu, nesting);
        cover_nesting(cpu, nesting);
        if (nesting != NEST_SERIAL && fault->vector == VEC_PF)
            cpu->arch.cr2 = fault->cr2; /* NX-10: although it is not delivered itself */
        switch (nesting) {
        case NEST_SERIAL: break;
        case NEST_DOUBLE_FAULT:
            event_begin(cpu, MECH_ABORT, VEC_DF);
            e->event.has_error = true;
            e->event.rule = fault->rule;
            return;
        case NEST_SHUTDOWN:
            e->pending = false;
            ring_shutdown(cpu);
            return;
        }
    } else {
        COVER(cpu, RULE_SH_03, cpu->arch.pending_debug != 0);
        cpu->arch.pending_debug = 0; /* SH-03: traps of an instruction that faults are dropped */
    }
    event_begin_fault(cpu, fault);
    if (fault->vector == VEC_DB)
        debug_commit(cpu, fault->debug_bits);
}

/* ---- what an instruction leaves behind */

/* A transition in the middle of the instruction may have replaced RFLAGS.TF: after INT n, SYSCALL and their like the
 * trap is taken only if TF is still set (DB-01, SC-06, SC-07). SYSRET itself posts the trap for the TF it loads
 * (SR-09). */
static bool single_step_trap(const struct cpu *cpu)
{
    const struct engine *e = cpu->host.engine;
    bool tf = cpu->arch.rflags & FLAG_TF;

    if (cpu->d.door_count != e->door_before) {
        switch ((enum mechanism)cpu->d.last_mechanism) {
        case MECH_INT_N:
        case MECH_INT3:
        case MECH_INTO:
        case MECH_INT1:
        case MECH_SYSCALL:
        case MECH_SYSENTER:
        case MECH_TASK_SWITCH: return e->trap_armed && tf;
        case MECH_SYSRET: return false;
        default: break;
        }
    }
    return e->trap_armed;
}

void event_insn_done(struct cpu *cpu)
{
    struct engine *e = cpu->host.engine;

    COVER(cpu, RULE_SH_02, cpu->d.door_count != e->door_before && (cpu->arch.pending_debug & 0xF));
    COVER(cpu, RULE_DB_05, e->trap_armed && cpu->d.in_rep);
    if (cpu->d.door_count != e->door_before && cpu->d.last_mechanism == MECH_INT1)
        cpu->arch.pending_debug = 0; /* SH-03: a waiting watchpoint is lost in the #DB of INT1 */
    if (single_step_trap(cpu) && !(cpu->arch.shadow & SHADOW_MOV_SS)) {
        cpu->arch.pending_debug |= DR6_BS;
        cpu_attention(cpu);
    }
    e->trap_armed = false;
    if (e->rf_before && clock_retired(cpu->clock) == e->retired_before)
        cpu->arch.rflags |= FLAG_RF; /* a REP in its middle keeps RF until it is complete */
    e->rf_before = false;
    if (cpu->arch.shadow)
        cpu_attention(cpu);
}

/* ---- the boundary */

/* NX-09: in shutdown only NMI, SMI, INIT and reset are seen; a processor that waits for SIPI does not see NMI either.
 */
static bool deaf(const struct cpu *cpu)
{
    return cpu->arch.activity == SHUTDOWN || cpu->arch.activity == WAIT_FOR_SIPI;
}

static bool take_debug_trap(struct cpu *cpu)
{
    u64 dr6 = cpu->arch.pending_debug;

    if (dr6 == 0 || (cpu->arch.shadow & SHADOW_MOV_SS) || deaf(cpu))
        return false; /* SH-01: a trap of the stack load itself waits for the next instruction */
    cpu->arch.pending_debug = 0;
    cpu->arch.activity = ACTIVE; /* the trap of a HLT ends its halt */
    debug_commit(cpu, dr6);
    event_begin(cpu, MECH_TRAP, VEC_DB);
    deliver(cpu);
    return true;
}

static bool take_nmi(struct cpu *cpu)
{
    if (!cpu->arch.nmi_pending || cpu->arch.nmi_blocked || cpu->arch.activity == WAIT_FOR_SIPI)
        return false;
    if ((cpu->arch.shadow & SHADOW_MOV_SS) && !cpu_is_amd(cpu))
        return false;
    COVER(cpu, RULE_NX_09, cpu->arch.activity == SHUTDOWN);
    COVER(cpu, RULE_IQ_02, cpu->arch.activity == HALTED);
    cpu->arch.nmi_pending = 0;
    cpu->arch.activity = ACTIVE;
    event_begin(cpu, MECH_NMI, VEC_NMI);
    cpu->host.engine->event.in_rep = cpu->d.in_rep;
    deliver(cpu);
    return true;
}

static bool interrupt_pending(const struct cpu *cpu)
{
    const struct cpu_ports *ports = &cpu->host.ports;

    return ports->interrupt_pending != NULL && ports->interrupt_pending(ports->context);
}

static bool take_irq(struct cpu *cpu)
{
    const struct cpu_ports *ports = &cpu->host.ports;
    int vector;

    if (!(cpu->arch.rflags & FLAG_IF) || cpu->arch.shadow || deaf(cpu) || !cpu->d.intr)
        return false;
    vector = ports->interrupt_acknowledge(ports->context);
    if (vector < 0)
        return false; /* withdrawn between the request and the acknowledge */
    COVER(cpu, RULE_IQ_02, cpu->arch.activity == HALTED);
    cpu->arch.activity = ACTIVE;
    event_begin(cpu, MECH_IRQ, (u8)vector);
    cpu->host.engine->event.in_rep = cpu->d.in_rep;
    deliver(cpu);
    return true;
}

static bool may_wake(const struct cpu *cpu)
{
    /* MWAIT with ECX[0] wakes on a masked interrupt too; without a monitor that can see stores, every wake is allowed
     * to be early (SDM 2B "MWAIT"), so it wakes on any interrupt request. */
    return cpu->arch.activity == MWAITING && cpu->d.intr;
}

/* The states in which no instruction executes. returns true when the caller must leave the loop. */
static bool stay_idle(struct cpu *cpu, enum engine_exit *exit)
{
    switch ((enum activity)cpu->arch.activity) {
    case ACTIVE: return false;
    case SHUTDOWN:
        cpu->host.stop = STOP_SHUTDOWN;
        *exit = ENGINE_STOPPED;
        return true;
    case MWAITING:
    case HALTED:
        if (cpu->arch.activity == MWAITING)
            COVER(cpu, RULE_IQ_04, cpu->d.intr);
        if (may_wake(cpu)) {
            cpu->arch.activity = ACTIVE;
            return false;
        }
        break;
    case WAIT_FOR_SIPI: break;
    }
    *exit = ENGINE_HALTED;
    return true;
}

/* State that must not outlive the next instruction, or that needs a look after each one, keeps the loop slow. */
static void arm_instruction(struct cpu *cpu, u64 until_tick)
{
    struct engine *e = cpu->host.engine;
    bool slow;

    e->trap_armed = (cpu->arch.rflags & FLAG_TF) != 0;
    e->rf_before = (cpu->arch.rflags & FLAG_RF) != 0;
    if (cpu->d.code_breakpoints && !e->rf_before) {
        u64 hit = cpu->arch.shadow & SHADOW_MOV_SS
                      ? 0
                      : debug_code_match(cpu, (cpu->arch.rip + cpu->d.seg_base[CS]) & cpu->d.laddr_mask);

        if (hit != 0) {
            struct fault fault = FAULT(VEC_DB);

            fault.debug_bits = hit;
            cpu_raise(cpu, fault, RULE_DB_03);
        }
    }
    COVER_IF(cpu, RULE_DB_03, cpu->d.code_breakpoints && e->rf_before);
    slow = e->trap_armed || e->rf_before || cpu->arch.shadow || cpu->d.code_breakpoints || cpu->arch.pending_debug;
    cpu->arch.rflags &= ~FLAG_RF; /* RF covers one instruction; it is back in event_insn_done() for a partial REP */
    cpu->arch.shadow = 0;
    cpu->d.in_rep = false;
    cpu->d.stop_tick = slow ? 0 : (until_tick < cpu->clock->deadline ? until_tick : cpu->clock->deadline);
}

enum boundary event_boundary(struct cpu *cpu, u64 until_tick, enum engine_exit *exit)
{
    struct engine *e = cpu->host.engine;

    if (cpu->host.stop != STOP_NONE) {
        *exit = ENGINE_STOPPED;
        return BOUNDARY_LEAVE;
    }
    if (cpu->clock->ticks >= cpu->clock->deadline) {
        clock_run(cpu->clock);
        if (cpu->host.stop != STOP_NONE) { /* a timer asked for it, as the reset button's */
            *exit = ENGINE_STOPPED;
            return BOUNDARY_LEAVE;
        }
    }
    if (cpu->clock->ticks >= until_tick) {
        *exit = ENGINE_TICK;
        return BOUNDARY_LEAVE;
    }
    if (cpu->arch.init_pending) {
        cpu->arch.init_pending = 0;
        e->pending = false;
        ring_init_signal(cpu);
        cpu->arch.rip = cpu->d.next_rip;
        return BOUNDARY_AGAIN;
    }
    if (e->pending) { /* a fault waits for its delivery */
        e->pending = false;
        deliver(cpu);
        return BOUNDARY_AGAIN;
    }
    cpu->d.intr = interrupt_pending(cpu);
    if (cpu->arch.pending_debug != 0 || cpu->arch.nmi_pending || cpu->d.intr || cpu->arch.activity != ACTIVE) {
        COVER(cpu, RULE_SH_01, cpu->arch.shadow & SHADOW_MOV_SS);
        COVER(cpu, RULE_NX_06, cpu->arch.pending_debug != 0 && (cpu->arch.nmi_pending || cpu->d.intr));
        if (take_debug_trap(cpu) || take_nmi(cpu) || take_irq(cpu))
            return BOUNDARY_AGAIN;
        if (stay_idle(cpu, exit))
            return BOUNDARY_LEAVE;
    }
    REQUIRE(cpu, !rflags_virtual_interrupt(cpu), GP(0), RULE_VM_03);
    arm_instruction(cpu, until_tick);
    return BOUNDARY_EXECUTE;
}
