/* SPDX-License-Identifier: MIT
 * The user's terminal (or pipe, or file) as the guest's serial console.
 */
#ifndef RINGSIDE_CLI_CONSOLE_H
#define RINGSIDE_CLI_CONSOLE_H

#include <termios.h>

#include "cli/cli.h"
#include "monitor/monitor.h"
#include "net/user.h"

struct console {
    struct machine *machine;  /* for Ctrl-A x; set once it exists */
    int in, out;              /* -1: none */
    int firmware;             /* where port 402h goes; -1: nowhere */
    int com2, parallel;       /* the files of COM2 and LPT1; -1: none */
    struct net_user *network; /* NULL: none */
    bool ended;               /* nothing more will be typed */
    bool raw;                 /* the terminal was put into raw mode */
    struct termios saved;
    bool escape;             /* Ctrl-A was typed */
    struct monitor *monitor; /* set once it exists; NULL: none */
    bool in_monitor;         /* what is typed goes there */
    bool write_failed;
};

/* Open what -serial asks for. Puts a terminal into raw mode; console_close() puts it back.
 * returns: false with err set (EXIT_FILE) */
bool console_open(struct console *console, enum serial_kind kind, const char *path, struct error *err);
/* -debugcon: path "stderr", or of a file that is written anew; NULL: nowhere.
 * returns: false with err set (EXIT_FILE) */
bool console_open_firmware(struct console *console, const char *path, struct error *err);
/* The files of COM2 and LPT1, written anew; NULL: none. returns: false with err set (EXIT_FILE) */
bool console_open_files(struct console *console, const char *com2, const char *parallel, struct error *err);
/* Standard input is the monitor's, whatever COM1 has; a terminal edits its lines by itself. */
void console_open_monitor(struct console *console);
/* Write to the person at the terminal what is not the guest's: a monitor_host's write (context is the console). */
void console_say(void *context, const char *text, size_t size);
void console_close(struct console *console);
/* The world's callbacks for this console (context is the console). */
void console_world(struct console *console, struct machine_world *world);

/* A signal that ends the run came. */
bool console_interrupted(void);
/* SIGINT, SIGTERM and SIGHUP end the run in an orderly way; asked through machine_world.interrupted. */
void console_catch_signals(void);
/* The run is over, and what follows is printed: signals do what they do to any program, a closed pipe included. */
void console_release_signals(void);

#endif
