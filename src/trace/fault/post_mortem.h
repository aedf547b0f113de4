/* SPDX-License-Identifier: MIT
 * What is kept of a run's last faults so that a shutdown can be explained, with a recorder or without: a watch that
 * costs nothing until a fault cannot be delivered.
 */
#ifndef RINGSIDE_TRACE_FAULT_POST_MORTEM_H
#define RINGSIDE_TRACE_FAULT_POST_MORTEM_H

#include "trace/fault/page.h"

struct post_mortem {
    struct cpu_fault_watch watch;
    struct fault_chain chain;
};

/* Become the processor's fault watch. The post-mortem outlives the run; post_mortem_free() frees what it gathered. */
void post_mortem_attach(struct post_mortem *p, struct cpu *cpu);
void post_mortem_free(struct post_mortem *p);
/* After a shutdown, while the processor stands where it stopped: the page.
 * in: guest, names  the Linux kernel that runs, and its names, which are completed by a last look; NULL: none is known
 */
void post_mortem_print(FILE *out, struct post_mortem *p, struct cpu *cpu, struct guest *guest, struct names *names);

#endif
