/* SPDX-License-Identifier: MIT
 * The bytes a PS/2 device or its controller has yet to send: a small ring.
 */
#ifndef RINGSIDE_DEVICES_PS2_QUEUE_H
#define RINGSIDE_DEVICES_PS2_QUEUE_H

#include "base/types.h"

#define PS2_QUEUE_SIZE 32u

struct ps2_queue {
    u8 bytes[PS2_QUEUE_SIZE];
    unsigned head, count;
};

static inline unsigned ps2_queue_room(const struct ps2_queue *q) { return PS2_QUEUE_SIZE - q->count; }

/* A byte that finds no room is lost: who must not lose it asks for room first. */
static inline void ps2_queue_put(struct ps2_queue *q, u8 byte)
{
    if (q->count < PS2_QUEUE_SIZE)
        q->bytes[(q->head + q->count++) % PS2_QUEUE_SIZE] = byte;
}

/* returns: false when it is empty */
static inline bool ps2_queue_get(struct ps2_queue *q, u8 *byte)
{
    if (!q->count)
        return false;
    *byte = q->bytes[q->head];
    q->head = (q->head + 1) % PS2_QUEUE_SIZE;
    q->count--;
    return true;
}

static inline void ps2_queue_clear(struct ps2_queue *q) { q->count = 0; }

#endif
