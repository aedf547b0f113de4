/* SPDX-License-Identifier: MIT
 * The guest's text screen on a terminal. Ctrl-A is the escape key: Ctrl-A x ends the run, Ctrl-A Ctrl-A sends Ctrl-A.
 *
 * A terminal tells characters, not keys: each is pressed and released at once, with Shift or Ctrl around it as on a US
 * keyboard. Graphics modes are told, not shown; there is no mouse.
 */
#include "display/window.h"

#include <curses.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "display/keys.h"
#include "display/text_screen.h"

#define ESCAPE_KEY 1 /* Ctrl-A */

struct terminal {
    const struct window_events *events;
    SCREEN *screen;
    bool colors, escape;
};

/* ---- keys */

static void press(struct terminal *t, unsigned usage, bool down)
{
    u8 bytes[KEY_BYTES_MAX];
    size_t size = key_bytes(bytes, usage, down);

    if (size != 0)
        t->events->keyboard(t->events->context, bytes, size);
}

static void stroke(struct terminal *t, struct key_stroke k)
{
    if (k.control)
        press(t, USAGE_LEFT_CONTROL, true);
    if (k.shift)
        press(t, USAGE_LEFT_SHIFT, true);
    press(t, k.usage, true);
    press(t, k.usage, false);
    if (k.shift)
        press(t, USAGE_LEFT_SHIFT, false);
    if (k.control)
        press(t, USAGE_LEFT_CONTROL, false);
}

static unsigned special_usage(int key)
{
    static const struct {
        int key;
        u8 usage;
    } keys[] = {
        {KEY_UP, USAGE_UP},     {KEY_DOWN, USAGE_DOWN}, {KEY_LEFT, USAGE_LEFT},     {KEY_RIGHT, USAGE_RIGHT},
        {KEY_HOME, USAGE_HOME}, {KEY_END, USAGE_END},   {KEY_PPAGE, USAGE_PAGE_UP}, {KEY_NPAGE, USAGE_PAGE_DOWN},
        {KEY_IC, USAGE_INSERT}, {KEY_DC, USAGE_DELETE}, {KEY_ENTER, USAGE_ENTER},   {KEY_BACKSPACE, USAGE_BACKSPACE},
    };

    if (key >= KEY_F(1) && key <= KEY_F(12))
        return USAGE_F1 + (unsigned)(key - KEY_F(1));
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].key == key)
            return keys[i].usage;
    return 0;
}

static void take(struct terminal *t, int c)
{
    struct key_stroke k;

    if (t->escape) {
        t->escape = false;
        if (c == 'x' || c == 'X') {
            t->events->closed(t->events->context);
            return;
        }
        if (c != ESCAPE_KEY && c != 'a')
            return;
        c = ESCAPE_KEY;
    } else if (c == ESCAPE_KEY) {
        t->escape = true;
        return;
    }
    if (c >= KEY_MIN)
        k = (struct key_stroke){.usage = (u8)special_usage(c)};
    else if (!key_of_character(&k, (unsigned)c))
        return;
    stroke(t, k);
}

static void curses_poll(void *driver)
{
    for (int c; (c = getch()) != ERR;)
        take(driver, c);
}

/* ---- the screen */

/* Colours of the VGA are numbered blue, green, red from bit 0; those of curses red, green, blue. Pair 0 is not to be
 * changed, so that pairs are one more. */
static short to_curses(unsigned color) { return (short)((color & 2) | (color & 1 ? 4 : 0) | (color & 4 ? 1 : 0)); }

static attr_t attributes(const struct terminal *t, u8 attribute, short *pair)
{
    attr_t a = attribute & 8 ? A_BOLD : A_NORMAL;

    *pair = t->colors ? (short)((attribute & 7) * 8 + (attribute >> 4 & 7) + 1) : 0;
    return !t->colors && (attribute & 0x70) != 0 ? a | A_REVERSE : a;
}

static void put_cell(const struct terminal *t, const struct vga_state *s, unsigned column, unsigned row)
{
    struct text_cell cell = text_screen_at(s, column, row);
    wchar_t text[2] = {(wchar_t)text_unicode(cell.code), 0};
    cchar_t c;
    short pair;
    attr_t a = attributes(t, cell.attribute, &pair);

    if (setcchar(&c, text, a, pair, NULL) == OK)
        mvadd_wch((int)row, (int)column, &c);
}

static void curses_show(void *driver, const struct vga_state *s, bool blink)
{
    const struct terminal *t = driver;
    struct text_screen screen;

    (void)blink; /* the terminal has a cursor of its own */
    erase();
    if (!text_screen_of(&screen, s)) {
        char *line;
        size_t size;
        FILE *out = open_memstream(&line, &size);

        if (out == NULL)
            abort();
        text_screen_write(out, s);
        fclose(out);
        mvaddstr(0, 0, line);
        free(line);
        curs_set(0);
    } else {
        for (unsigned row = 0; row < screen.rows && (int)row < LINES; row++)
            for (unsigned column = 0; column < screen.columns && (int)column < COLS; column++)
                put_cell(t, s, column, row);
        curs_set(screen.cursor_row >= 0);
        if (screen.cursor_row >= 0)
            move(screen.cursor_row, screen.cursor_column);
    }
    refresh();
}

/* ---- life */

static void make_colors(struct terminal *t)
{
    t->colors = has_colors() && start_color() == OK && COLOR_PAIRS > 64;
    for (unsigned pair = 0; t->colors && pair < 64; pair++)
        init_pair((short)(pair + 1), to_curses(pair >> 3), to_curses(pair & 7));
}

static void *curses_open(const struct window_events *events, struct error *err)
{
    struct terminal *t = calloc(1, sizeof *t);

    if (t == NULL)
        abort();
    t->events = events;
    setlocale(LC_CTYPE, "");
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        t->screen = newterm(NULL, stdout, stdin);
    if (t->screen == NULL) {
        error_set(err, EXIT_FILE, "-display curses needs a terminal on standard input and output, and TERM to name it");
        free(t);
        return NULL;
    }
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(50);
    make_colors(t);
    return t;
}

static void curses_close(void *driver)
{
    struct terminal *t = driver;

    endwin();
    delscreen(t->screen);
    free(t);
}

const struct window_driver window_curses = {curses_open, curses_close, curses_poll, curses_show};
