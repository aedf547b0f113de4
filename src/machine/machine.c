/* SPDX-License-Identifier: MIT
 * A run: slices of the engine, idle time, host input between slices, resets, and the end.
 */
#include "machine/machine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cpu/ring/mechanisms.h"
#include "machine/board.h"

/* What was sent and has not entered the input port yet. */
#define SENT_MAX 32u
/* Between two looks at the host: about a hundredth of a second of execution. */
#define ATTEND_NS 20000000u
#define SLICE_TICKS (1u << 20)
/* A halted processor that no interrupt can wake is given this long for an NMI. */
#define HALT_GRACE_TICKS TICKS_PER_SECOND
/* 2025-01-01 00:00:00 UTC: fixed, so that two runs of one command are equal. */
#define DEFAULT_RTC_START 1735689600

struct machine {
    struct machine_options options;
    struct clock clock;
    struct input_port *input;
    struct board *board;
    struct cpu *cpu;
    enum machine_end end;
    int debug_exit_code;
    bool reset_requested;
    bool input_open, network_open;
    u64 checkpoint;        /* tick of the next one, or CLOCK_NEVER */
    u64 idle_origin_ticks; /* when the processor was first found idle since it last completed an instruction */
    u64 idle_retired;
    u64 offered_retired; /* instructions completed when waiting input was last offered */
    u8 frames[NET_FRAME_PREFIX + NET_FRAME_MAX];
    struct timespec started;
    unsigned sent_count;
    struct sent {
        enum input_source source;
        size_t size;
        u8 bytes[MACHINE_SEND_BYTES];
    } sent[SENT_MAX];
};

static const struct {
    const char *name;
    int exit_code;
} ends[MACHINE_ENDS] = {
    [END_NONE] = {"none", EXIT_OK},
    [END_POWER_OFF] = {"power-off", EXIT_OK},
    [END_RESET] = {"reset", EXIT_OK},
    [END_HALTED] = {"halted", EXIT_OK},
    [END_DEBUG_EXIT] = {"debug-exit", EXIT_OK}, /* its own code */
    [END_SHUTDOWN] = {"shutdown", EXIT_SHUTDOWN},
    [END_MAX_INSNS] = {"max-insns", EXIT_LIMIT},
    [END_TIMEOUT] = {"timeout", EXIT_TIMEOUT},
    [END_INTERRUPTED] = {"interrupted", EXIT_INTERRUPTED},
    [END_QUIT] = {"quit", EXIT_OK},
    [END_UNIMPLEMENTED] = {"unimplemented", EXIT_LIMIT},
};

const char *machine_end_name(enum machine_end end) { return ends[end].name; }

void machine_options_init(struct machine_options *options)
{
    struct error ignored;

    *options = (struct machine_options){.ram_bytes = 512u << 20,
                                        .append = "",
                                        .rtc_start = DEFAULT_RTC_START,
                                        .card.address = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56}};
    cpu_model_parse(&options->model, "max", &ignored);
}

bool machine_has_video(const struct machine_options *o)
{
    return o->vga == VGA_STD || (o->vga == VGA_DEFAULT && o->kernel == NULL);
}

/* ---- what the board asks for */

static void stop(struct machine *m, enum machine_end end)
{
    if (m->end == END_NONE)
        m->end = end;
    m->cpu->host.stop = STOP_REQUESTED;
    cpu_attention(m->cpu);
}

static void power_off(void *context) { stop(context, END_POWER_OFF); }

static void debug_exit(void *context, u32 code)
{
    struct machine *m = context;

    m->debug_exit_code = (int)(code & 0xFF);
    stop(m, END_DEBUG_EXIT);
}

static void reset(void *context)
{
    struct machine *m = context;

    if (m->options.no_reboot) {
        stop(m, END_RESET);
        return;
    }
    m->reset_requested = true;
    m->cpu->host.stop = STOP_REQUESTED;
    cpu_attention(m->cpu);
}

static void output(void *context, unsigned port, const u8 *bytes, size_t size)
{
    struct machine *m = context;

    if (m->options.world.output != NULL)
        m->options.world.output(m->options.world.context, port, bytes, size);
}

