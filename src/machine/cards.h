/* SPDX-License-Identifier: MIT
 * The cards in the board's PCI slots that a run asks for.
 */
#ifndef RINGSIDE_MACHINE_CARDS_H
#define RINGSIDE_MACHINE_CARDS_H

#include "devices/pci_intx.h"
#include "devices/virtio/virtio_pci.h"
#include "machine/board.h"

/* Where each is; firmware/dsdt.asl has the interrupts of all slots. */
enum card_slot { SLOT_NETWORK = 3, SLOT_RNG = 4, SLOT_DISK = 5 /* and the next */ };

struct cards;

/* What the cards are put on. */
struct cards_place {
    struct virtio_bus bus;
    struct pci_intx *intx;
    struct clock *clock;
    struct input_port *input;
};

/* The options ask for some card. */
bool cards_wanted(const struct machine_options *options);
/* in: options, callbacks  outlive the cards.  returns: never NULL */
struct cards *cards_new(const struct cards_place *place, const struct machine_options *options,
                        const struct board_callbacks *callbacks);
void cards_free(struct cards *cards);

#endif
