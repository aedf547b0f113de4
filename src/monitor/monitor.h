/* SPDX-License-Identifier: MIT
 * The monitor: commands that show and steer a running machine. Commands are executed between two slices of the run, so
 * that what they show is of one moment. Showing has no effect on the machine; what changes it enters by its input port
 * (machine_send()), so that a recording replays it.
 */
#ifndef RINGSIDE_MONITOR_MONITOR_H
#define RINGSIDE_MONITOR_MONITOR_H

#include "machine/machine.h"

struct monitor;

/* What a monitor asks of the program around it. */
struct monitor_host {
    void *context;
    /* Text for the person at the monitor; lines end with \n. */
    void (*write)(void *context, const char *text, size_t size);
    /* Turn the live trace on or off; may be NULL. filter: what it shows, as --filter takes it; NULL: as before.
     * returns: false with err set */
    bool (*trace)(void *context, bool on, const char *filter, struct error *err);
    /* Write the screen as a PNG file; may be NULL. returns: false with err set */
    bool (*screendump)(void *context, const char *path, struct error *err);
};

#define MONITOR_PROMPT "(ringside) "

/* in: machine  must outlive the monitor; echo  show what is typed, and let it be edited (a terminal in raw mode)
 * returns: never NULL */
struct monitor *monitor_new(struct machine *machine, const struct monitor_host *host, bool echo);
void monitor_free(struct monitor *m);
/* Ask for a command. */
void monitor_prompt(struct monitor *m);
/* Take typed bytes, from a callback of the machine's world: each line is executed, and the prompt comes again.
 * Backspace and Ctrl-U edit the line, Ctrl-C drops it; cursor keys do nothing. */
void monitor_type(struct monitor *m, const u8 *bytes, size_t size);
/* Execute one command. in: line  without its end */
void monitor_execute(struct monitor *m, const char *line);

#endif
