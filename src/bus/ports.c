/* SPDX-License-Identifier: MIT
 * The I/O port map.
 */
#include "bus/ports.h"

#include <assert.h>
#include <stdlib.h>

#define PORT_COUNT 65536u
#define CLAIM_MAX 1024u

struct claim {
    const struct port_ops *ops;
    void *device;
    const char *name;
};

struct ports {
    u16 owner[PORT_COUNT]; /* index into claims; 0 is nobody */
    struct claim claims[CLAIM_MAX];
    unsigned claim_count;
};

struct ports *ports_new(void)
{
    struct ports *ports = calloc(1, sizeof *ports);

    if (!ports)
        abort();
    ports->claim_count = 1;
    return ports;
}

void ports_free(struct ports *ports) { free(ports); }

/* A device that moves (a PCI BAR) claims again and again: it keeps one entry. */
static u16 find_claim(struct ports *ports, const struct port_ops *ops, void *device, const char *name)
{
    for (unsigned i = 1; i < ports->claim_count; i++) {
        const struct claim *claim = &ports->claims[i];

        if (claim->ops == ops && claim->device == device && claim->name == name)
            return (u16)i;
    }
    assert(ports->claim_count < CLAIM_MAX);
    ports->claims[ports->claim_count] = (struct claim){ops, device, name};
    return (u16)ports->claim_count++;
}

void ports_claim(struct ports *ports, u16 first, unsigned count, const struct port_ops *ops, void *device,
                 const char *name)
{
    u16 claim = find_claim(ports, ops, device, name);

    for (unsigned i = 0; i < count && first + i < PORT_COUNT; i++)
        ports->owner[first + i] = claim;
}

void ports_release(struct ports *ports, u16 first, unsigned count)
{
    for (unsigned i = 0; i < count && first + i < PORT_COUNT; i++)
        ports->owner[first + i] = 0;
}

bool ports_unclaimed(const struct ports *ports, u16 first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (first + i >= PORT_COUNT || ports->owner[first + i] != 0)
            return false;
    return true;
}

size_t ports_ranges(const struct ports *ports, struct port_range *out, size_t max)
{
    size_t count = 0;

    for (unsigned port = 0; port < PORT_COUNT; port++) {
        u16 owner = ports->owner[port];

        if (owner == 0)
            continue;
        if (port != 0 && ports->owner[port - 1] == owner && count != 0) {
            out[count - 1].last = (u16)port;
            continue;
        }
        if (count == max)
            break;
        out[count++] = (struct port_range){(u16)port, (u16)port, ports->claims[owner].name};
    }
    return count;
}

/* The claim that takes an access of this size whole, or NULL when it must be split into bytes. It must own both ends:
 * what lies between may be another's, as CF9h lies within the PCI address register at CF8h. */
static const struct claim *whole(const struct ports *ports, u16 port, unsigned size)
{
    u16 owner = ports->owner[port];
    const struct claim *claim = &ports->claims[owner];

    if (size == 1 || port + size > PORT_COUNT || !owner || !(claim->ops->sizes & size))
        return NULL;
    if (ports->owner[port + size - 1] != owner)
        return NULL;
    return claim;
}

static u8 read_byte(struct ports *ports, u16 port)
{
    u16 owner = ports->owner[port];
    const struct claim *claim = &ports->claims[owner];

    return owner && claim->ops->read ? (u8)claim->ops->read(claim->device, port, 1) : 0xff;
}

static void write_byte(struct ports *ports, u16 port, u8 value)
{
    u16 owner = ports->owner[port];
    const struct claim *claim = &ports->claims[owner];

    if (owner && claim->ops->write)
        claim->ops->write(claim->device, port, value, 1);
}

u32 ports_read(struct ports *ports, u16 port, unsigned size, enum initiator who)
{
    const struct claim *claim = whole(ports, port, size);
    u32 value = 0;

    (void)who; /* no port of a PC answers differently by initiator */
    if (claim)
        return claim->ops->read ? claim->ops->read(claim->device, port, size) & (u32)((1ull << (8 * size)) - 1)
                                : (u32)((1ull << (8 * size)) - 1);
    for (unsigned i = 0; i < size; i++)
        value |= (u32)read_byte(ports, (u16)(port + i)) << (8 * i);
    return value;
}

void ports_write(struct ports *ports, u16 port, u32 value, unsigned size, enum initiator who)
{
    const struct claim *claim = whole(ports, port, size);

    (void)who;
    if (claim) {
        if (claim->ops->write)
            claim->ops->write(claim->device, port, value & (u32)((1ull << (8 * size)) - 1), size);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        write_byte(ports, (u16)(port + i), (u8)(value >> (8 * i)));
}
