/* SPDX-License-Identifier: MIT
 * The options that put devices on the PCI bus: -device, -netdev, -nic.
 */
#ifndef RINGSIDE_CLI_DEVICE_OPTIONS_H
#define RINGSIDE_CLI_DEVICE_OPTIONS_H

#include "machine/machine.h"
#include "net/user.h"

/* The network card's other end. */
struct network_options {
    bool user;     /* a user network was asked for */
    char id[32];   /* its name; empty: -nic's, which has none */
    char card[32]; /* the name of the network that the card wants */
    struct net_user_options options;
};

/* "NAME[,PROPERTY=VALUE]...": a device of the PCI bus.
 * in: names  what else -device takes, for the message about an unknown one
 * returns: false with err set (EXIT_USAGE) */
bool device_option(struct machine_options *machine, struct network_options *network, const char *text,
                   const char *names, struct error *err);
/* "user,id=NAME[,OPTION]..." */
bool netdev_option(struct network_options *network, const char *text, struct error *err);
/* "user[,model=virtio-net-pci][,mac=ADDRESS][,OPTION]...", a network and a card at once; "none" */
bool nic_option(struct machine_options *machine, struct network_options *network, const char *text, struct error *err);
/* All options were read: the card has a network, the network a card. */
bool network_options_check(const struct machine_options *machine, const struct network_options *network,
                           struct error *err);

#endif
