/* SPDX-License-Identifier: MIT
 * A 16550A serial port.
 * National Semiconductor PC16550D data sheet.
 *
 * Transmission takes no virtual time: the transmitter is empty again as soon as a byte is written, so that no guest can
 * overrun it and a console costs the fewest instructions. Reception is limited by the room in the receiver only.
 */
#ifndef RINGSIDE_DEVICES_UART_H
#define RINGSIDE_DEVICES_UART_H

#include "bus/clock.h"
#include "bus/irq.h"
#include "bus/ports.h"

typedef void uart_out(void *context, const u8 *bytes, size_t size);

struct uart;

/* Claims base..base+7 (COM1 3F8h with IRQ4, COM2 2F8h with IRQ3). out may be NULL. returns: never NULL. */
struct uart *uart_new(struct ports *ports, struct clock *clock, u16 base, struct irq_line *irq, uart_out *out,
                      void *out_context, const char *name);
void uart_free(struct uart *uart);
/* An input_sink (context is the uart): takes what the receiver has room for; nothing while in loopback. */
size_t uart_receive(void *uart, const u8 *bytes, size_t size);

#endif
