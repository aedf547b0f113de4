/* SPDX-License-Identifier: MIT
 * Checkpoints of a run: one line each with the digest and the state hash, by which two runs are compared.
 */
#include "cli/checkpoints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_EVERY 1000000u

static bool number(u64 *out, const char *name, const char *text, struct error *err)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0' || *text == '-')
        return error_set(err, EXIT_USAGE, "--checkpoints: %s wants a number of ticks, not '%s'", name, text);
    return true;
}

static bool word(struct checkpoint_options *c, const char *text, struct error *err)
{
    if (strncmp(text, "every=", 6) == 0)
        return number(&c->every, "every", text + 6, err) &&
               (c->every != 0 || error_set(err, EXIT_USAGE, "--checkpoints: every=0 is no distance"));
    if (strncmp(text, "from=", 5) == 0)
        return number(&c->from, "from", text + 5, err);
    if (strncmp(text, "to=", 3) == 0)
        return number(&c->to, "to", text + 3, err);
    if (strcmp(text, "ram") == 0)
        c->ram = true;
    else if (strcmp(text, "registers") == 0)
        c->registers = true;
    else if (strcmp(text, "stop") == 0)
        c->stop = true;
    else
        return error_set(err, EXIT_USAGE,
                         "--checkpoints FILE,%s: the words are every=N, from=TICK, to=TICK, ram, registers and stop",
                         text);
    return true;
}

bool checkpoints_parse(struct checkpoint_options *c, const char *text, struct error *err)
{
    size_t length = strcspn(text, ",");

    *c = (struct checkpoint_options){.every = DEFAULT_EVERY};
    if (length == 0 || length >= sizeof c->path)
        return error_set(err, EXIT_USAGE, "--checkpoints wants a file to write, FILE[,every=N]..., not '%s'", text);
    memcpy(c->path, text, length);
    while (text[length] == ',') {
        char one[40];

        text += length + 1;
        length = strcspn(text, ",");
        snprintf(one, sizeof one, "%.*s", (int)(length < 39 ? length : 39), text);
        if (!word(c, one, err))
            return false;
    }
    if (c->stop && c->to == 0)
        return error_set(err, EXIT_USAGE, "--checkpoints: stop wants to=TICK, where the run shall stop");
    if (c->to != 0 && c->to < c->from)
        return error_set(err, EXIT_USAGE, "--checkpoints: to=%llu lies before from=%llu", (unsigned long long)c->to,
                         (unsigned long long)c->from);
    return true;
}

static void show(void *context, struct machine *m)
{
    const struct checkpoints *c = context;
    const struct clock *time = machine_time(m);
    struct cpu *cpu = machine_cpu(m);

    fprintf(c->out, "tick=%llu retired=%llu digest=%016llx state=%016llx", (unsigned long long)time->ticks,
            (unsigned long long)clock_retired(time), (unsigned long long)recorder_digest(c->recorder),
            (unsigned long long)cpu_state_hash(cpu));
    if (c->options->ram)
        fprintf(c->out, " ram=%016llx", (unsigned long long)physmem_hash(cpu->physmem));
    fputc('\n', c->out);
    if (c->options->registers)
        registers_print(c->out, cpu);
}

bool checkpoints_open(struct checkpoints *c, const struct checkpoint_options *options, struct machine_options *machine,
                      struct error *err)
{
    c->options = options;
    if (options->path[0] == '\0')
        return true;
    c->out = fopen(options->path, "w");
    if (c->out == NULL)
        return error_set(err, EXIT_FILE, "cannot write the checkpoints to '%s': %s", options->path, strerror(errno));
    setvbuf(c->out, NULL, _IOLBF, 0); /* who compares two runs reads while they go on */
    machine->checkpoints = (struct machine_checkpoints){
        .every = options->every, .from = options->from, .to = options->to, .show = show, .context = c};
    if (options->stop && (machine->max_ticks == 0 || options->to < machine->max_ticks))
        machine->max_ticks = options->to;
    return true;
}

bool checkpoints_close(struct checkpoints *c, const struct machine_result *result, struct error *err)
{
    bool failed;

    if (c->out == NULL)
        return true;
    if (result != NULL)
        fprintf(c->out, "end tick=%llu retired=%llu digest=%016llx state=%016llx reason=%s code=%d\n",
                (unsigned long long)result->ticks, (unsigned long long)result->retired,
                (unsigned long long)recorder_digest(c->recorder), (unsigned long long)result->state_hash,
                machine_end_name(result->end), result->exit_code);
    failed = ferror(c->out) != 0;
    failed |= fclose(c->out) != 0;
    c->out = NULL;
    return !failed || error_set(err, EXIT_FILE, "cannot write the checkpoints to '%s'", c->options->path);
}
