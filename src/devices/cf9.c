/* SPDX-License-Identifier: MIT
 * The reset control register.
 */
#include "devices/cf9.h"

#include <stdlib.h>

enum { HARD = 2, GO = 4 };

struct cf9 {
    void (*reset)(void *context, bool hard);
    void *context;
    u8 value;
};

static u32 port_read(void *device, u16 port, unsigned size)
{
    (void)port, (void)size;
    return ((struct cf9 *)device)->value;
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct cf9 *c = device;
    bool rose = !(c->value & GO) && (value & GO);

    (void)port, (void)size;
    c->value = value & (HARD | GO);
    if (rose && c->reset) {
        c->value &= (u8)~GO; /* the reset clears it */
        c->reset(c->context, value & HARD);
    }
}

static const struct port_ops cf9_ops = {port_read, port_write, 0};

struct cf9 *cf9_new(struct ports *ports, void (*reset)(void *context, bool hard), void *context)
{
    struct cf9 *c = calloc(1, sizeof *c);

    if (!c)
        abort();
    c->reset = reset;
    c->context = context;
    ports_claim(ports, 0xcf9, 1, &cf9_ops, c, "cf9");
    return c;
}

void cf9_free(struct cf9 *c) { free(c); }
