/* SPDX-License-Identifier: MIT
 * Debug consoles and the debug exit.
 */
#include "devices/debug_port.h"

#include <stdlib.h>

struct debug_console {
    void (*out)(void *context, const u8 *bytes, size_t size);
    void *context;
};

struct debug_exit {
    void (*leave)(void *context, u32 status);
    void *context;
};

static u32 console_read(void *device, u16 port, unsigned size)
{
    (void)device, (void)port, (void)size;
    return 0xe9;
}

static void console_write(void *device, u16 port, u32 value, unsigned size)
{
    struct debug_console *d = device;
    u8 byte = (u8)value;

    (void)port, (void)size;
    if (d->out)
        d->out(d->context, &byte, 1);
}

static u32 exit_read(void *device, u16 port, unsigned size)
{
    (void)device, (void)port, (void)size;
    return 0;
}

static void exit_write(void *device, u16 port, u32 value, unsigned size)
{
    struct debug_exit *d = device;

    (void)port, (void)size;
    d->leave(d->context, value << 1 | 1);
}

static const struct port_ops console_ops = {console_read, console_write, 0};
static const struct port_ops exit_ops = {exit_read, exit_write, 1 | 2 | 4};

struct debug_console *debug_console_new(struct ports *ports, u16 port,
                                        void (*out)(void *context, const u8 *bytes, size_t size), void *context)
{
    struct debug_console *d = calloc(1, sizeof *d);

    if (!d)
        abort();
    d->out = out;
    d->context = context;
    ports_claim(ports, port, 1, &console_ops, d, "debugcon");
    return d;
}

void debug_console_free(struct debug_console *d) { free(d); }

struct debug_exit *debug_exit_new(struct ports *ports, u16 iobase, void (*leave)(void *context, u32 status),
                                  void *context)
{
    struct debug_exit *d = calloc(1, sizeof *d);

    if (!d)
        abort();
    d->leave = leave;
    d->context = context;
    ports_claim(ports, iobase, 4, &exit_ops, d, "debug-exit");
    return d;
}

void debug_exit_free(struct debug_exit *d) { free(d); }
