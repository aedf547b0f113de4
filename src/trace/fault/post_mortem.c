/* SPDX-License-Identifier: MIT
 * Watching for faults that no handler sees, and explaining the shutdown that came of them.
 */
#include "trace/fault/post_mortem.h"

#define BACKTRACE 32u

static void on_undelivered(void *context, struct cpu *cpu, const struct fault *fault)
{
    struct post_mortem *p = context;
    struct fault_site site = fault_site_undelivered(cpu, fault);

    fault_chain_step(&p->chain, cpu->clock->ticks, &site);
    fault_data_collect(cpu, &site, true, fault_chain_piece, &p->chain);
}

void post_mortem_attach(struct post_mortem *p, struct cpu *cpu)
{
    p->watch = (struct cpu_fault_watch){.context = p, .undelivered = on_undelivered};
    cpu->host.fault_watch = &p->watch;
}

void post_mortem_free(struct post_mortem *p) { fault_chain_clear(&p->chain); }

/* A shutdown leaves the registers as the fault found them, so what is learned of the guest now held then. */
static void look_back(struct post_mortem *p, struct cpu *cpu, struct guest *guest, struct names *names)
{
    u64 address[BACKTRACE];
    size_t n;

    guest_look(guest, cpu, true);
    names->slid = guest_slide(guest, &names->slide);
    if (names->kernel->banner[0] == '\0') { /* an ELF image that is no Linux kernel runs where it was linked */
        names->slid = true;
        names->slide = 0;
    }
    while (names->modules < guest_modules(guest) && names->modules < NAMES_MODULES)
        names_module_add(names, guest_module(guest, names->modules));
    if (!names->slid || cpu->arch.cpl != 0)
        return;
    n = guest_backtrace(guest, cpu, address, BACKTRACE);
    fault_chain_piece(&p->chain, DATA_BACKTRACE, cpu->arch.gpr[RSP], address, (u32)(n * sizeof address[0]));
}

void post_mortem_print(FILE *out, struct post_mortem *p, struct cpu *cpu, struct guest *guest, struct names *names)
{
    if (guest != NULL && names != NULL)
        look_back(p, cpu, guest, names);
    fault_page_print(out, &p->chain, names, FAULT_PAGE_SHUTDOWN);
}
