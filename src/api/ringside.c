/* SPDX-License-Identifier: MIT
 * libringside: the public face, over machine/.
 */
#include "ringside.h"

#include <stdio.h>
#include <stdlib.h>

#include "cpu/ring/transition.h"
#include "machine/machine.h"

struct ringside {
    struct ringside_options options;
    struct machine *machine;
    struct cpu_observer observer;
};

const char *ringside_version(void) { return RINGSIDE_VERSION; }

struct ringside_options ringside_defaults(void)
{
    return (struct ringside_options){.memory_bytes = 512u << 20, .cpu = "max", .append = ""};
}

static struct ringside_side side_of(const struct ring_state *s)
{
    return (struct ringside_side){.rip = s->rip,
                                  .rsp = s->rsp,
                                  .rflags = s->rflags,
                                  .cr3 = s->cr3,
                                  .gs_base = s->gs_base,
                                  .kernel_gs_base = s->kernel_gs_base,
                                  .cs = s->cs,
                                  .ss = s->ss,
                                  .ring = s->cpl,
                                  .mode = cpu_mode_name((enum cpu_mode)s->mode)};
}

static void on_transition(void *context, struct cpu *cpu, const struct transition *t)
{
    const struct ringside *m = context;
    struct ringside_transition public = {
        .sequence = t->sequence,
        .ticks = cpu->clock->ticks,
        .retired = clock_retired(cpu->clock),
        .mechanism = mechanism_name(t->mechanism),
        .from = side_of(&t->from),
        .to = side_of(&t->to),
        .vector = t->has_vector ? t->vector : -1,
        .error = t->has_error ? (int64_t)t->error : -1,
        .cr2 = t->cr2,
        .rule = rule_name((enum rule)t->rule),
    };

    m->options.on_transition(m->options.context, &public);
}

static void on_output(void *context, unsigned port, const u8 *bytes, size_t size)
{
    const struct ringside *m = context;

    if (port == 0 && m->options.on_serial != NULL)
        m->options.on_serial(m->options.context, bytes, size);
}

static bool build(struct ringside *m, struct error *err)
{
    const struct ringside_options *o = &m->options;
    struct machine_options options;

    machine_options_init(&options);
    if (o->kernel == NULL)
        return error_set(err, EXIT_USAGE, "nothing to run: options.kernel is not set");
    if (!cpu_model_parse(&options.model, o->cpu, err))
        return false;
    options.ram_bytes = o->memory_bytes & PAGE_MASK;
    options.kernel = o->kernel;
    options.initrd = o->initrd;
    options.append = o->append;
    options.max_insns = o->max_insns;
    options.no_reboot = o->no_reboot;
    options.world = (struct machine_world){.context = m, .output = on_output};
    m->machine = machine_new(&options, err);
    return m->machine != NULL;
}

struct ringside *ringside_new(const struct ringside_options *options, char *message, size_t size)
{
    struct ringside *m = calloc(1, sizeof *m);
    struct error err;

    if (m == NULL) {
        snprintf(message, size, "no memory for a machine");
        return NULL;
    }
    m->options = *options;
    if (!build(m, &err)) {
        snprintf(message, size, "%s", err.text);
        free(m);
        return NULL;
    }
    if (options->on_transition != NULL) {
        m->observer = (struct cpu_observer){.context = m, .transition = on_transition};
        machine_cpu(m->machine)->host.observer = &m->observer;
    }
    return m;
}

void ringside_free(struct ringside *m)
{
    machine_free(m->machine);
    free(m);
}

int ringside_run(struct ringside *m, struct ringside_result *result)
{
    struct machine_result r;

    machine_power_on(m->machine);
    machine_run(m->machine, &r);
    *result = (struct ringside_result){.reason = machine_end_name(r.end),
                                       .exit_code = r.exit_code,
                                       .ticks = r.ticks,
                                       .retired = r.retired,
                                       .state_hash = r.state_hash};
    return r.exit_code;
}

void ringside_stop(struct ringside *m) { machine_quit(m->machine); }

void ringside_type(struct ringside *m, const uint8_t *bytes, size_t size)
{
    input_push(machine_input(m->machine), INPUT_SERIAL0, bytes, size);
}

bool ringside_peek(struct ringside *m, uint64_t laddr, void *out, size_t size)
{
    return mmu_peek(&machine_cpu(m->machine)->mmu, laddr, out, size);
}

uint64_t ringside_gpr(const struct ringside *m, unsigned n) { return machine_cpu(m->machine)->arch.gpr[n & 15]; }
