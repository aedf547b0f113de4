/* SPDX-License-Identifier: MIT
 * What a hardware corpus is made of: places, names, and the parts of a state that differences name.
 */
#include "conform/hardware/corpus_layout.h"

const char *hardware_mode_name(enum hardware_mode mode)
{
    static const char *const names[HARDWARE_MODES] = {"64-bit", "compat32", "compat16"};

    return names[mode];
}

/* A value that tells addresses apart, and that differs between a page and the next at the same offset. */
u8 hardware_background(u32 address)
{
    u32 mixed = address * 0x9E3779B1u;

    return (u8)(mixed >> 24 ^ mixed >> 13);
}

struct corpus_item corpus_item_at(unsigned index)
{
#define ITEM(field)                                                                                                    \
    {                                                                                                                  \
        offsetof(struct hardware_state, field), sizeof(((struct hardware_state *)0)->field)                            \
    }
#define FOUR(field, n) ITEM(field[n]), ITEM(field[n + 1]), ITEM(field[n + 2]), ITEM(field[n + 3])
    static const struct corpus_item items[] = {
        FOUR(gpr, 0),      FOUR(gpr, 4),      FOUR(gpr, 8),      FOUR(gpr, 12),     ITEM(rip),     ITEM(rflags),
        ITEM(mxcsr),       FOUR(selector, 0), ITEM(selector[4]), ITEM(selector[5]), ITEM(fs_base), ITEM(gs_base),
        ITEM(x87_control), ITEM(x87_status),  ITEM(x87_valid),   FOUR(x87, 0),      FOUR(x87, 4),  FOUR(xmm, 0),
        FOUR(xmm, 4),      FOUR(xmm, 8),      FOUR(xmm, 12),
    };
#undef FOUR
#undef ITEM
    _Static_assert(ARRAY_LEN(items) == CORPUS_ITEMS, "the number is in the layout");
    return items[index];
}

static unsigned x87_top(const struct hardware_state *state) { return state->x87_status >> 11 & 7; }

static void rotate_x87(struct hardware_state *state, unsigned by)
{
    u8 old[8][10];

    memcpy(old, state->x87, sizeof old);
    for (unsigned i = 0; i < 8; i++)
        memcpy(state->x87[(i + by) & 7], old[i], sizeof old[i]);
}

void corpus_x87_to_physical(struct hardware_state *state) { rotate_x87(state, x87_top(state)); }
void corpus_x87_to_stack(struct hardware_state *state) { rotate_x87(state, 8 - x87_top(state)); }

struct hardware_state corpus_guess_after(const struct hardware_state *before, u8 vector, u8 length)
{
    struct hardware_state guess = *before;

    if (vector == VECTOR_BP)
        guess.rip += length;
    return guess;
}

bool corpus_text_ok(const char *text, size_t size)
{
    size_t length = strnlen(text, size);

    for (size_t i = 0; i < size; i++)
        if (i < length ? text[i] < ' ' || text[i] > '~' : text[i] != 0)
            return false;
    return length < size;
}

bool corpus_run_mapped(u32 address, u32 size)
{
    return address >= HARDWARE_DATA && (u64)address + size <= HARDWARE_READ_ONLY_END;
}
