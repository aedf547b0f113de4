/* SPDX-License-Identifier: MIT
 * A PS/2 mouse: commands, modes and reports.
 * IBM PS/2 Hardware Interface Technical Reference, "Mouse".
 * Not implemented: the pace of the sample rate (a report is made of each event) and the scale of the resolution (a unit
 * of movement is a count); both are kept and told.
 */
#include "devices/ps2_mouse.h"

#include <stdlib.h>

#include "devices/ps2_queue.h"

enum { ACK = 0xfa, ERROR_AGAIN = 0xfc, RESEND = 0xfe, TEST_PASSED = 0xaa };
enum { ID_PLAIN = 0, ID_WHEEL = 3, ID_FIVE_BUTTONS = 4 };
enum { COUNT_MAX = 255, BACKLOG_MAX = 4096 };

struct ps2_mouse {
    struct ps2_queue answers, reports;
    u8 command; /* waits for its argument; 0 none */
    u8 last;    /* sent last, for RESEND */
    bool reporting, remote, wrap, double_scale, refused;
    u8 rate, resolution, id;
    u8 knock[3];      /* the last three sample rates */
    u8 buttons, told; /* now; in the last report */
    int x, y, wheel;  /* counts since the last report */
};

static void answer(struct ps2_mouse *m, u8 byte) { ps2_queue_put(&m->answers, byte); }

/* ---- reports */

static int clamp(int value, int low, int high) { return value < low ? low : value > high ? high : value; }

/* Scaling 2:1 of one report's movement. */
static int scaled(int counts)
{
    static const u8 small[] = {0, 1, 1, 3, 6, 9};
    int size = abs(counts), bigger = size < 6 ? small[size] : 2 * size;

    return counts < 0 ? -bigger : bigger;
}

/* Take from a counter what a report can carry. */
static int take(int *counter, int low, int high)
{
    int value = clamp(*counter, low, high);

    *counter -= value;
    return value;
}

static unsigned report_bytes(const struct ps2_mouse *m) { return m->id == ID_PLAIN ? 3 : 4; }

static void report(struct ps2_mouse *m, struct ps2_queue *q, bool scale)
{
    int x = take(&m->x, -COUNT_MAX, COUNT_MAX), y = take(&m->y, -COUNT_MAX, COUNT_MAX);
    bool x_over, y_over;

    if (scale) {
        x = scaled(x);
        y = scaled(y);
    }
    x_over = abs(x) > COUNT_MAX;
    y_over = abs(y) > COUNT_MAX;
    x = clamp(x, -COUNT_MAX, COUNT_MAX);
    y = clamp(y, -COUNT_MAX, COUNT_MAX);
    ps2_queue_put(q, (u8)(8 | (m->buttons & 7) | (x < 0 ? 0x10 : 0) | (y < 0 ? 0x20 : 0) | (x_over ? 0x40 : 0) |
                          (y_over ? 0x80 : 0)));
    ps2_queue_put(q, (u8)x);
    ps2_queue_put(q, (u8)y);
    if (m->id == ID_WHEEL)
        ps2_queue_put(q, (u8)take(&m->wheel, -8, 7));
    else if (m->id == ID_FIVE_BUTTONS)
        ps2_queue_put(q, (u8)((take(&m->wheel, -8, 7) & 15) | (m->buttons & (PS2_BUTTON_4 | PS2_BUTTON_5)) << 1));
    else
        m->wheel = 0;
    m->told = m->buttons;
}

static bool news(const struct ps2_mouse *m)
{
    u8 known = m->id == ID_FIVE_BUTTONS ? 0x1f : 7;

    return ((m->buttons ^ m->told) & known) || m->x || m->y || (m->wheel && m->id != ID_PLAIN);
}

static void stream(struct ps2_mouse *m)
{
    if (m->wrap || m->remote || !m->reporting)
        return;
    while (news(m) && ps2_queue_room(&m->reports) >= report_bytes(m))
        report(m, &m->reports, m->double_scale);
}

size_t ps2_mouse_receive(struct ps2_mouse *m, const u8 *bytes, size_t size)
{
    size_t taken = 0;

    for (; size - taken >= PS2_MOUSE_EVENT_BYTES; taken += PS2_MOUSE_EVENT_BYTES) {
        const u8 *event = bytes + taken;

        m->buttons = event[0] & 0x1f;
        if (!m->reporting && !m->remote)
            continue;
        m->x = clamp(m->x + (i8)event[1], -BACKLOG_MAX, BACKLOG_MAX);
        m->y = clamp(m->y + (i8)event[2], -BACKLOG_MAX, BACKLOG_MAX);
        m->wheel = clamp(m->wheel + (i8)event[3], -BACKLOG_MAX, BACKLOG_MAX);
        stream(m);
    }
    return taken;
}

