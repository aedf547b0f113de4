/* SPDX-License-Identifier: MIT
 * The cards in the board's PCI slots that a run asks for.
 */
#include "machine/cards.h"

#include <stdio.h>
#include <stdlib.h>

#include "devices/virtio/virtio_blk.h"
#include "devices/virtio/virtio_net.h"
#include "devices/virtio/virtio_rng.h"

#define DISKS (MACHINE_DISKS - MACHINE_IDE_DRIVES)
#define RNG_SEED 0x52494E4753494445ull /* the same in every run */

struct cards {
    struct virtio_net *net; /* each NULL: not asked for */
    struct virtio_rng *rng;
    struct virtio_blk *disk[DISKS];
};

bool cards_wanted(const struct machine_options *options)
{
    for (unsigned i = MACHINE_IDE_DRIVES; i < MACHINE_DISKS; i++)
        if (options->drives[i].kind != DRIVE_NONE)
            return true;
    return options->card.present || options->rng;
}

static struct virtio_blk *make_disk(const struct cards_place *place, unsigned number, const struct block *medium)
{
    unsigned slot = SLOT_DISK + number;
    char serial[21];

    snprintf(serial, sizeof serial, "RINGSIDE%04u", MACHINE_IDE_DRIVES + number);
    return virtio_blk_new(&place->bus, slot, pci_intx_line(place->intx, slot, 0), place->clock, medium, serial);
}

struct cards *cards_new(const struct cards_place *place, const struct machine_options *options,
                        const struct board_callbacks *callbacks)
{
    struct cards *c = calloc(1, sizeof *c);

    if (c == NULL)
        abort();
    if (options->card.present) {
        c->net = virtio_net_new(&place->bus, SLOT_NETWORK, pci_intx_line(place->intx, SLOT_NETWORK, 0),
                                options->card.address, callbacks->network_send, callbacks->context);
        input_attach(place->input, INPUT_NETWORK, virtio_net_receive, c->net);
    }
    if (options->rng)
        c->rng = virtio_rng_new(&place->bus, SLOT_RNG, pci_intx_line(place->intx, SLOT_RNG, 0), RNG_SEED);
    for (unsigned i = 0; i < DISKS; i++)
        if (options->drives[MACHINE_IDE_DRIVES + i].kind != DRIVE_NONE)
            c->disk[i] = make_disk(place, i, options->drives[MACHINE_IDE_DRIVES + i].medium);
    return c;
}

void cards_free(struct cards *c)
{
    if (c == NULL)
        return;
    virtio_net_free(c->net);
    virtio_rng_free(c->rng);
    for (unsigned i = 0; i < DISKS; i++)
        virtio_blk_free(c->disk[i]);
    free(c);
}
