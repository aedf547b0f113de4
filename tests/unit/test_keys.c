/* SPDX-License-Identifier: MIT
 * Keys as scan codes of set 2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "display/keys.h"

static void sends(unsigned usage, bool down, const char *expected, size_t size)
{
    u8 bytes[KEY_BYTES_MAX];

    assert_int_equal(key_bytes(bytes, usage, down), size);
    assert_memory_equal(bytes, expected, size);
}

static void keys_make_and_break(void **unused)
{
    (void)unused;
    sends(USAGE_A, true, "\x1C", 1);
    sends(USAGE_A, false, "\xF0\x1C", 2);
    sends(USAGE_A + 25, true, "\x1A", 1);
    sends(USAGE_1, true, "\x16", 1);
    sends(USAGE_0, true, "\x45", 1);
    sends(USAGE_ENTER, true, "\x5A", 1);
    sends(USAGE_F1 + 11, true, "\x07", 1);
    sends(USAGE_UP, true, "\xE0\x75", 2);
    sends(USAGE_UP, false, "\xE0\xF0\x75", 3);
    sends(USAGE_DELETE, true, "\xE0\x71", 2);
    sends(0x53, true, "\x77", 1);          /* Num Lock */
    sends(0x58, false, "\xE0\xF0\x5A", 3); /* the keypad's Enter */
    sends(0x63, true, "\x71", 1);          /* its point */
    sends(0x64, true, "\x61", 1);          /* the 102nd key */
    sends(USAGE_LEFT_SHIFT, true, "\x12", 1);
    sends(0xE7, false, "\xE0\xF0\x27", 3);
}

static void keys_of_their_own_kind(void **unused)
{
    (void)unused;
    sends(0x46, true, "\xE0\x12\xE0\x7C", 4);
    sends(0x46, false, "\xE0\xF0\x7C\xE0\xF0\x12", 6);
    sends(0x48, true, "\xE1\x14\x77\xE1\xF0\x14\xF0\x77", 8);
    sends(0x48, false, "", 0);
    sends(0, true, "", 0);
    sends(3, true, "", 0);
    sends(0x66, true, "", 0);
    sends(0xE8, true, "", 0);
    sends(0xFFFFFFFF, true, "", 0);
}

static void is_stroke(unsigned c, u8 usage, bool shift, bool control)
{
    struct key_stroke k;

    assert_true(key_of_character(&k, c));
    assert_int_equal(k.usage, usage);
    assert_int_equal(k.shift, shift);
    assert_int_equal(k.control, control);
}

static void characters_of_a_us_keyboard(void **unused)
{
    struct key_stroke k;

    (void)unused;
    is_stroke('q', USAGE_A + 16, false, false);
    is_stroke('Q', USAGE_A + 16, true, false);
    is_stroke(3, USAGE_A + 2, false, true);
    is_stroke('\r', USAGE_ENTER, false, false);
    is_stroke(0x1B, USAGE_ESCAPE, false, false);
    is_stroke(0x7F, USAGE_BACKSPACE, false, false);
    is_stroke('0', USAGE_0, false, false);
    is_stroke(')', USAGE_0, true, false);
    is_stroke('!', USAGE_1, true, false);
    is_stroke('-', 0x2D, false, false);
    is_stroke('|', 0x31, true, false);
    is_stroke(':', 0x33, true, false);
    is_stroke('?', 0x38, true, false);
    is_stroke('/', 0x38, false, false);
    for (unsigned c = 0; c < 0x200; c++)
        assert_int_equal(key_of_character(&k, c), (c >= 1 && c <= 0x1B) || (c >= ' ' && c < 0x80));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_make_and_break),
        cmocka_unit_test(keys_of_their_own_kind),
        cmocka_unit_test(characters_of_a_us_keyboard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
