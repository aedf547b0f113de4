/* SPDX-License-Identifier: MIT
 * The options that put devices on the PCI bus: -device, -netdev, -nic.
 */
#include "cli/device_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARD "virtio-net-pci"

/* The next word of a list with commas.  returns: false at its end */
static bool next_word(const char **text, char word[static 128])
{
    size_t length = strcspn(*text, ",");

    if (**text == '\0')
        return false;
    snprintf(word, 128, "%.*s", (int)(length < 127 ? length : 127), *text);
    *text += length + ((*text)[length] == ',');
    return true;
}

/* "KEY=VALUE".  returns: the value, or NULL when word has another key */
static const char *value_of(const char *word, const char *key)
{
    size_t length = strlen(key);

    return strncmp(word, key, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

static bool copy_name(char name[static 32], const char *text, struct error *err)
{
    if (*text == '\0' || strlen(text) >= 32)
        return error_set(err, EXIT_USAGE, "'%s' is no name for a network (1 to 31 characters)", text);
    snprintf(name, 32, "%s", text);
    return true;
}

/* "52:54:00:12:34:56"; a card's own address, so not a group's. */
static bool parse_address(u8 address[static NET_ADDRESS_BYTES], const char *text, struct error *err)
{
    unsigned byte[NET_ADDRESS_BYTES];
    int used = 0;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4], &byte[5], &used) !=
            6 ||
        text[used] != '\0' || (byte[0] & 1))
        return error_set(err, EXIT_USAGE, "mac=%s: six bytes such as 52:54:00:12:34:56, the first of them even", text);
    for (unsigned i = 0; i < NET_ADDRESS_BYTES; i++)
        address[i] = (u8)byte[i];
    return true;
}

static bool add_card(struct machine_options *machine, struct error *err)
{
    if (machine->card.present)
        return error_set(err, EXIT_USAGE, "this version has one network card");
    machine->card.present = true;
    return true;
}

static bool net_device(struct machine_options *machine, struct network_options *network, const char *rest,
                       struct error *err)
{
    char word[128];

    if (!add_card(machine, err))
        return false;
    while (next_word(&rest, word)) {
        const char *netdev = value_of(word, "netdev"), *mac = value_of(word, "mac");

        if (netdev == NULL && mac == NULL)
            return error_set(err, EXIT_USAGE, CARD " has no property '%s' (netdev, mac)", word);
        if (netdev != NULL ? !copy_name(network->card, netdev, err) : !parse_address(machine->card.address, mac, err))
            return false;
    }
    if (network->card[0] == '\0')
        return error_set(err, EXIT_USAGE, CARD " wants a network: netdev=NAME, and -netdev user,id=NAME");
    return true;
}

bool device_option(struct machine_options *machine, struct network_options *network, const char *text,
                   const char *names, struct error *err)
{
    const char *rest = text;
    char name[128] = "";

    next_word(&rest, name);
    if (strcmp(name, CARD) == 0)
        return net_device(machine, network, rest, err);
    if (strcmp(name, "virtio-rng-pci") == 0) {
        if (*rest != '\0')
            return error_set(err, EXIT_USAGE, "virtio-rng-pci has no property '%s'", rest);
        machine->rng = true;
        return true;
    }
    return error_set(err, EXIT_USAGE, "-device %s: there are %s, " CARD ",netdev=NAME[,mac=ADDRESS] and virtio-rng-pci",
                     text, names);
}

static bool begin_network(struct network_options *network, const char **text, const char *option, struct error *err)
{
    char word[128] = "";

    next_word(text, word);
    if (strcmp(word, "user") != 0)
        return error_set(err, EXIT_USAGE, "%s %s: the only kind of network is 'user'", option, word);
    if (network->user)
        return error_set(err, EXIT_USAGE, "this version has one network");
    network->user = true;
    return true;
}

bool netdev_option(struct network_options *network, const char *text, struct error *err)
{
    char word[128];

    if (!begin_network(network, &text, "-netdev", err))
        return false;
    while (next_word(&text, word)) {
        const char *id = value_of(word, "id");

        if (id != NULL ? !copy_name(network->id, id, err) : !net_user_option(&network->options, word, err))
            return false;
    }
    return network->id[0] != '\0' || error_set(err, EXIT_USAGE, "-netdev user wants a name: id=NAME");
}

bool nic_option(struct machine_options *machine, struct network_options *network, const char *text, struct error *err)
{
    char word[128];

    if (strcmp(text, "none") == 0)
        return true;
    if (!begin_network(network, &text, "-nic", err) || !add_card(machine, err))
        return false;
    while (next_word(&text, word)) {
        const char *model = value_of(word, "model"), *mac = value_of(word, "mac");

        if (model != NULL) {
            if (strcmp(model, CARD) != 0 && strcmp(model, "virtio") != 0)
                return error_set(err, EXIT_USAGE, "model=%s: the only network card is " CARD, model);
        } else if (mac != NULL ? !parse_address(machine->card.address, mac, err)
                               : !net_user_option(&network->options, word, err)) {
            return false;
        }
    }
    return true;
}

bool network_options_check(const struct machine_options *machine, const struct network_options *network,
                           struct error *err)
{
    if (machine->card.present && (!network->user || strcmp(network->card, network->id) != 0))
        return error_set(err, EXIT_USAGE, CARD ",netdev=%s: no -netdev has this id", network->card);
    if (network->user && !machine->card.present)
        return error_set(err, EXIT_USAGE, "the network '%s' has no card: add -device " CARD ",netdev=%s", network->id,
                         network->id);
    return true;
}