/* ---- commands */

static void forget_movement(struct ps2_mouse *m)
{
    m->x = m->y = m->wheel = 0;
    m->told = m->buttons;
}

static void defaults(struct ps2_mouse *m)
{
    m->reporting = m->remote = m->wrap = m->double_scale = false;
    m->rate = 100;
    m->resolution = 2;
}

static void tell_status(struct ps2_mouse *m)
{
    bool left = m->buttons & PS2_BUTTON_LEFT, right = m->buttons & PS2_BUTTON_RIGHT,
         middle = m->buttons & PS2_BUTTON_MIDDLE;

    answer(m, (u8)(m->remote << 6 | m->reporting << 5 | m->double_scale << 4 | left << 2 | middle << 1 | right));
    answer(m, m->resolution);
    answer(m, m->rate);
}

static void refuse(struct ps2_mouse *m)
{
    answer(m, m->refused ? ERROR_AGAIN : RESEND);
    m->refused = !m->refused;
}

static void set_rate(struct ps2_mouse *m, u8 rate)
{
    m->rate = rate;
    m->knock[0] = m->knock[1];
    m->knock[1] = m->knock[2];
    m->knock[2] = rate;
    if (m->knock[0] == 200 && m->knock[2] == 80) {
        if (m->knock[1] == 100)
            m->id = ID_WHEEL;
        else if (m->knock[1] == 200)
            m->id = ID_FIVE_BUTTONS;
    }
}

static bool is_rate(u8 value)
{
    return value == 10 || value == 20 || value == 40 || value == 60 || value == 80 || value == 100 || value == 200;
}

static void argument(struct ps2_mouse *m, u8 command, u8 value)
{
    if (command == 0xe8 ? value > 3 : !is_rate(value)) {
        m->command = command; /* once more */
        refuse(m);
        if (!m->refused)
            m->command = 0;
        return;
    }
    m->refused = false;
    answer(m, ACK);
    if (command == 0xe8)
        m->resolution = value;
    else
        set_rate(m, value);
}

static void reset(struct ps2_mouse *m)
{
    defaults(m);
    m->id = ID_PLAIN;
    m->knock[0] = m->knock[1] = m->knock[2] = 0;
    answer(m, ACK);
    answer(m, TEST_PASSED);
    answer(m, m->id);
}

/* returns: false when there is no such command */
static bool command(struct ps2_mouse *m, u8 value)
{
    switch (value) {
    case 0xe6:
    case 0xe7: m->double_scale = value & 1; break;
    case 0xe8:
    case 0xf3: m->command = value; break;
    case 0xe9:
        answer(m, ACK);
        tell_status(m);
        return true;
    case 0xea: m->remote = false; break;
    case 0xeb:
        answer(m, ACK);
        report(m, &m->answers, false);
        return true;
    case 0xec: m->wrap = false; break;
    case 0xee: m->wrap = true; break;
    case 0xf0: m->remote = true; break;
    case 0xf2:
        answer(m, ACK);
        answer(m, m->id);
        return true;
    case 0xf4:
    case 0xf5: m->reporting = value == 0xf4; break;
    case 0xf6: defaults(m); break;
    case 0xff: reset(m); return true;
    default: return false;
    }
    answer(m, ACK);
    return true;
}

void ps2_mouse_write(struct ps2_mouse *m, u8 value)
{
    u8 waiting = m->command;

    m->command = 0;
    if (value == RESEND && !m->wrap) {
        answer(m, m->last);
        return;
    }
    ps2_queue_clear(&m->reports); /* a report that is cut off is not taken up again */
    if (m->wrap && value != 0xec && value != 0xff) {
        answer(m, value);
    } else if (waiting && value < 0xe6) {
        argument(m, waiting, value);
    } else if (command(m, value)) {
        m->refused = false;
    } else {
        refuse(m);
    }
    forget_movement(m);
}

bool ps2_mouse_read(struct ps2_mouse *m, u8 *byte)
{
    if (!ps2_queue_get(&m->answers, byte) && !ps2_queue_get(&m->reports, byte))
        return false;
    m->last = *byte;
    stream(m); /* there may be room for a report again */
    return true;
}

struct ps2_mouse *ps2_mouse_new(void)
{
    struct ps2_mouse *m = calloc(1, sizeof *m);

    if (!m)
        abort();
    defaults(m);
    return m;
}

void ps2_mouse_free(struct ps2_mouse *m) { free(m); }
