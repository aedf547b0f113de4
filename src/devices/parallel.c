/* SPDX-License-Identifier: MIT
 * A parallel port: data, status and control registers.
 * IBM PS/2 Hardware Interface Technical Reference, "Parallel Port Controller".
 * Not implemented: EPP and ECP; a byte from the printer (with the direction bit set the data lines read as ones).
 */
#include "devices/parallel.h"

#include <stdlib.h>

enum { CONTROL_STROBE = 1, CONTROL_IRQ = 0x10, CONTROL_IN = 0x20, CONTROL_KEPT = 0x3f };
enum { STATUS_READY = 0xdf }; /* not busy, not out of paper, selected, no error; bits 2-0 are not there */

struct parallel {
    struct irq_line *irq;
    parallel_out *out;
    void *out_context;
    u16 base;
    u8 data, control;
};

/* The byte leaves with the strobe's leading edge; the printer's acknowledgement is a pulse. */
static void write_control(struct parallel *p, u8 value)
{
    bool strobe = (value & CONTROL_STROBE) && !(p->control & CONTROL_STROBE);

    p->control = value & CONTROL_KEPT;
    if (!strobe)
        return;
    if (p->out && !(value & CONTROL_IN))
        p->out(p->out_context, &p->data, 1);
    if (value & CONTROL_IRQ) {
        irq_set(p->irq, true);
        irq_set(p->irq, false);
    }
}

static u32 port_read(void *device, u16 port, unsigned size)
{
    const struct parallel *p = device;

    (void)size;
    switch (port - p->base) {
    case 0: return p->control & CONTROL_IN ? 0xff : p->data;
    case 1: return STATUS_READY;
    default: return p->control | (u8)~CONTROL_KEPT;
    }
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct parallel *p = device;

    (void)size;
    switch (port - p->base) {
    case 0: p->data = (u8)value; break;
    case 2: write_control(p, (u8)value); break;
    default: break; /* the status is the printer's */
    }
}

static const struct port_ops parallel_ops = {port_read, port_write, 0};

struct parallel *parallel_new(struct ports *ports, u16 base, struct irq_line *irq, parallel_out *out, void *out_context,
                              const char *name)
{
    struct parallel *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    p->irq = irq;
    p->out = out;
    p->out_context = out_context;
    p->base = base;
    p->control = 0x0c; /* as after reset: INIT# high, selected */
    ports_claim(ports, base, 3, &parallel_ops, p, name);
    return p;
}

void parallel_free(struct parallel *p) { free(p); }
