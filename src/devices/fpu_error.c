/* SPDX-License-Identifier: MIT
 * FERR#, IRQ 13 and IGNNE#.
 */
#include "devices/fpu_error.h"

#include <stdlib.h>

enum { CLEAR_ERROR = 0xF0, PORTS = 2 };

struct fpu_error {
    struct irq_line *irq; /* holds the latch: high from FERR# to the write of F0h */
    bool ferr, ignne;
};

static u32 port_read(void *device, u16 port, unsigned size)
{
    (void)device, (void)port, (void)size;
    return 0xFF; /* write only */
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct fpu_error *f = device;

    (void)value, (void)size;
    if (port != CLEAR_ERROR)
        return;
    f->ignne = f->ferr; /* not asserted without an error */
    irq_set(f->irq, false);
}

static const struct port_ops fpu_error_ops = {port_read, port_write, 0};

bool fpu_error_set(struct fpu_error *f, bool ferr)
{
    bool rose = ferr && !f->ferr;

    f->ferr = ferr;
    if (!ferr)
        f->ignne = false;
    if (rose)
        irq_set(f->irq, true);
    return f->ignne;
}

struct fpu_error *fpu_error_new(struct ports *ports, struct irq_line *irq)
{
    struct fpu_error *f = calloc(1, sizeof *f);

    if (!f)
        abort();
    f->irq = irq;
    ports_claim(ports, CLEAR_ERROR, PORTS, &fpu_error_ops, f, "fpu error");
    return f;
}

void fpu_error_free(struct fpu_error *f) { free(f); }
