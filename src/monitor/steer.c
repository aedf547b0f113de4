/* SPDX-License-Identifier: MIT
 * The commands that act: buttons, keys, the end, the live trace, a picture of the screen.
 */
#include <string.h>

#include "display/keys.h"
#include "monitor/command.h"

#define KEYS_MAX 8u /* pressed at once */

static bool takes_nothing(struct monitor *m, const char *arguments)
{
    if (*arguments == '\0')
        return true;
    command_error(m, "'%s' is one word too many", arguments);
    return false;
}

static void press(struct monitor *m, const char *arguments, enum input_source button)
{
    if (takes_nothing(m, arguments) && !machine_send(m->machine, button, NULL, 0))
        command_error(m, "the machine has not taken what was sent before; try again");
}

void command_quit(struct monitor *m, const char *arguments)
{
    if (!takes_nothing(m, arguments))
        return;
    m->quit = true;
    machine_quit(m->machine);
}

void command_system_reset(struct monitor *m, const char *arguments) { press(m, arguments, INPUT_RESET_BUTTON); }

void command_system_powerdown(struct monitor *m, const char *arguments) { press(m, arguments, INPUT_POWER_BUTTON); }

void command_nmi(struct monitor *m, const char *arguments) { press(m, arguments, INPUT_NMI_BUTTON); }

/* ---- keys */

/* "ctrl-alt-delete": all are pressed in their order, and released in the opposite one. */
void command_sendkey(struct monitor *m, const char *arguments)
{
    u8 bytes[MACHINE_SEND_BYTES];
    unsigned usage[KEYS_MAX], count = 0;
    size_t size = 0;

    _Static_assert(KEYS_MAX * 2 * KEY_BYTES_MAX <= MACHINE_SEND_BYTES, "each is pressed and released");
    if (*arguments == '\0') {
        command_error(m, "sendkey wants keys, such as ret or ctrl-alt-delete");
        return;
    }
    for (const char *name = arguments;; name++) {
        size_t length = strcspn(name, "-");

        if (count == KEYS_MAX) {
            command_error(m, "at most %u keys at once", KEYS_MAX);
            return;
        }
        usage[count] = key_usage(name, length);
        if (usage[count] == 0) {
            command_error(m, "there is no key '%.*s'", (int)length, name);
            return;
        }
        size += key_bytes(bytes + size, usage[count++], true);
        name += length;
        if (*name == '\0')
            break;
    }
    while (count-- > 0)
        size += key_bytes(bytes + size, usage[count], false);
    if (!machine_send(m->machine, INPUT_KEYBOARD, bytes, size))
        command_error(m, "the machine has not taken what was sent before; try again");
}

/* ---- trace, screen */

void command_trace(struct monitor *m, const char *arguments)
{
    struct error err = {.text = "there is no live trace here"};
    char word[8] = "";
    bool on;

    command_word(&arguments, word, sizeof word);
    on = strcmp(word, "on") == 0;
    if ((!on && strcmp(word, "off") != 0) || (!on && *arguments != '\0')) {
        command_error(m, "trace on [FILTER], or trace off");
        return;
    }
    if (m->host.trace == NULL || !m->host.trace(m->host.context, on, *arguments == '\0' ? NULL : arguments, &err))
        command_error(m, "%s", err.text);
}

void command_screendump(struct monitor *m, const char *arguments)
{
    struct error err = {.text = "there are no pictures here"};

    if (*arguments == '\0')
        command_error(m, "screendump wants a file to write");
    else if (m->host.screendump == NULL || !m->host.screendump(m->host.context, arguments, &err))
        command_error(m, "%s", err.text);
}