static void network_send(void *context, const u8 *frame, size_t size)
{
    struct machine *m = context;

    if (m->options.world.network_send != NULL)
        m->options.world.network_send(m->options.world.context, frame, size);
}

void machine_quit(struct machine *m) { stop(m, END_QUIT); }

bool machine_send(struct machine *m, enum input_source source, const u8 *bytes, size_t size)
{
    struct sent *sent = &m->sent[m->sent_count];

    if (m->sent_count == SENT_MAX || size > MACHINE_SEND_BYTES)
        return false;
    sent->source = source;
    sent->size = size;
    if (size != 0)
        memcpy(sent->bytes, bytes, size);
    m->sent_count++;
    return true;
}

static void push_sent(struct machine *m)
{
    for (unsigned i = 0; i < m->sent_count; i++)
        input_push(m->input, m->sent[i].source, m->sent[i].bytes, m->sent[i].size);
    m->sent_count = 0;
}

void machine_listen(struct machine *m) { m->input_open = m->options.world.input != NULL; }

/* ---- life and death */

/* A device armed a timer that is due before the running slice ends. */
static void deadline_changed(void *context)
{
    struct machine *m = context;

    if (m->cpu != NULL)
        cpu_attention(m->cpu);
}

static bool build(struct machine *m, struct error *err)
{
    struct board_callbacks callbacks = {.context = m,
                                        .power_off = power_off,
                                        .reset = reset,
                                        .debug_exit = debug_exit,
                                        .output = output,
                                        .network_send = network_send};

    m->board = board_new(&m->options, &m->clock, m->input, &callbacks, err);
    if (m->board == NULL)
        return false;
    if (m->cpu == NULL)
        m->cpu = board_make_cpu(m->board, &m->options.model);
    board_connect_cpu(m->board, m->cpu);
    engine_attach(m->cpu);
    engine_select(m->cpu, m->options.engine);
    return true;
}

static void tear_down(struct machine *m)
{
    if (m->cpu != NULL)
        engine_detach(m->cpu);
    board_free(m->board);
    m->board = NULL;
}

struct machine *machine_new(const struct machine_options *options, struct error *err)
{
    struct machine *m = calloc(1, sizeof *m);

    if (m == NULL) {
        error_set(err, EXIT_LIMIT, "no memory for the machine");
        return NULL;
    }
    m->options = *options;
    clock_init(&m->clock);
    m->clock.deadline_changed = deadline_changed;
    m->clock.deadline_context = m;
    m->input = input_new(&m->clock);
    m->input_open = options->world.input != NULL && !options->deaf;
    m->network_open = options->world.network != NULL;
    if (!build(m, err)) {
        machine_free(m);
        return NULL;
    }
    return m;
}

void machine_power_on(struct machine *m)
{
    ring_reset(m->cpu);
    m->cpu->arch.rip = m->cpu->d.next_rip;
}

void machine_free(struct machine *m)
{
    if (m->board != NULL)
        tear_down(m);
    if (m->cpu != NULL)
        cpu_free(m->cpu);
    input_free(m->input);
    free(m);
}

/* A reset of the whole board: the devices and memory are made anew, the clock goes on, the observer stays. */
static bool reboot(struct machine *m, struct error *err)
{
    tear_down(m);
    m->reset_requested = false;
    m->cpu->host.stop = STOP_NONE;
    if (!build(m, err))
        return false;
    machine_power_on(m);
    return true;
}

const struct clock *machine_time(const struct machine *m) { return &m->clock; }

struct cpu *machine_cpu(struct machine *m) { return m->cpu; }

const struct vga *machine_vga(const struct machine *m) { return m->board == NULL ? NULL : board_vga(m->board); }

struct machine_devices machine_devices(const struct machine *m) { return board_devices(m->board); }

struct input_port *machine_input(struct machine *m) { return m->input; }

/* ---- the host between slices */

static u64 host_elapsed_ns(const struct machine *m)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)(now.tv_sec - m->started.tv_sec) * TICKS_PER_SECOND + (u64)now.tv_nsec - (u64)m->started.tv_nsec;
}

