/* SPDX-License-Identifier: MIT
 * Scan codes: from set 2, in which keys come in, to set 3 (set 1: ps2_keyboard.h).
 */
#ifndef RINGSIDE_DEVICES_PS2_CODES_H
#define RINGSIDE_DEVICES_PS2_CODES_H

#include "base/types.h"

/* What a key of set 3 sends: repeats, its release, or neither. */
enum ps2_key_kind { PS2_KEY_TYPEMATIC, PS2_KEY_MAKE_BREAK, PS2_KEY_MAKE_ONLY, PS2_KEY_ALL };

/* The set 3 code of a key. in: its last byte in set 2, and whether E0 came before. returns: 0 for none. */
u8 ps2_set2_to_set3(u8 code, bool after_e0);
/* What the key of a set 3 code sends after power-on. */
enum ps2_key_kind ps2_set3_kind(u8 code);

#endif
