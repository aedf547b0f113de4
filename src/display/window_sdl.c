/* SPDX-License-Identifier: MIT
 * The guest's screen in an SDL window. The library is loaded when a window is asked for, so that other runs start
 * without it.
 */
#include "display/window.h"

#ifndef RINGSIDE_SDL

static void *sdl_open(const struct window_events *events, struct error *err)
{
    (void)events;
    error_set(err, EXIT_FILE,
              "this build has no SDL window: install libsdl2-dev and build again, or use -display curses");
    return NULL;
}

const struct window_driver window_sdl = {.open = sdl_open};

#else

#define SDL_MAIN_HANDLED
#include <SDL.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "display/keys.h"
#include "display/render.h"

#define LIBRARY "libSDL2-2.0.so.0"

/* The functions that are used, by their names without SDL_. */
#define SDL_FUNCTIONS(F)                                                                                               \
    F(SetMainReady)                                                                                                    \
    F(SetHint)                                                                                                         \
    F(Init)                                                                                                            \
    F(Quit)                                                                                                            \
    F(GetError)                                                                                                        \
    F(CreateWindow)                                                                                                    \
    F(DestroyWindow)                                                                                                   \
    F(SetWindowSize)                                                                                                   \
    F(SetWindowTitle)                                                                                                  \
    F(CreateRenderer)                                                                                                  \
    F(DestroyRenderer)                                                                                                 \
    F(RenderSetLogicalSize)                                                                                            \
    F(RenderClear)                                                                                                     \
    F(RenderCopy)                                                                                                      \
    F(RenderPresent)                                                                                                   \
    F(CreateTexture)                                                                                                   \
    F(DestroyTexture)                                                                                                  \
    F(UpdateTexture)                                                                                                   \
    F(SetRelativeMouseMode)                                                                                            \
    F(PollEvent)

#define DECLARE(name) __typeof__(SDL_##name) *name;
struct library {
    void *handle;
    SDL_FUNCTIONS(DECLARE)
};

struct sdl {
    struct library lib;
    const struct window_events *events;
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture;
    struct picture picture;
    unsigned width, height; /* of the texture */
    bool down[KEY_USAGES];
    bool grabbed; /* the mouse is the guest's */
    u8 buttons;
};

/* ---- the library */

