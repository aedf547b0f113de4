/* SPDX-License-Identifier: MIT
 * The input port: the only way in for anything from outside the machine (serial input, keys, host time, debugger
 * writes). Each input is stamped with its tick and shown to a log, so that a run can be made again exactly.
 */
#ifndef RINGSIDE_BUS_INPUT_H
#define RINGSIDE_BUS_INPUT_H

#include "base/types.h"
#include "bus/clock.h"

enum input_source {
    INPUT_SERIAL0,
    INPUT_SERIAL1,
    INPUT_KEYBOARD,
    INPUT_MOUSE,
    INPUT_NMI_BUTTON, /* no payload */
    INPUT_POWER_BUTTON,
    INPUT_NETWORK, /* a stream of frames: bus/net.h */
    INPUT_RESET_BUTTON, /* no payload */
    INPUT_SOURCES
};

/* Takes delivered bytes inside the machine. returns: how many bytes it could take now (the rest is kept queued). */
typedef size_t input_sink(void *context, const u8 *bytes, size_t size);
/* Sees every input exactly as it is delivered to its sink. */
typedef void input_log(void *context, u64 tick, enum input_source source, const u8 *bytes, size_t size);

struct input_port;

struct input_port *input_new(struct clock *clock);
void input_free(struct input_port *port);
void input_attach(struct input_port *port, enum input_source source, input_sink *sink, void *context);
void input_set_log(struct input_port *port, input_log *log, void *context);
/* Offer bytes from outside, at an instruction boundary. They reach the sink (and the log) at the next tick, ahead of
 * every timer of that tick; at once while the clock still stands at 0. Bytes that the sink cannot take wait in order.
 * A source without a sink drops them. Ignored while the port replays. */
void input_push(struct input_port *port, enum input_source source, const u8 *bytes, size_t size);
/* A sink has room again: offer what waits at the next tick (the machine calls it at an instruction boundary). */
void input_poll(struct input_port *port);
/* Replay: schedule a logged input at its tick. Switches live input off. Call in tick order. */
void input_replay(struct input_port *port, u64 tick, enum input_source source, const u8 *bytes, size_t size);

/* Bytes still wait for their sink: the machine should poll. */
bool input_waiting(const struct input_port *port);
/* Bytes of one source that wait for its sink. */
size_t input_queued(const struct input_port *port, enum input_source source);
/* Replayed inputs that have not been delivered yet. */
size_t input_replay_left(const struct input_port *port);
/* A sink refused bytes that it had taken when the log was made: this run is not the recorded one. */
bool input_replay_diverged(const struct input_port *port);

#endif
