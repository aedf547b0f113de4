/* SPDX-License-Identifier: MIT
 * Synthetic transitions through a recorder on a processor that never runs: a stream like that of a 64-bit kernel
 * serving SYSCALL, page faults and timer interrupts.
 */
#ifndef RINGSIDE_TESTS_TRACE_FIXTURE_H
#define RINGSIDE_TESTS_TRACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bus/input.h"
#include "cpu/cpu.h"
#include "trace/file/reader.h"

struct trace_fixture {
    struct clock clock;
    struct physmem *pm;
    struct ports *io;
    struct cpu *cpu;
    struct input_port *port;
    struct cpu_model model;
    char path[64];
    u64 random, sequence;
};

static u64 fixture_random(struct trace_fixture *f)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return f->random;
}

static void fixture_open(struct trace_fixture *f, const char *name)
{
    struct error err;

    memset(f, 0, sizeof *f);
    f->random = 88172645463325252ull;
    clock_init(&f->clock);
    f->pm = physmem_new(16u << 20, &err);
    assert_non_null(f->pm);
    f->io = ports_new();
    assert_true(cpu_model_parse(&f->model, "max", &err));
    f->cpu = cpu_new(&f->model, 0, &f->clock, f->pm, f->io);
    f->port = input_new(&f->clock);
    snprintf(f->path, sizeof f->path, "%s-%d.trace", name, (int)getpid());
}

static void fixture_close(struct trace_fixture *f)
{
    unlink(f->path);
    input_free(f->port);
    cpu_free(f->cpu);
    ports_free(f->io);
    physmem_free(f->pm);
}

static struct transition fixture_base(struct trace_fixture *f, enum mechanism mechanism, u64 user_rip)
{
    struct transition t = {.mechanism = mechanism, .sequence = ++f->sequence};
    bool in = mechanism != MECH_SYSRET && mechanism != MECH_IRET_OUTER;
    struct ring_state user = {user_rip,
                              0x7FFD00001000 + (fixture_random(f) & 0xF8),
                              0x246,
                              0x1000,
                              0x7F0012345000,
                              0xFFFF888007C00000,
                              0x33,
                              0x2B,
                              3,
                              MODE_LONG};
    struct ring_state kernel = {0xFFFFFFFF81C00000 + 0x100 * mechanism,
                                0x8000,
                                0x46,
                                0x1000,
                                0x7F0012345000,
                                0xFFFF888007C00000,
                                0x10,
                                0x18,
                                0,
                                MODE_LONG};

    f->clock.ticks += 100 + (fixture_random(f) & 0xFF);
    clock_pass(&f->clock, fixture_random(f) & 0xF);
    t.from = in ? user : kernel;
    t.to = in ? kernel : user;
    return t;
}

static void fixture_frame(struct trace_fixture *f, struct transition *t, const struct ring_state *image, bool popped)
{
    u64 word[6] = {t->error, image->rip, image->cs, image->rflags, image->rsp, image->ss};
    unsigned skip = t->has_error ? 0 : 1;

    t->frame_words = (u8)(6 - skip);
    t->frame_word_bytes = 8;
    t->frame = 0x8000 - 8u * t->frame_words;
    physmem_write(f->pm, t->frame, word + skip, 8u * t->frame_words, INITIATOR_LOADER);
    if (popped)
        t->from.rsp = t->frame;
    else
        t->to.rsp = t->frame;
}

/* Feed n events, as many of them SYSCALL pairs as in a run of small programs. */
static void fixture_feed(struct trace_fixture *f, unsigned n)
{
    const struct cpu_observer *o = f->cpu->host.observer;

    for (unsigned i = 0; i < n; i += 2) {
        u64 rip = 0x401000 + (fixture_random(f) % 40) * 0x35;
        unsigned what = (unsigned)(fixture_random(f) % 10);
        struct transition in, out;

        if (what < 6) {
            in = fixture_base(f, MECH_SYSCALL, rip);
            in.to.rsp = in.from.rsp;
            in.msrs = 3;
            in.msr[0] = 0x23001000000000;
            in.msr[1] = in.to.rip;
            in.msr[2] = 0x47700;
            f->cpu->arch.gpr[RAX] = fixture_random(f) % 300;
            f->cpu->arch.gpr[RDI] = fixture_random(f) & 15;
            f->cpu->arch.gpr[RSI] = 0x7FFD00000000 + (fixture_random(f) & 0xFFF8);
            f->cpu->arch.gpr[RDX] = fixture_random(f) & 0xFFF;
            f->cpu->arch.gpr[RCX] = rip + 2;
            f->cpu->arch.gpr[R11] = 0x246;
            o->transition(o->context, f->cpu, &in);
            out = fixture_base(f, MECH_SYSRET, rip + 2);
            out.to.rsp = in.from.rsp;
        } else {
            in = fixture_base(f, what < 9 ? MECH_FAULT : MECH_IRQ, rip);
            in.has_vector = true;
            in.vector = what < 9 ? VEC_PF : 0xEC;
            in.has_error = what < 9;
            in.error = what < 9 ? 6 : 0;
            in.cr2 = what < 9 ? 0x7F0000000000 + (fixture_random(f) & 0xFFFFF000) : 0;
            in.gate = GATE_INTERRUPT64;
            in.stack_source = STACK_TSS_RSP;
            in.gate_selector = 0x10;
            fixture_frame(f, &in, &in.from, false);
            o->transition(o->context, f->cpu, &in);
            out = fixture_base(f, MECH_IRET_OUTER, rip);
            out.to.rsp = in.from.rsp;
            fixture_frame(f, &out, &out.to, true);
        }
        f->cpu->arch.gpr[RAX] = fixture_random(f) % 64;
        o->transition(o->context, f->cpu, &out);
    }
}

/* Record n events into f->path (or nowhere). returns: the digest. */
static u64 fixture_record(struct trace_fixture *f, unsigned n, bool to_file)
{
    struct trace_properties run = {0}, end = {0};
    struct recorder_options options = {.path = to_file ? f->path : NULL, .run = &run};
    struct error err = {0};
    struct recorder *r;
    u64 digest;

    trace_properties_set(&run, "cpu.model", "max");
    trace_properties_set(&run, "command", "ringside run a\nb");
    trace_properties_set(&run, "argv.1", "run");
    trace_properties_set(&end, "end.reason", "power-off");
    r = recorder_open(&options, &err);
    assert_non_null(r);
    recorder_attach(r, f->cpu, f->port);
    fixture_feed(f, n);
    digest = recorder_digest(r);
    assert_int_equal(recorder_transitions(r), n);
    assert_false(recorder_failed(r));
    assert_true(recorder_close(r, &end, &err));
    trace_properties_free(&run);
    trace_properties_free(&end);
    return digest;
}

#endif
