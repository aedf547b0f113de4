/* SPDX-License-Identifier: MIT
 * Event records: field table, names, the meaning of frame words, the digest.
 * SDM 3A, "Exception- or Interrupt-Handler Procedures", "64-Bit Mode Stack Frame"; SDM 3B, "8086 Emulation".
 */
#include "trace/event.h"

#include "base/text.h"
#include "bus/input.h"

static const struct event_field_info fields[EVENT_FIELDS] = {
#define EVENT_FIELD(id, type, codec, digest, unit, json, doc)                                                          \
    {#id, #type, #codec, unit, json, doc, offsetof(struct event_record, id), sizeof(type), digest},
#include "trace/event.def"
#undef EVENT_FIELD
};

const struct event_field_info *event_field_info(enum event_field field) { return &fields[field]; }

u64 event_get(const struct event_record *e, enum event_field field)
{
    u64 value = 0;

    memcpy(&value, (const u8 *)e + fields[field].offset, fields[field].size);
    return value;
}

u64 event_frame_word(const struct event_record *e, unsigned i) { return event_get(e, EVENT_frame0 + i); }

static const char *name_of(const char *const *names, size_t count, unsigned value)
{
    return value < count && names[value] ? names[value] : "?";
}

const char *event_kind_name(unsigned kind)
{
    static const char *const names[] = {
#define EVENT_KIND(id, name, doc) name,
#include "trace/kind.def"
#undef EVENT_KIND
    };

    return name_of(names, ARRAY_LEN(names), kind);
}

const char *event_mechanism_name(unsigned mechanism)
{
    return mechanism < MECHANISMS ? mechanism_name(mechanism) : "?";
}

const char *event_mode_name(unsigned mode) { return mode <= MODE_LONG ? cpu_mode_name((enum cpu_mode)mode) : "?"; }

const char *event_gate_name(unsigned gate)
{
    static const char *const names[] = {
        [GATE_NONE] = "none",
        [GATE_INTERRUPT16] = "16-bit interrupt gate",
        [GATE_INTERRUPT32] = "32-bit interrupt gate",
        [GATE_INTERRUPT64] = "64-bit interrupt gate",
        [GATE_TRAP16] = "16-bit trap gate",
        [GATE_TRAP32] = "32-bit trap gate",
        [GATE_TRAP64] = "64-bit trap gate",
        [GATE_CALL16] = "16-bit call gate",
        [GATE_CALL32] = "32-bit call gate",
        [GATE_CALL64] = "64-bit call gate",
        [GATE_TASK] = "task gate",
        [GATE_IVT] = "real-mode interrupt vector table",
    };

    return name_of(names, ARRAY_LEN(names), gate);
}

const char *event_stack_name(unsigned source)
{
    static const char *const names[] = {
        [STACK_UNCHANGED] = "unchanged",       [STACK_TSS_RSP] = "TSS.RSPn",
        [STACK_TSS_SS_ESP] = "TSS.SSn:ESPn",   [STACK_IST] = "TSS.ISTn",
        [STACK_SYSENTER_ESP] = "SYSENTER_ESP", [STACK_POPPED] = "popped",
        [STACK_REGISTER] = "register (E)CX",   [STACK_TSS_IMAGE] = "TSS image",
    };

    return name_of(names, ARRAY_LEN(names), source);
}

const char *event_vector_name(unsigned vector)
{
    static const char *const names[32] = {
        [VEC_DE] = "#DE", [VEC_DB] = "#DB", [VEC_NMI] = "NMI", [VEC_BP] = "#BP", [VEC_OF] = "#OF",
        [VEC_BR] = "#BR", [VEC_UD] = "#UD", [VEC_NM] = "#NM",  [VEC_DF] = "#DF", [VEC_TS] = "#TS",
        [VEC_NP] = "#NP", [VEC_SS] = "#SS", [VEC_GP] = "#GP",  [VEC_PF] = "#PF", [VEC_MF] = "#MF",
        [VEC_AC] = "#AC", [VEC_MC] = "#MC", [VEC_XM] = "#XM",  [VEC_VE] = "#VE", [VEC_CP] = "#CP",
    };

    return vector < ARRAY_LEN(names) ? names[vector] : NULL;
}

const char *event_exception_name(unsigned mechanism, unsigned vector)
{
    return mechanism == MECH_IRQ || mechanism == MECH_INT_N ? NULL : event_vector_name(vector);
}

const char *event_input_name(unsigned source)
{
    static const char *const names[INPUT_SOURCES] = {
        [INPUT_SERIAL0] = "serial0", [INPUT_SERIAL1] = "serial1",           [INPUT_KEYBOARD] = "keyboard",
        [INPUT_MOUSE] = "mouse",     [INPUT_NMI_BUTTON] = "nmi-button",     [INPUT_POWER_BUTTON] = "power-button",
        [INPUT_NETWORK] = "network", [INPUT_RESET_BUTTON] = "reset-button",
    };

    return name_of(names, ARRAY_LEN(names), source);
}

/* ---- the frame ---- */

enum slot {
    SLOT_NONE,
    SLOT_ERROR,
    SLOT_IP,
    SLOT_CS,
    SLOT_FLAGS,
    SLOT_SP,
    SLOT_SS,
    SLOT_ES,
    SLOT_DS,
    SLOT_FS,
    SLOT_GS,
    SLOT_PARAMETER
};

bool event_frame_is_popped(const struct event_record *e)
{
    return (e->mechanism >= MECH_IRET_SAME && e->mechanism <= MECH_IRET_TASK) || e->mechanism == MECH_RET_FAR;
}

static enum slot frame_slot(const struct event_record *e, unsigned i)
{
    static const enum slot interrupt_frame[] = {SLOT_IP, SLOT_CS, SLOT_FLAGS, SLOT_SP, SLOT_SS,
                                                SLOT_ES, SLOT_DS, SLOT_FS,    SLOT_GS};
    bool far = e->mechanism == MECH_CALL_FAR || e->mechanism == MECH_CALL_GATE || e->mechanism == MECH_RET_FAR;

    if (i >= e->frame_words)
        return SLOT_NONE;
    if (far) { /* return address; then the parameters and, between rings, the outer stack pointer on top */
        if (i < 2)
            return i ? SLOT_CS : SLOT_IP;
        if (e->from_cpl != e->to_cpl && i + 2 >= e->frame_words)
            return i + 1 == e->frame_words ? SLOT_SS : SLOT_SP;
        return SLOT_PARAMETER;
    }
    if (e->present & EVENT_HAS_ERROR && !event_frame_is_popped(e)) {
        if (i == 0)
            return SLOT_ERROR;
        i--;
    }
    return i < ARRAY_LEN(interrupt_frame) ? interrupt_frame[i] : SLOT_NONE;
}

const char *event_frame_meaning(const struct event_record *e, unsigned i)
{
    static const char *const names[][3] = {
        [SLOT_NONE] = {NULL, NULL, NULL},
        [SLOT_ERROR] = {"error code", "error code", "error code"},
        [SLOT_IP] = {"IP", "EIP", "RIP"},
        [SLOT_CS] = {"CS", "CS", "CS"},
        [SLOT_FLAGS] = {"FLAGS", "EFLAGS", "RFLAGS"},
        [SLOT_SP] = {"SP", "ESP", "RSP"},
        [SLOT_SS] = {"SS", "SS", "SS"},
        [SLOT_ES] = {"ES", "ES", "ES"},
        [SLOT_DS] = {"DS", "DS", "DS"},
        [SLOT_FS] = {"FS", "FS", "FS"},
        [SLOT_GS] = {"GS", "GS", "GS"},
        [SLOT_PARAMETER] = {"parameter", "parameter", "parameter"},
    };

    return names[frame_slot(e, i)][e->frame_word_bytes >= 8 ? 2 : e->frame_word_bytes >= 4 ? 1 : 0];
}

u64 event_frame_expected(const struct event_record *e, unsigned i)
{
    bool popped = event_frame_is_popped(e);
    u64 value = 0;

    switch (frame_slot(e, i)) {
    case SLOT_ERROR: value = e->error; break;
    case SLOT_IP: value = popped ? e->to_rip : e->from_rip; break;
    case SLOT_CS: value = popped ? e->to_cs : e->from_cs; break;
    case SLOT_FLAGS: value = popped ? e->to_rflags : e->from_rflags; break;
    case SLOT_SP: value = popped ? e->to_rsp : e->from_rsp; break;
    case SLOT_SS: value = popped ? e->to_ss : e->from_ss; break;
    default: break;
    }
    return e->frame_word_bytes == 2 ? (u16)value : e->frame_word_bytes == 4 ? (u32)value : value;
}

/* ---- the digest ---- */

#define WORDS (sizeof(struct event_record) / sizeof(u64))
#define FIRST_LEFT_OUT (offsetof(struct event_record, frame0) / sizeof(u64))
#define LAST_LEFT_OUT (offsetof(struct event_record, new_value) / sizeof(u64))

_Static_assert(FIRST_LEFT_OUT % 2 == 1 && LAST_LEFT_OUT % 2 == 0 && WORDS % 2 == 0,
               "words go into the digest in pairs");

static const union {
    struct event_record fields;
    u64 word[WORDS];
} digest_mask = {.fields = {
#define EVENT_FIELD(name, type, codec, digest, unit, json, doc) .name = digest ? (type) ~(type)0 : 0,
#include "trace/event.def"
#undef EVENT_FIELD
                 }};

void event_digest_init(struct event_digest *d)
{
    *d = (struct event_digest){.state = {0x9E3779B97F4A7C15ull, 0xC2B2AE3D27D4EB4Full}};
}

/* Both halves of a product, in which every bit of both factors counts. */
ALWAYS_INLINE u64 fold(u64 a, u64 b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 product = (u128)a * b;

    return (u64)product ^ (u64)(product >> 64);
}

/* Each word has its place, so that equal values in different fields differ. */
ALWAYS_INLINE u64 placed(const struct event_record *e, unsigned i)
{
    u64 value, place = (2 * i + 1) * 0x9E3779B97F4A7C15ull;

    memcpy(&value, (const u8 *)e + i * sizeof value, sizeof value);
    value &= digest_mask.word[i];
    if (i == offsetof(struct event_record, present) / sizeof(u64)) /* whether memory could be read is not the guest's */
        value &= ~((u64)EVENT_HAS_FRAME << offsetof(struct event_record, present) % sizeof(u64) * 8);
    return value ^ place;
}

void event_digest_add(struct event_digest *d, const struct event_record *e)
{
    u64 sum[2] = {0, 0};

    if (e->kind != EVENT_KIND_TRANSITION)
        return;
        /* The pairs do not wait for each other: only the sum is chained to the events before. */
#pragma GCC unroll 32
    for (unsigned i = 0; i < FIRST_LEFT_OUT; i += 2)
        sum[i / 2 & 1] += fold(placed(e, i), placed(e, i + 1));
#pragma GCC unroll 32
    for (unsigned i = LAST_LEFT_OUT; i < WORDS; i += 2)
        sum[i / 2 & 1] += fold(placed(e, i), placed(e, i + 1));
    d->state[0] = fold(d->state[0] ^ sum[0], 0xFF51AFD7ED558CCDull ^ sum[1]);
    d->state[1] = (d->state[1] ^ sum[0]) * 0xC4CEB9FE1A85EC53ull + sum[1];
    d->state[1] ^= d->state[1] >> 32;
    d->events++;
}

u64 event_digest_value(const struct event_digest *d)
{
    return fold(d->state[0] ^ 0xFF51AFD7ED558CCDull, d->state[1] ^ (d->events * 0x9E3779B97F4A7C15ull));
}

/* ---- what is known of the guest: number = pid, old = tgid, new = task_struct, frame words = name */

/* Text in the words from frame0 on. */
static void put_text(struct event_record *e, const char *text, size_t size)
{
    memcpy((u8 *)e + offsetof(struct event_record, frame0), text, size);
}

static void get_text(const struct event_record *e, char *text, size_t size)
{
    memcpy(text, (const u8 *)e + offsetof(struct event_record, frame0), size);
    text[size - 1] = '\0';
    text_make_plain(text); /* a file may hold anything */
}

_Static_assert(GUEST_COMM <= EVENT_FRAME_WORDS * sizeof(u64), "a task's name fits");
_Static_assert(sizeof((struct guest_module){0}.name) <= EVENT_FRAME_WORDS * sizeof(u64), "a module's name fits");

void event_put_task(struct event_record *e, const struct guest_task *task)
{
    e->number = task->pid;
    e->old_value = task->tgid;
    e->new_value = task->known ? task->task : 0;
    put_text(e, task->comm, sizeof task->comm);
}

void event_get_task(const struct event_record *e, struct guest_task *task)
{
    task->pid = e->number;
    task->tgid = (u32)e->old_value;
    task->task = e->new_value;
    task->known = e->new_value != 0;
    get_text(e, task->comm, sizeof task->comm);
}

void event_put_module(struct event_record *e, const struct guest_module *module)
{
    e->old_value = module->base;
    e->new_value = module->size;
    put_text(e, module->name, sizeof module->name);
}

void event_get_module(const struct event_record *e, struct guest_module *module)
{
    *module = (struct guest_module){.base = e->old_value, .size = e->new_value};
    get_text(e, module->name, sizeof module->name);
}
