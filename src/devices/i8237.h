/* SPDX-License-Identifier: MIT
 * The two 8237A DMA controllers and their page registers.
 * Intel 8237A data sheet; 82371SB (PIIX3), "DMA Registers".
 *
 * A device that has bytes to move asserts its channel's request and moves as many as the channel takes: single, demand
 * and block transfers are the same here, because a transfer takes no time and nothing else wants the bus.
 */
#ifndef RINGSIDE_DEVICES_I8237_H
#define RINGSIDE_DEVICES_I8237_H

#include "bus/physmem.h"
#include "bus/ports.h"

struct i8237;

/* A channel (0-7) as it stands: address and bytes left (channels 5-7 count words). */
struct i8237_channel {
    u64 address;
    u32 bytes;
    u8 mode; /* as written to the mode register, without the channel's number */
    bool masked;
};

/* What a device moves. */
enum i8237_direction { I8237_TO_MEMORY, I8237_FROM_MEMORY };

/* Claims 00h-0Fh, 80h-8Fh (80h is also the POST code port) and C0h-DFh. Starts as firmware leaves it: channel 4 passes
 * the first controller's requests on, every other channel is masked. returns: never NULL. */
struct i8237 *i8237_new(struct ports *ports, struct physmem *physmem);
void i8237_free(struct i8237 *d);

/* Name the device of a channel. in: ready  called, from a guest's write to a register, when a channel whose request is
 * asserted can be served and could not before; may transfer and change the request. */
void i8237_attach(struct i8237 *d, unsigned channel, void (*ready)(void *context), void *context);
/* DREQ of a channel: shown in the status register, and asked for i8237_attach()'s ready. */
void i8237_request(struct i8237 *d, unsigned channel, bool asserted);

/* Move up to size bytes between a device's buffer and memory.
 * in:      size      bytes; channels 5-7 move whole words, an odd byte stays
 * returns: how many bytes moved: 0 while the channel cannot be served (masked, its controller disabled, or channel 4
 *          closed to channels 0-3), less than size when the terminal count came. *terminal: it came with the last byte.
 * effects: memory is written as INITIATOR_DMA; address and count move on; at the terminal count the channel is loaded
 *          anew (autoinitialize) or masked. A channel programmed for verify, or against the device's direction, counts
 *          and leaves memory alone; the device then reads ones.
 * source:  8237A, "DMA Operation", "Transfer Types" */
size_t i8237_transfer(struct i8237 *d, unsigned channel, enum i8237_direction direction, u8 *bytes, size_t size,
                      bool *terminal);

struct i8237_channel i8237_channel(const struct i8237 *d, unsigned channel);
/* The last byte written to port 80h. */
u8 i8237_post_code(const struct i8237 *d);

#endif
