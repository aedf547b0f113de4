/* SPDX-License-Identifier: MIT
 * Ethernet frames between a network card and the world. What the card sends goes out by a callback; what comes in is
 * from outside, and so enters by the input port (bus/input.h), as a stream of frames.
 */
#ifndef RINGSIDE_BUS_NET_H
#define RINGSIDE_BUS_NET_H

#include "base/types.h"

#define NET_FRAME_MAX 65535u /* bytes; a frame has its addresses and type, but no checksum */
#define NET_FRAME_PREFIX 2u  /* in the stream each frame stands behind its length, 2 bytes, the low one first */
#define NET_ADDRESS_BYTES 6u

/* The card sent a frame. */
typedef void net_send(void *context, const u8 *frame, size_t size);

#endif