/* Input that found the receiver full is offered again when the guest has run: nothing else can have made room. */
static void offer_input(struct machine *m)
{
    if (clock_retired(&m->clock) == m->offered_retired || !input_waiting(m->input))
        return;
    m->offered_retired = clock_retired(&m->clock);
    input_poll(m->input);
}

/* Someone outside may act: then idle time is not let run faster than real time. */
static bool is_attended(const struct machine *m)
{
    return m->input_open || m->network_open || m->options.world.attend != NULL;
}

static void sleep_ns(u64 ns)
{
    struct timespec pause = {.tv_sec = (time_t)(ns / TICKS_PER_SECOND), .tv_nsec = (long)(ns % TICKS_PER_SECOND)};

    nanosleep(&pause, NULL);
}

/* wait_ns: how long an idle machine may wait for input. Virtual time follows that wait before the input is stamped, so
 * that the stamp is the tick at which the machine takes it, and a replay takes it there too. Frames that the card has
 * not taken hold back those behind them, outside. */
static void take_input(struct machine *m, u64 wait_ns)
{
    const struct machine_world *w = &m->options.world;
    u8 typed[256];
    size_t typed_size = 0, frames_size = 0;
    u64 before = host_elapsed_ns(m);
    bool closed = false;

    if (m->network_open)
        frames_size = w->network(w->context, m->frames,
                                 input_queued(m->input, INPUT_NETWORK) == 0 ? sizeof m->frames : 0, wait_ns);
    if (m->input_open)
        typed_size = w->input(w->context, typed, sizeof typed, m->network_open ? 0 : wait_ns, &closed);
    if (!m->network_open && !m->input_open && wait_ns != 0)
        sleep_ns(wait_ns);
    if (wait_ns != 0) {
        u64 slept = host_elapsed_ns(m) - before;

        clock_pass(&m->clock, slept < wait_ns ? slept : wait_ns);
    }
    if (frames_size != 0)
        input_push(m->input, INPUT_NETWORK, m->frames, frames_size);
    if (typed_size != 0)
        input_push(m->input, INPUT_SERIAL0, typed, typed_size);
    if (closed)
        m->input_open = false;
}

/* wait_ns: as take_input() has it. */
static void poll_host(struct machine *m, u64 wait_ns)
{
    const struct machine_world *w = &m->options.world;

    if (w->interrupted != NULL && w->interrupted(w->context))
        stop(m, END_INTERRUPTED);
    if (m->options.timeout > 0 && (double)host_elapsed_ns(m) > m->options.timeout * 1e9)
        stop(m, END_TIMEOUT);
    if (m->options.max_insns != 0 && clock_retired(&m->clock) >= m->options.max_insns)
        stop(m, END_MAX_INSNS);
    if (m->options.max_ticks != 0 && m->clock.ticks >= m->options.max_ticks)
        stop(m, END_QUIT);
    if (m->end != END_NONE)
        return;
    offer_input(m);
    if (!is_attended(m))
        return;
    take_input(m, wait_ns);
    push_sent(m);
    if (w->attend != NULL)
        w->attend(w->attend_context, m);
}

/* Nothing executes until an interrupt: move the clock to the next timer. With someone at the console idle time is not
 * let run faster than real time; typed input may end it early, at a tick that the input log keeps. */
static void idle(struct machine *m)
{
    u64 now = m->clock.ticks, limit = m->options.max_ticks, deadline, target;
    bool wakeable = (m->cpu->arch.rflags & FLAG_IF) != 0 && m->cpu->arch.activity != WAIT_FOR_SIPI;

    if (clock_retired(&m->clock) != m->idle_retired) {
        m->idle_retired = clock_retired(&m->clock);
        m->idle_origin_ticks = now;
    }
    offer_input(m); /* it may enter at the next tick: then there is no time to sleep */
    deadline = m->clock.deadline;
    target = limit != 0 && limit < deadline ? limit : deadline;
    if (!wakeable && (target == CLOCK_NEVER || target - m->idle_origin_ticks > HALT_GRACE_TICKS)) {
        stop(m, END_HALTED);
        return;
    }
    if (target == CLOCK_NEVER && !is_attended(m)) {
        stop(m, END_HALTED); /* no timer, no input that could enter: nothing can ever happen */
        return;
    }
    if (m->checkpoint < target)
        target = m->checkpoint;
    if (is_attended(m)) { /* woken early, or a long wait in pieces */
        u64 wait = target == CLOCK_NEVER ? TICKS_PER_SECOND : target - now;
        u64 piece = m->options.world.attend != NULL ? ATTEND_NS : TICKS_PER_SECOND;

        poll_host(m, wait < piece ? wait : piece);
        return;
    }
    if (target != CLOCK_NEVER && target > now)
        clock_pass(&m->clock, target - now);
}

