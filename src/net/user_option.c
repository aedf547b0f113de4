/* SPDX-License-Identifier: MIT
 * The options of a user network, in QEMU's spelling.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/user.h"

/* "[ADDRESS]:PORT"; ends at the separator or the end of the text.  returns: behind it, or NULL */
static const char *parse_end_point(const char *text, char separator, u32 *address, u16 *port)
{
    size_t length = strcspn(text, ":");
    struct in_addr parsed;
    char word[32], *end;
    unsigned long number;

    if (text[length] != ':' || length >= sizeof word)
        return NULL;
    memcpy(word, text, length);
    word[length] = '\0';
    *address = 0;
    if (length != 0) {
        if (inet_pton(AF_INET, word, &parsed) != 1)
            return NULL;
        *address = ntohl(parsed.s_addr);
    }
    text += length + 1;
    if (*text < '0' || *text > '9')
        return NULL;
    number = strtoul(text, &end, 10);
    if (number == 0 || number > 65535 || *end != separator)
        return NULL;
    *port = (u16)number;
    return end + (separator != '\0');
}

static bool parse_forward(struct net_forward *f, const char *text)
{
    if (strncmp(text, "tcp:", 4) != 0 && strncmp(text, "udp:", 4) != 0)
        return false;
    f->udp = text[0] == 'u';
    text = parse_end_point(text + 4, '-', &f->host, &f->host_port);
    return text != NULL && parse_end_point(text, '\0', &f->guest, &f->guest_port) != NULL;
}

bool net_user_option(struct net_user_options *options, const char *text, struct error *err)
{
    if (strncmp(text, "hostfwd=", 8) == 0) {
        if (options->forwards == NET_FORWARDS_MAX)
            return error_set(err, EXIT_USAGE, "at most %u ports can be forwarded", NET_FORWARDS_MAX);
        if (!parse_forward(&options->forward[options->forwards], text + 8))
            return error_set(err, EXIT_USAGE, "%s: hostfwd=tcp|udp:[HOST-ADDRESS]:PORT-[GUEST-ADDRESS]:PORT", text);
        options->forwards++;
        return true;
    }
    if (strcmp(text, "restrict=on") == 0 || strcmp(text, "restrict=off") == 0) {
        options->restricted = text[10] == 'n';
        return true;
    }
    return error_set(err, EXIT_USAGE, "a user network has no option '%s' (hostfwd=..., restrict=on|off)", text);
}
