/* SPDX-License-Identifier: MIT
 * A medium of bytes as a disk controller sees it: what lies behind is a file, an overlay, or a test.
 */
#ifndef RINGSIDE_BUS_BLOCK_H
#define RINGSIDE_BUS_BLOCK_H

#include "base/types.h"

struct block_ops {
    /* [offset, offset+size) lies within the medium. returns: false when the host cannot do it */
    bool (*read)(void *context, u64 offset, void *out, size_t size);
    bool (*write)(void *context, u64 offset, const void *in, size_t size);
    /* What was written before survives the host's loss of power once this returns. */
    bool (*flush)(void *context);
};

struct block {
    const struct block_ops *ops;
    void *context;
    u64 bytes;
    bool read_only;
};

/* As the operations, for any range: false also when it is not within the medium, or the medium takes no writes. */
static inline bool block_read(const struct block *b, u64 offset, void *out, size_t size)
{
    return offset <= b->bytes && size <= b->bytes - offset && b->ops->read(b->context, offset, out, size);
}
static inline bool block_write(const struct block *b, u64 offset, const void *in, size_t size)
{
    return !b->read_only && offset <= b->bytes && size <= b->bytes - offset &&
           b->ops->write(b->context, offset, in, size);
}
static inline bool block_flush(const struct block *b) { return b->read_only || b->ops->flush(b->context); }

#endif