/* Virtual time follows the host's: never faster. */
static void follow_host_clock(const struct machine *m)
{
    u64 elapsed = host_elapsed_ns(m);

    if (m->clock.ticks > elapsed)
        sleep_ns(m->clock.ticks - elapsed);
}

static void handle_stop(struct machine *m, struct machine_result *result)
{
    struct error err;

    switch (m->cpu->host.stop) {
    case STOP_SHUTDOWN:
        if (m->options.on_shutdown == ON_SHUTDOWN_STOP) {
            m->end = END_SHUTDOWN;
            return;
        }
        m->reset_requested = !m->options.no_reboot;
        if (m->options.no_reboot)
            m->end = END_RESET;
        break;
    case STOP_UNIMPLEMENTED:
        m->end = END_UNIMPLEMENTED;
        snprintf(result->detail, sizeof result->detail, "%s", m->cpu->host.stop_text);
        return;
    default: break;
    }
    if (m->reset_requested && m->end == END_NONE && !reboot(m, &err)) {
        m->end = END_UNIMPLEMENTED;
        snprintf(result->detail, sizeof result->detail, "the machine could not be reset: %.150s", err.text);
    }
}

static u64 slice_end(const struct machine *m)
{
    u64 end = m->clock.ticks + SLICE_TICKS;

    if (m->options.max_insns != 0 && m->options.max_insns > clock_retired(&m->clock) &&
        m->options.max_insns - clock_retired(&m->clock) < SLICE_TICKS)
        end = m->clock.ticks + (m->options.max_insns - clock_retired(&m->clock));
    if (m->options.max_ticks != 0 && m->options.max_ticks < end)
        end = m->options.max_ticks;
    return m->checkpoint < end ? m->checkpoint : end;
}

/* The engine stops at the tick asked for, and idle time does not jump over a checkpoint. */
static void take_checkpoint(struct machine *m)
{
    const struct machine_checkpoints *c = &m->options.checkpoints;

    if (m->clock.ticks < m->checkpoint)
        return;
    assert(m->clock.ticks == m->checkpoint);
    c->show(c->context, m);
    m->checkpoint = c->every > CLOCK_NEVER - m->checkpoint ? CLOCK_NEVER : m->checkpoint + c->every;
    if (c->to != 0 && m->checkpoint > c->to)
        m->checkpoint = CLOCK_NEVER;
}

int machine_run(struct machine *m, struct machine_result *result)
{
    *result = (struct machine_result){0};
    clock_gettime(CLOCK_MONOTONIC, &m->started);
    m->checkpoint = m->options.checkpoints.every != 0 ? m->options.checkpoints.from : CLOCK_NEVER;
    take_checkpoint(m);
    while (m->end == END_NONE) {
        switch (engine_run(m->cpu, slice_end(m))) {
        case ENGINE_TICK: break;
        case ENGINE_HALTED: idle(m); break;
        case ENGINE_STOPPED: handle_stop(m, result); break;
        }
        take_checkpoint(m);
        if (m->options.clock == CLOCK_HOST)
            follow_host_clock(m);
        if (m->end == END_NONE)
            poll_host(m, 0);
    }
    result->end = m->end;
    result->exit_code = m->end == END_DEBUG_EXIT ? m->debug_exit_code : ends[m->end].exit_code;
    result->ticks = m->clock.ticks;
    result->retired = clock_retired(&m->clock);
    result->state_hash = cpu_state_hash(m->cpu) ^ physmem_hash(m->cpu->physmem);
    return result->exit_code;
}
