/* SPDX-License-Identifier: MIT
 * The input port: live inputs wait per source and enter by a timer; replayed inputs enter by the same timer, so both
 * take the same place among the timers of their tick.
 */
#include "bus/input.h"

#include <stdlib.h>
#include <string.h>

struct source {
    input_sink *sink;
    void *context;
    u8 *bytes; /* waiting, oldest first */
    size_t size, room;
    unsigned presses; /* waiting inputs without a payload */
};

struct record {
    struct record *next;
    u64 tick;
    enum input_source source;
    size_t size;
    u8 bytes[];
};

struct input_port {
    struct clock *clock;
    struct timer timer;
    input_log *log;
    void *log_context;
    struct source sources[INPUT_SOURCES];
    bool replaying, diverged;
    struct record *first, **last;
    size_t left;
};

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static size_t give(struct input_port *port, u64 tick, enum input_source id, const u8 *bytes, size_t size)
{
    struct source *source = &port->sources[id];
    size_t taken = source->sink(source->context, bytes, size);

    if (taken > size)
        taken = size;
    if ((taken || !size) && port->log)
        port->log(port->log_context, tick, id, bytes, taken);
    return taken;
}

static void keep(struct source *source, const u8 *bytes, size_t size)
{
    if (!size) {
        source->presses++;
        return;
    }
    if (source->size + size > source->room) {
        source->room = 2 * (source->size + size);
        source->bytes = must(realloc(source->bytes, source->room));
    }
    if (size)
        memcpy(source->bytes + source->size, bytes, size);
    source->size += size;
}

static void deliver_waiting(struct input_port *port, u64 tick)
{
    for (unsigned i = 0; i < INPUT_SOURCES; i++) {
        struct source *source = &port->sources[i];

        for (; source->presses; source->presses--)
            give(port, tick, (enum input_source)i, NULL, 0);
        if (source->size) {
            size_t taken = give(port, tick, (enum input_source)i, source->bytes, source->size);

            source->size -= taken;
            memmove(source->bytes, source->bytes + taken, source->size);
        }
    }
}

static void arm_replay(struct input_port *port)
{
    if (port->first)
        clock_arm_first(port->clock, &port->timer, port->first->tick);
}

static void deliver_replay(struct input_port *port, u64 tick)
{
    while (port->first && port->first->tick <= tick) {
        struct record *record = port->first;
        struct source *source = &port->sources[record->source];

        port->first = record->next;
        if (!port->first)
            port->last = &port->first;
        port->left--;
        if (!source->sink || give(port, record->tick, record->source, record->bytes, record->size) != record->size)
            port->diverged = true;
        free(record);
    }
    arm_replay(port);
}

/* The stamp is the tick the timer was armed for, not the (perhaps later) tick of the boundary at which it fires:
 * a replay armed for the same tick then fires at the same boundary and in the same order. */
static void fire(void *context, u64 now)
{
    struct input_port *port = context;

    (void)now;
    if (port->replaying)
        deliver_replay(port, port->timer.when);
    else
        deliver_waiting(port, port->timer.when);
}

struct input_port *input_new(struct clock *clock)
{
    struct input_port *port = must(calloc(1, sizeof *port));

    port->clock = clock;
    port->timer = (struct timer){.fire = fire, .context = port, .name = "input"};
    port->last = &port->first;
    return port;
}

void input_free(struct input_port *port)
{
    if (!port)
        return;
    clock_cancel(port->clock, &port->timer);
    for (unsigned i = 0; i < INPUT_SOURCES; i++)
        free(port->sources[i].bytes);
    while (port->first) {
        struct record *record = port->first;

        port->first = record->next;
        free(record);
    }
    free(port);
}

void input_attach(struct input_port *port, enum input_source source, input_sink *sink, void *context)
{
    port->sources[source].sink = sink;
    port->sources[source].context = context;
}

void input_set_log(struct input_port *port, input_log *log, void *context)
{
    port->log = log;
    port->log_context = context;
}

bool input_waiting(const struct input_port *port)
{
    for (unsigned i = 0; i < INPUT_SOURCES; i++)
        if (port->sources[i].size || port->sources[i].presses)
            return true;
    return false;
}

size_t input_queued(const struct input_port *port, enum input_source source) { return port->sources[source].size; }

void input_poll(struct input_port *port)
{
    if (port->replaying || !input_waiting(port))
        return;
    if (port->clock->ticks == 0)
        deliver_waiting(port, 0);
    else if (!port->timer.armed)
        clock_arm_first(port->clock, &port->timer, port->clock->ticks + 1);
}

void input_push(struct input_port *port, enum input_source source, const u8 *bytes, size_t size)
{
    if (port->replaying || !port->sources[source].sink)
        return;
    keep(&port->sources[source], bytes, size);
    input_poll(port);
}

void input_replay(struct input_port *port, u64 tick, enum input_source source, const u8 *bytes, size_t size)
{
    struct record *record = must(malloc(sizeof *record + size));

    port->replaying = true;
    record->next = NULL;
    record->tick = tick;
    record->source = source;
    record->size = size;
    if (size)
        memcpy(record->bytes, bytes, size);
    *port->last = record;
    port->last = &record->next;
    port->left++;
    if (tick == 0 && port->clock->ticks == 0)
        deliver_replay(port, 0);
    else
        arm_replay(port);
}

size_t input_replay_left(const struct input_port *port) { return port->left; }

bool input_replay_diverged(const struct input_port *port) { return port->diverged; }