static bool load(struct library *lib, struct error *err)
{
    lib->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (lib->handle == NULL)
        return error_set(err, EXIT_FILE, "-display sdl needs the library %s: install Debian's package libsdl2-2.0-0",
                         LIBRARY);
#define FIND(name)                                                                                                     \
    *(void **)&lib->name = dlsym(lib->handle, "SDL_" #name);                                                           \
    if (lib->name == NULL)                                                                                             \
        return error_set(err, EXIT_FILE, "the library %s has no SDL_%s", LIBRARY, #name);
    SDL_FUNCTIONS(FIND)
    return true;
}

/* ---- what the person does */

static void key(struct sdl *w, unsigned usage, bool down)
{
    u8 bytes[KEY_BYTES_MAX];
    size_t size = usage < KEY_USAGES ? key_bytes(bytes, usage, down) : 0;

    if (size == 0 || (!down && !w->down[usage]))
        return;
    w->down[usage] = down;
    w->events->keyboard(w->events->context, bytes, size);
}

/* No key stays down behind the window's back. */
static void release_keys(struct sdl *w)
{
    for (unsigned usage = 0; usage < KEY_USAGES; usage++)
        if (w->down[usage])
            key(w, usage, false);
}

static void grab(struct sdl *w, bool on)
{
    if (w->grabbed == on)
        return;
    w->grabbed = on;
    w->lib.SetRelativeMouseMode(on ? SDL_TRUE : SDL_FALSE);
    w->lib.SetWindowTitle(w->window, on ? "Ringside - Ctrl-Alt-G releases the mouse" : "Ringside");
}

/* Scancodes of SDL are usages of the HID keyboard page. */
static void keyboard_event(struct sdl *w, const SDL_KeyboardEvent *e)
{
    bool down = e->type == SDL_KEYDOWN;

    if (down && e->keysym.scancode == SDL_SCANCODE_G && (e->keysym.mod & KMOD_CTRL) && (e->keysym.mod & KMOD_ALT)) {
        grab(w, !w->grabbed);
        return;
    }
    key(w, (unsigned)e->keysym.scancode, down);
}

static void button_event(struct sdl *w, const SDL_MouseButtonEvent *e)
{
    u8 bit = e->button == SDL_BUTTON_LEFT     ? 1
             : e->button == SDL_BUTTON_RIGHT  ? 2
             : e->button == SDL_BUTTON_MIDDLE ? 4
                                              : 0;

    if (!w->grabbed) { /* the first click takes the mouse, and is not the guest's */
        if (e->type == SDL_MOUSEBUTTONDOWN)
            grab(w, true);
        return;
    }
    w->buttons = (u8)(e->type == SDL_MOUSEBUTTONDOWN ? w->buttons | bit : w->buttons & ~bit);
    w->events->mouse(w->events->context, w->buttons, 0, 0, 0);
}

static void take(struct sdl *w, const SDL_Event *e)
{
    switch (e->type) {
    case SDL_QUIT: w->events->closed(w->events->context); break;
    case SDL_KEYDOWN:
    case SDL_KEYUP: keyboard_event(w, &e->key); break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: button_event(w, &e->button); break;
    case SDL_MOUSEMOTION:
        if (w->grabbed)
            w->events->mouse(w->events->context, w->buttons, e->motion.xrel, -e->motion.yrel, 0);
        break;
    case SDL_MOUSEWHEEL:
        if (w->grabbed)
            w->events->mouse(w->events->context, w->buttons, 0, 0, -e->wheel.y);
        break;
    case SDL_WINDOWEVENT:
        if (e->window.event == SDL_WINDOWEVENT_FOCUS_LOST) {
            release_keys(w);
            grab(w, false);
        }
        break;
    default: break;
    }
}

static void sdl_poll(void *driver)
{
    struct sdl *w = driver;
    SDL_Event event;

    while (w->lib.PollEvent(&event))
        take(w, &event);
}

/* ---- the screen */

static bool fit_texture(struct sdl *w)
{
    int width = (int)w->picture.width, height = (int)w->picture.height;

    if (w->texture != NULL && w->width == w->picture.width && w->height == w->picture.height)
        return true;
    if (w->texture != NULL)
        w->lib.DestroyTexture(w->texture);
    w->texture = w->lib.CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB24, SDL_TEXTUREACCESS_STREAMING, width, height);
    w->width = w->picture.width;
    w->height = w->picture.height;
    if (width < 640) /* a mode of 320 dots would be a stamp */
        w->lib.SetWindowSize(w->window, 2 * width, 2 * height);
    else
        w->lib.SetWindowSize(w->window, width, height);
    w->lib.RenderSetLogicalSize(w->renderer, width, height);
    return w->texture != NULL;
}

static void sdl_show(void *driver, const struct vga_state *s, bool blink)
{
    struct sdl *w = driver;

    render_screen(&w->picture, s, (struct render_phase){.cursor = blink, .text = blink});
    if (!fit_texture(w))
        return;
    w->lib.UpdateTexture(w->texture, NULL, w->picture.rgb, (int)w->picture.width * 3);
    w->lib.RenderClear(w->renderer);
    w->lib.RenderCopy(w->renderer, w->texture, NULL, NULL);
    w->lib.RenderPresent(w->renderer);
}

/* ---- life */

static void sdl_close(void *driver)
{
    struct sdl *w = driver;

    if (w->texture != NULL)
        w->lib.DestroyTexture(w->texture);
    if (w->renderer != NULL)
        w->lib.DestroyRenderer(w->renderer);
    if (w->window != NULL)
        w->lib.DestroyWindow(w->window);
    w->lib.Quit(); /* the library stays loaded: what it left to run at the end of the program must be there */
    picture_free(&w->picture);
    free(w);
}

static bool make_window(struct sdl *w, struct error *err)
{
    w->lib.SetMainReady();
    w->lib.SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1"); /* SIGINT and SIGTERM end the run, not the window */
    if (w->lib.Init(SDL_INIT_VIDEO) != 0)
        return error_set(err, EXIT_FILE, "no window can be opened: %s", w->lib.GetError());
    w->window = w->lib.CreateWindow("Ringside", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, 720, 400,
                                    SDL_WINDOW_RESIZABLE);
    if (w->window != NULL)
        w->renderer = w->lib.CreateRenderer(w->window, -1, 0);
    return w->renderer != NULL || error_set(err, EXIT_FILE, "no window can be opened: %s", w->lib.GetError());
}

static void *sdl_open(const struct window_events *events, struct error *err)
{
    struct sdl *w = calloc(1, sizeof *w);

    if (w == NULL)
        abort();
    w->events = events;
    if (!load(&w->lib, err)) {
        free(w);
        return NULL;
    }
    if (!make_window(w, err)) {
        sdl_close(w);
        return NULL;
    }
    return w;
}

const struct window_driver window_sdl = {sdl_open, sdl_close, sdl_poll, sdl_show};

#endif
