/* SPDX-License-Identifier: MIT
 * A PS/2 keyboard: commands, and keys in three scan code sets.
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-Key)".
 * Not implemented: repeating a held key by itself (the host's repeats are taken for the keyboard's; rate and delay are
 * accepted), and with it the difference between keys of set 3 that repeat and those that do not.
 */
#include "devices/ps2_keyboard.h"

#include <stdlib.h>
#include <string.h>

#include "devices/ps2_codes.h"
#include "devices/ps2_queue.h"

#define LONGEST_KEY 8u /* bytes of Pause, in set 2 */

enum { ECHO = 0xee, ACK = 0xfa, RESEND = 0xfe, TEST_PASSED = 0xaa };
enum { PREFIX_E0 = 0xe0, PREFIX_E1 = 0xe1, RELEASE = 0xf0 };

struct ps2_keyboard {
    struct ps2_queue answers, keys;
    u8 command; /* waits for its argument; 0 none */
    u8 last;    /* sent last, for RESEND */
    bool scanning;
    u8 set, leds, rate;
    u8 kind[256]; /* enum ps2_key_kind of each set 3 code */
    /* What of a key has come in so far: */
    bool extended, released;
    u8 pause; /* codes of an E1 sequence yet to come */
};

static void answer(struct ps2_keyboard *k, u8 byte) { ps2_queue_put(&k->answers, byte); }

/* ---- keys */

static void send_set3(struct ps2_keyboard *k, u8 code)
{
    u8 kind = k->kind[code];

    if (code == 0)
        return;
    if (k->released && kind != PS2_KEY_MAKE_BREAK && kind != PS2_KEY_ALL)
        return;
    if (k->released)
        ps2_queue_put(&k->keys, RELEASE);
    ps2_queue_put(&k->keys, code);
}

/* One byte of set 2. Sets 1 and 2 go on byte by byte; set 3 knows each key by one code. */
static void key_byte(struct ps2_keyboard *k, u8 byte)
{
    if (k->set == 2)
        ps2_queue_put(&k->keys, byte);
    else if (k->set == 1 && byte != RELEASE)
        ps2_queue_put(&k->keys, (u8)(ps2_set2_to_set1(byte) | (k->released ? 0x80 : 0)));
    if (byte == RELEASE) {
        k->released = true;
        return;
    }
    if (byte == PREFIX_E0) {
        k->extended = true;
        return;
    }
    if (byte == PREFIX_E1) {
        k->pause = 2;
        return;
    }
    if (k->set == 3 && k->pause != 1) /* the second code of Pause is Num Lock's, and says nothing new */
        send_set3(k, k->pause ? 0x62 : ps2_set2_to_set3(byte, k->extended));
    if (k->pause)
        k->pause--;
    k->extended = k->released = false;
}

size_t ps2_keyboard_receive(struct ps2_keyboard *k, const u8 *bytes, size_t size)
{
    size_t taken = 0;

    if (!k->scanning)
        return size;
    while (taken < size && ps2_queue_room(&k->keys) >= LONGEST_KEY)
        key_byte(k, bytes[taken++]);
    return taken;
}

/* ---- commands */

static void clear_keys(struct ps2_keyboard *k)
{
    ps2_queue_clear(&k->keys);
    k->extended = k->released = false;
    k->pause = 0;
}

static void defaults(struct ps2_keyboard *k, bool scanning)
{
    clear_keys(k);
    k->scanning = scanning;
    k->set = 2;
    k->rate = 0x2b; /* 10.9 a second after half a second */
    for (unsigned i = 0; i < sizeof k->kind; i++)
        k->kind[i] = (u8)ps2_set3_kind((u8)i);
}

static void choose_set(struct ps2_keyboard *k, u8 value)
{
    if (value > 3) {
        answer(k, RESEND);
        return;
    }
    answer(k, ACK);
    if (value == 0) {
        answer(k, k->set);
        return;
    }
    clear_keys(k);
    k->set = value;
}

/* FBh-FDh take codes until a command comes. */
static bool takes_keys(u8 command) { return command >= 0xfb && command <= 0xfd; }

static u8 kind_of_command(u8 command)
{
    static const u8 kinds[] = {PS2_KEY_TYPEMATIC, PS2_KEY_MAKE_BREAK, PS2_KEY_MAKE_ONLY, PS2_KEY_ALL};

    return command == 0xfa ? PS2_KEY_ALL : command < 0xfa ? kinds[command - 0xf7] : kinds[command - 0xfb];
}

static void argument(struct ps2_keyboard *k, u8 command, u8 value)
{
    switch (command) {
    case 0xed:
        k->leds = value & 7;
        answer(k, ACK);
        break;
    case 0xf0: choose_set(k, value); break;
    case 0xf3:
        k->rate = value & 0x7f;
        answer(k, ACK);
        break;
    default:
        k->kind[value] = kind_of_command(command);
        k->command = command;
        answer(k, ACK);
        break;
    }
}

static void identify(struct ps2_keyboard *k)
{
    answer(k, ACK);
    answer(k, 0xab);
    answer(k, 0x83);
}

void ps2_keyboard_write(struct ps2_keyboard *k, u8 value)
{
    u8 command = k->command;

    k->command = 0;
    if (command && value < 0xed) {
        argument(k, command, value);
        return;
    }
    switch (value) {
    case ECHO: answer(k, ECHO); break;
    case 0xf2: identify(k); break;
    case 0xed:
    case 0xf0:
    case 0xf3:
    case 0xfb:
    case 0xfc:
    case 0xfd:
        if (takes_keys(value))
            clear_keys(k);
        k->command = value;
        answer(k, ACK);
        break;
    case 0xf4:
        clear_keys(k);
        k->scanning = true;
        answer(k, ACK);
        break;
    case 0xf5:
    case 0xf6:
        defaults(k, value == 0xf6);
        answer(k, ACK);
        break;
    case 0xf7:
    case 0xf8:
    case 0xf9:
    case 0xfa:
        clear_keys(k);
        memset(k->kind, kind_of_command(value), sizeof k->kind);
        answer(k, ACK);
        break;
    case RESEND: answer(k, k->last); break;
    case 0xff:
        defaults(k, true);
        k->leds = 0;
        answer(k, ACK);
        answer(k, TEST_PASSED);
        break;
    default: answer(k, RESEND); break;
    }
}

bool ps2_keyboard_read(struct ps2_keyboard *k, u8 *byte)
{
    if (!ps2_queue_get(&k->answers, byte) && !ps2_queue_get(&k->keys, byte))
        return false;
    k->last = *byte;
    return true;
}

u8 ps2_keyboard_leds(const struct ps2_keyboard *k) { return k->leds; }

struct ps2_keyboard *ps2_keyboard_new(void)
{
    struct ps2_keyboard *k = calloc(1, sizeof *k);

    if (!k)
        abort();
    defaults(k, true);
    return k;
}

void ps2_keyboard_free(struct ps2_keyboard *k) { free(k); }
