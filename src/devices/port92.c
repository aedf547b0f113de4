/* SPDX-License-Identifier: MIT
 * System control port A.
 */
#include "devices/port92.h"

#include <stdlib.h>

enum { FAST_RESET = 1, FAST_A20 = 2 };

struct port92 {
    struct port92_hooks hooks;
    u8 value;
};

static u32 port_read(void *device, u16 port, unsigned size)
{
    (void)port, (void)size;
    return ((struct port92 *)device)->value;
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct port92 *p = device;
    u8 before = p->value;

    (void)port, (void)size;
    p->value = value & (FAST_RESET | FAST_A20);
    if (((before ^ value) & FAST_A20) && p->hooks.a20)
        p->hooks.a20(p->hooks.context, value & FAST_A20);
    if (!(before & FAST_RESET) && (value & FAST_RESET) && p->hooks.reset)
        p->hooks.reset(p->hooks.context);
}

static const struct port_ops port92_ops = {port_read, port_write, 0};

struct port92 *port92_new(struct ports *ports, bool a20, const struct port92_hooks *hooks)
{
    struct port92 *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    p->hooks = *hooks;
    p->value = a20 ? FAST_A20 : 0;
    ports_claim(ports, 0x92, 1, &port92_ops, p, "port92");
    return p;
}

void port92_free(struct port92 *p) { free(p); }
