/* SPDX-License-Identifier: MIT
 * The two 8237A DMA controllers and their page registers, as register state.
 * Intel 8237A data sheet; 82371SB (PIIX3), "DMA Registers".
 */
#ifndef RINGSIDE_DEVICES_DMA_H
#define RINGSIDE_DEVICES_DMA_H

#include "bus/ports.h"

struct dma;

/* One channel (0-7) as programmed: address and count in bytes (channels 5-7 count words). */
struct dma_channel_state {
    u64 address;
    u32 bytes;
    u8 mode;
    bool masked;
};

/* Claims 00h-0Fh, 80h-8Fh (80h is also the POST code port) and C0h-DFh. returns: never NULL. */
struct dma *dma_new(struct ports *ports);
void dma_free(struct dma *dma);
struct dma_channel_state dma_channel(const struct dma *dma, unsigned channel);
/* The last byte written to port 80h. */
u8 dma_post_code(const struct dma *dma);

#endif
