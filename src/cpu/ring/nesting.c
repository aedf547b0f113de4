/* SPDX-License-Identifier: MIT
 * What a fault during the delivery of another event becomes: serial delivery, double fault, or shutdown.
 * SDM 3A, "Interrupt 8-Double Fault Exception (#DF)"; APM 2, "#DF-Double-Fault Exception".
 */
#include "cpu/ring/mechanisms.h"

enum fault_class { CLASS_BENIGN, CLASS_CONTRIBUTORY, CLASS_PAGE_FAULT, CLASS_DOUBLE_FAULT, FAULT_CLASSES };

static enum fault_class class_of_vector(u8 vector)
{
    switch (vector) {
    case VEC_DE:
    case VEC_TS:
    case VEC_NP:
    case VEC_SS:
    case VEC_GP:
    case VEC_CP: return CLASS_CONTRIBUTORY; /* NX-01 */
    case VEC_PF:
    case VEC_VE: return CLASS_PAGE_FAULT; /* NX-02 */
    case VEC_DF: return CLASS_DOUBLE_FAULT;
    default: return CLASS_BENIGN;
    }
}

/* Interrupts are benign whatever their vector is: only an exception has the class of its vector (NX-03, NX-08). */
static enum fault_class class_of_event(const struct interrupt_event *event)
{
    switch (event->mechanism) {
    case MECH_FAULT:
    case MECH_TRAP:
    case MECH_ABORT: return class_of_vector(event->vector);
    default: return CLASS_BENIGN;
    }
}

enum nesting fault_nesting(const struct interrupt_event *first, const struct fault *second)
{
    /* [first][second]: rules NX-01 to NX-04. */
    static const enum nesting table[FAULT_CLASSES][FAULT_CLASSES] = {
        [CLASS_BENIGN] = {NEST_SERIAL, NEST_SERIAL, NEST_SERIAL, NEST_SERIAL},
        [CLASS_CONTRIBUTORY] = {NEST_SERIAL, NEST_DOUBLE_FAULT, NEST_SERIAL, NEST_SERIAL},
        [CLASS_PAGE_FAULT] = {NEST_SERIAL, NEST_DOUBLE_FAULT, NEST_DOUBLE_FAULT, NEST_SERIAL},
        [CLASS_DOUBLE_FAULT] = {NEST_SERIAL, NEST_SHUTDOWN, NEST_SHUTDOWN, NEST_SHUTDOWN},
    };

    return table[class_of_event(first)][class_of_vector(second->vector)];
}

void ring_shutdown(struct cpu *cpu)
{
    struct transition t = transition_begin(cpu, MECH_SHUTDOWN);

    t.rip = cpu->arch.rip;
    cpu->arch.activity = SHUTDOWN; /* NX-09: only NMI, SMI, INIT and reset end it */
    cpu->arch.shadow = 0;
    ring_commit(cpu, &t);
    cpu_attention(cpu);
}
