/* SPDX-License-Identifier: MIT
 * The PIIX4's SMBus host controller.
 */
#include "devices/smbus.h"

#include <stdlib.h>

enum { HOST_STATUS = 0, SLAVE_STATUS = 1, HOST_CONTROL = 2, HOST_BLOCK = 7 };
enum { STATUS_DEV_ERR = 0x04, STATUS_CLEARABLE = 0x1E, CONTROL_START = 0x40, CONTROL_KEPT = 0x1D };

struct smbus {
    struct ports *ports;
    u16 placed; /* 0: nowhere */
    u8 registers[SMBUS_PORTS];
};

static u32 read_port(void *device, u16 port, unsigned size)
{
    const struct smbus *s = device;

    (void)size;
    return s->registers[(port - s->placed) % SMBUS_PORTS];
}

static void write_port(void *device, u16 port, u32 value, unsigned size)
{
    struct smbus *s = device;
    unsigned at = (port - s->placed) % SMBUS_PORTS;

    (void)size;
    switch (at) {
    case HOST_STATUS: s->registers[HOST_STATUS] &= (u8) ~(value & STATUS_CLEARABLE); break;
    case SLAVE_STATUS: break; /* nothing speaks to the host */
    case HOST_CONTROL:
        s->registers[HOST_CONTROL] = value & CONTROL_KEPT;
        if (value & CONTROL_START)
            s->registers[HOST_STATUS] |= STATUS_DEV_ERR;
        break;
    case HOST_BLOCK: break; /* no block was read */
    default: s->registers[at] = (u8)value; break;
    }
}

static const struct port_ops ops = {read_port, write_port, 1};

void smbus_place(struct smbus *s, u16 base)
{
    if (s->placed == base)
        return;
    if (s->placed != 0)
        ports_release(s->ports, s->placed, SMBUS_PORTS);
    s->placed = 0;
    if (base == 0 || !ports_unclaimed(s->ports, base, SMBUS_PORTS))
        return;
    ports_claim(s->ports, base, SMBUS_PORTS, &ops, s, "smbus");
    s->placed = base;
}

struct smbus *smbus_new(struct ports *ports)
{
    struct smbus *s = calloc(1, sizeof *s);

    if (s == NULL)
        abort();
    s->ports = ports;
    return s;
}

void smbus_free(struct smbus *s) { free(s); }
