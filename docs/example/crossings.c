/* SPDX-License-Identifier: MIT
 * The example of docs/library.md: run a kernel and count how it moves between rings.
 * usage: crossings KERNEL [INITRD]
 */
#include <ringside.h>
#include <stdio.h>
#include <string.h>

struct counts {
    unsigned long in, out, same;
    unsigned long faults;
};

static void on_transition(void *context, const struct ringside_transition *t)
{
    struct counts *counts = context;

    if (t->to.ring < t->from.ring)
        counts->in++;
    else if (t->to.ring > t->from.ring)
        counts->out++;
    else
        counts->same++;
    if (strcmp(t->mechanism, "fault") == 0) {
        counts->faults++;
        printf("fault %d at %04x:%llx, ring %u, rule %s\n", t->vector, t->from.cs, (unsigned long long)t->from.rip,
               t->from.ring, t->rule);
    }
}

int main(int argc, char **argv)
{
    struct ringside_options options = ringside_defaults();
    struct ringside_result result;
    struct counts counts = {0};
    struct ringside *machine;
    char message[256];
    int code;

    if (argc < 2) {
        fprintf(stderr, "usage: crossings KERNEL [INITRD]\n");
        return 2;
    }
    options.kernel = argv[1];
    options.initrd = argc > 2 ? argv[2] : NULL;
    options.max_insns = 100000000;
    options.context = &counts;
    options.on_transition = on_transition;
    machine = ringside_new(&options, message, sizeof message);
    if (machine == NULL) {
        fprintf(stderr, "crossings: %s\n", message);
        return 3;
    }
    code = ringside_run(machine, &result);
    ringside_free(machine);
    printf("%s after %llu instructions: %lu inward, %lu outward, %lu in the same ring; %lu faults\n", result.reason,
           (unsigned long long)result.retired, counts.in, counts.out, counts.same, counts.faults);
    return code;
}
