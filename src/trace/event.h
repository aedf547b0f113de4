/* SPDX-License-Identifier: MIT
 * One event record, derived from event.def, and the names of what it holds.
 */
#ifndef RINGSIDE_TRACE_EVENT_H
#define RINGSIDE_TRACE_EVENT_H

#include "cpu/ring/transition.h"
#include "guest/guest.h"

struct event_record {
#define EVENT_FIELD(name, type, codec, digest, unit, json, doc) type name;
#include "trace/event.def"
#undef EVENT_FIELD
};

enum event_field {
#define EVENT_FIELD(name, type, codec, digest, unit, json, doc) EVENT_##name,
#include "trace/event.def"
#undef EVENT_FIELD
    EVENT_FIELDS
};

enum event_kind {
#define EVENT_KIND(id, name, doc) EVENT_KIND_##id,
#include "trace/kind.def"
#undef EVENT_KIND
    EVENT_KINDS
};

/* Bits of event_record.present. */
enum event_present {
    EVENT_HAS_VECTOR = 1,
    EVENT_HAS_ERROR = 2,
    EVENT_HAS_REGISTERS = 4,
    EVENT_HAS_RESULT = 8,
    EVENT_HAS_FRAME = 16,
    EVENT_HAS_RULE = 32,
};

#define EVENT_FRAME_WORDS 10u

struct event_field_info {
    const char *name, *type, *codec, *unit, *json, *doc;
    u16 offset;
    u8 size; /* in bytes */
    bool digest;
};

/* One row of event.def. in: field < EVENT_FIELDS. */
const struct event_field_info *event_field_info(enum event_field field);
/* Value of a field, zero-extended. */
u64 event_get(const struct event_record *e, enum event_field field);
/* Frame word i, i < EVENT_FRAME_WORDS. */
u64 event_frame_word(const struct event_record *e, unsigned i);

/* Names; "?" for a value outside the enumeration, so that a damaged file can be printed. */
const char *event_kind_name(unsigned kind);
const char *event_mechanism_name(unsigned mechanism);
const char *event_mode_name(unsigned mode);     /* "64-bit" */
const char *event_gate_name(unsigned gate);     /* "64-bit interrupt gate" */
const char *event_stack_name(unsigned source);  /* "TSS.RSPn" */
const char *event_vector_name(unsigned vector); /* "#GP"; NULL when the vector has no name */
/* The same for a vector as a mechanism uses it: NULL for IRQ and INT n, to which a vector is a number only. */
const char *event_exception_name(unsigned mechanism, unsigned vector);
const char *event_input_name(unsigned source); /* "serial0" */

/* Direction, as far as the record alone tells. */
static inline bool event_is_transition(const struct event_record *e) { return e->kind == EVENT_KIND_TRANSITION; }
static inline bool event_is_entry(const struct event_record *e)
{
    return e->kind == EVENT_KIND_TRANSITION && e->to_cpl < e->from_cpl;
}
static inline bool event_is_exit(const struct event_record *e)
{
    return e->kind == EVENT_KIND_TRANSITION && e->to_cpl > e->from_cpl;
}
/* SYSCALL, SYSENTER, INT n, far call through a gate: asked for by the program, with arguments in registers. */
static inline bool event_mechanism_is_software_entry(unsigned mechanism)
{
    return mechanism == MECH_INT_N || mechanism == MECH_SYSCALL || mechanism == MECH_SYSENTER ||
           mechanism == MECH_CALL_GATE;
}

/* Task, kernel and module events keep what they say in words of the record that they have no other use for. */
void event_put_task(struct event_record *e, const struct guest_task *task);
void event_get_task(const struct event_record *e, struct guest_task *task);
void event_put_module(struct event_record *e, const struct guest_module *module); /* all but the symbols */
void event_get_module(const struct event_record *e, struct guest_module *module);

/* What each word of a recorded frame is, from the lowest address: "RIP", "CS", "error code"... NULL past the end. */
const char *event_frame_meaning(const struct event_record *e, unsigned i);
/* What the architecture puts (or finds) there, from the two sides of the record; 0 for a word it says nothing of.
 * SDM 3A, "Exception- or Interrupt-Handler Procedures"; "Call Gates". */
u64 event_frame_expected(const struct event_record *e, unsigned i);
/* The frame was popped (IRET, far RET), not pushed. */
bool event_frame_is_popped(const struct event_record *e);

/* The digest of an event stream: order-dependent, over the digest fields of transitions, whatever else is recorded. */
struct event_digest {
    u64 state[2];
    u64 events;
};
void event_digest_init(struct event_digest *d);
void event_digest_add(struct event_digest *d, const struct event_record *e);
u64 event_digest_value(const struct event_digest *d);

#endif
