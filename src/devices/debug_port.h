/* SPDX-License-Identifier: MIT
 * Ports for tests and firmware messages: debug consoles, debug exit, power-on self-test codes.
 */
#ifndef RINGSIDE_DEVICES_DEBUG_PORT_H
#define RINGSIDE_DEVICES_DEBUG_PORT_H

#include "bus/ports.h"

struct debug_console;
struct debug_exit;

/* A console: each byte written to the port (E9h or 402h) goes to out; reading answers E9h ("present").
 * returns: never NULL. */
struct debug_console *debug_console_new(struct ports *ports, u16 port,
                                        void (*out)(void *context, const u8 *bytes, size_t size), void *context);
void debug_console_free(struct debug_console *d);

/* The test exit, 4 ports from iobase: a write of v calls leave((v << 1) | 1), an exit status. returns: never NULL. */
struct debug_exit *debug_exit_new(struct ports *ports, u16 iobase, void (*leave)(void *context, u32 status),
                                  void *context);
void debug_exit_free(struct debug_exit *d);

#endif
