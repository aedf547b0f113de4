/* SPDX-License-Identifier: MIT
 * libringside: a machine in your program, with every privilege transition as a call-back.
 *
 * All state hangs off struct ringside; several machines can live in one process. A machine is used by one thread at a
 * time. The same options and input give the same transitions on every host.
 *
 *     struct ringside_options options = ringside_defaults();
 *     options.kernel = "tour:64";
 *     options.on_transition = print_it;
 *     struct ringside *machine = ringside_new(&options, message, sizeof message);
 *     ringside_run(machine, &result);
 *     ringside_free(machine);
 */
#ifndef RINGSIDE_H
#define RINGSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ringside;

/* One side of a transition. mode is "real", "vm86", "pm16", "pm32", "compat16", "compat32" or "64-bit". */
struct ringside_side {
    uint64_t rip, rsp, rflags, cr3, gs_base, kernel_gs_base;
    uint16_t cs, ss;
    uint8_t ring; /* CPL, 0-3 */
    const char *mode;
};

/* One passage through the door. Strings are static. */
struct ringside_transition {
    uint64_t sequence;     /* from 1 */
    uint64_t ticks;        /* virtual nanoseconds */
    uint64_t retired;      /* completed instructions */
    const char *mechanism; /* "syscall", "irq", "iret_outer"... (docs/trace.md) */
    struct ringside_side from, to;
    int vector;    /* -1: none */
    int64_t error; /* -1: none */
    uint64_t cr2;
    const char *rule; /* the architectural rule that a fault broke, "SC-01"; "-" when none */
};

struct ringside_options {
    uint64_t memory_bytes;
    const char *cpu;    /* as -cpu: "max", "core2,vendor=amd"... */
    const char *kernel; /* file, or "tour:32", "tour:64" */
    const char *initrd; /* file, or NULL */
    const char *append; /* kernel command line */
    uint64_t max_insns; /* 0: no limit */
    bool no_reboot;     /* a reset ends the run */
    void *context;      /* for the call-backs; any of them may be NULL */
    void (*on_transition)(void *context, const struct ringside_transition *t);
    void (*on_serial)(void *context, const uint8_t *bytes, size_t size);
};

struct ringside_result {
    const char *reason; /* "power-off", "halted", "shutdown"... */
    int exit_code;      /* docs/cli.md */
    uint64_t ticks, retired;
    uint64_t state_hash; /* processor and memory at the end */
};

const char *ringside_version(void);
struct ringside_options ringside_defaults(void);
/* Build a machine. The option strings must outlive it.
 * returns: NULL with a one-line message when the options or files are wrong. */
struct ringside *ringside_new(const struct ringside_options *options, char *message, size_t size);
void ringside_free(struct ringside *machine);
/* Run from reset to the end; once per machine. returns: result->exit_code */
int ringside_run(struct ringside *machine, struct ringside_result *result);
/* End the run: from a call-back. */
void ringside_stop(struct ringside *machine);
/* Type bytes on the serial console: before the run or from a call-back. */
void ringside_type(struct ringside *machine, const uint8_t *bytes, size_t size);
/* Read guest memory at a linear address, with no effect on the guest. returns: false when not all of it is memory. */
bool ringside_peek(struct ringside *machine, uint64_t laddr, void *out, size_t size);
/* General register n (0 = RAX, 1 = RCX, 2 = RDX, 3 = RBX, 4 = RSP ... 15 = R15). */
uint64_t ringside_gpr(const struct ringside *machine, unsigned n);

#ifdef __cplusplus
}
#endif
#endif
