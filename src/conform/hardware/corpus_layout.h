/* SPDX-License-Identifier: MIT
 * The bytes of a corpus file, as its reader and its writer share them.
 *
 *     preamble   20 bytes: magic[8], version u32, CRC-32 of the rest of the file u32, unpacked bytes u32
 *     the rest   one Zstandard frame, which unpacks to:
 *                source    hardware_source, field by field
 *                count     of states; each as a difference from the state that is all zero
 *                count     of cases; each:
 *                          mode, length, code[length], state (index into the pool),
 *                          difference from that state to `before`, vector, error, [cr2 when the vector is 14],
 *                          runs of memory before, difference from the guess after `before` to `after`, runs after
 *
 * A number is a LEB128. A difference is a count of items, and each item as its number in the table of items, a mask of
 * the bytes that differ (one byte; two when the item has more than eight), and these bytes. The registers of the x87
 * stand in physical order in it, so that a push moves none. A run is an address, a size, and so many bytes. The guess
 * after `before` is `before`, with rip behind the instruction when the vector is 3.
 */
#ifndef RINGSIDE_CONFORM_HARDWARE_CORPUS_LAYOUT_H
#define RINGSIDE_CONFORM_HARDWARE_CORPUS_LAYOUT_H

#include "base/bits.h"
#include "conform/hardware/corpus.h"

#define CORPUS_MAGIC "RINGSHWC"
#define CORPUS_VERSION 1u
#define CORPUS_PREAMBLE 20u
#define CORPUS_UNPACKED_MAX (128u << 20)
#define CORPUS_STATES_MAX 1024u
#define CORPUS_WINDOW_LOG 27u /* of the frame: how far back it may refer */

enum { VECTOR_BP = 3, VECTOR_PF = 14, VECTORS = 32 };

/* The parts of a state that a difference may name. */
struct corpus_item {
    u16 offset; /* in struct hardware_state */
    u8 size;
};
#define CORPUS_ITEMS 54u
struct corpus_item corpus_item_at(unsigned index);

/* Exchange the order of x87[] between that of the stack and that of the physical registers, by x87_status. */
void corpus_x87_to_physical(struct hardware_state *state);
void corpus_x87_to_stack(struct hardware_state *state);

/* The guess that `after` is a difference from; both with x87[] in physical order. */
struct hardware_state corpus_guess_after(const struct hardware_state *before, u8 vector, u8 length);

/* A text of a header: bytes of printable ASCII and then zeros. */
bool corpus_text_ok(const char *text, size_t size);

/* Whether a whole run lies in the data pages. */
bool corpus_run_mapped(u32 address, u32 size);
/* Where a case's first byte lies. */
ALWAYS_INLINE u64 corpus_code_address(enum hardware_mode mode, u64 rip)
{
    return mode == HARDWARE_16 ? rip + HARDWARE_CODE : rip;
}
ALWAYS_INLINE bool corpus_code_ok(enum hardware_mode mode, u64 rip)
{
    u64 at = corpus_code_address(mode, rip);

    return rip < HARDWARE_CODE_END && at >= HARDWARE_CODE && at < HARDWARE_CODE_END;
}

#endif
