/* SPDX-License-Identifier: MIT
 * PCI interrupts through the south bridge's PIRQ inputs.
 */
#include "devices/pci_intx.h"

#include <stdlib.h>

#define SLOTS 32
#define ROUTABLE 0xDEF8u /* IRQs 3-7, 9-12, 14, 15 */

struct pci_intx {
    void (*changed)(void *context, unsigned irq);
    void *context;
    struct irq_line line[SLOTS * 4];
    unsigned asserted[PCI_PIRQS]; /* how many lines of each are: the wire is an OR of its drivers */
    u8 route[PCI_PIRQS];
};

static bool routed(const struct pci_intx *x, unsigned pirq)
{
    return !(x->route[pirq] & PIRQ_DISABLED) && (ROUTABLE >> (x->route[pirq] & 15) & 1);
}

static void tell(const struct pci_intx *x, unsigned pirq)
{
    if (routed(x, pirq))
        x->changed(x->context, x->route[pirq] & 15);
}

static void line_changed(void *context, unsigned number, bool level)
{
    struct pci_intx *x = context;
    unsigned pirq = (number / 4 + number % 4 + PCI_PIRQS - 1) % PCI_PIRQS;
    bool was = x->asserted[pirq] != 0;

    x->asserted[pirq] += level ? 1 : -1u;
    if ((x->asserted[pirq] != 0) != was)
        tell(x, pirq);
}

struct pci_intx *pci_intx_new(void (*changed)(void *context, unsigned irq), void *context)
{
    struct pci_intx *x = calloc(1, sizeof *x);

    if (x == NULL)
        abort();
    x->changed = changed;
    x->context = context;
    for (unsigned i = 0; i < SLOTS * 4; i++)
        x->line[i] = (struct irq_line){.changed = line_changed, .context = x, .number = i};
    for (unsigned pirq = 0; pirq < PCI_PIRQS; pirq++)
        x->route[pirq] = PIRQ_DISABLED;
    return x;
}

void pci_intx_free(struct pci_intx *x) { free(x); }

struct irq_line *pci_intx_line(struct pci_intx *x, unsigned slot, unsigned pin)
{
    return &x->line[slot % SLOTS * 4 + pin % 4];
}

void pci_intx_route(struct pci_intx *x, unsigned pirq, u8 route)
{
    u8 old = x->route[pirq % PCI_PIRQS];

    if (route == old)
        return;
    x->route[pirq % PCI_PIRQS] = PIRQ_DISABLED;
    if (!(old & PIRQ_DISABLED))
        x->changed(x->context, old & 15);
    x->route[pirq % PCI_PIRQS] = route;
    tell(x, pirq % PCI_PIRQS);
}

bool pci_intx_level(const struct pci_intx *x, unsigned irq)
{
    for (unsigned pirq = 0; pirq < PCI_PIRQS; pirq++)
        if (x->asserted[pirq] != 0 && routed(x, pirq) && (x->route[pirq] & 15u) == irq)
            return true;
    return false;
}
