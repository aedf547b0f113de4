/* SPDX-License-Identifier: MIT
 * The I/O port map: 65,536 ports, each claimed by at most one device.
 */
#ifndef RINGSIDE_BUS_PORTS_H
#define RINGSIDE_BUS_PORTS_H

#include "base/types.h"
#include "bus/physmem.h"

struct port_ops {
    /* size is 1, 2 or 4 bytes; port is the absolute port number. */
    u32 (*read)(void *device, u16 port, unsigned size);
    void (*write)(void *device, u16 port, u32 value, unsigned size);
    /* Bits 1, 2, 4: access sizes the device takes as they are. Others are split into bytes. 0 means bytes only. */
    unsigned sizes;
};

struct ports;

struct ports *ports_new(void);
void ports_free(struct ports *ports);
/* Claim count ports from first. A later claim wins over an earlier one. ops and name must outlive the map. */
void ports_claim(struct ports *ports, u16 first, unsigned count, const struct port_ops *ops, void *device,
                 const char *name);
void ports_release(struct ports *ports, u16 first, unsigned count);
/* returns: nobody claims any of the count ports from first, and all of them exist */
bool ports_unclaimed(const struct ports *ports, u16 first, unsigned count);
/* The claims in the order of their ports, a run of ports with one owner each. returns: how many were put into out. */
struct port_range {
    u16 first, last;
    const char *name;
};
size_t ports_ranges(const struct ports *ports, struct port_range *out, size_t max);
/* size is 1, 2 or 4. Unclaimed ports read as ones; writes to them are dropped. */
u32 ports_read(struct ports *ports, u16 port, unsigned size, enum initiator who);
void ports_write(struct ports *ports, u16 port, u32 value, unsigned size, enum initiator who);

#endif
