/* SPDX-License-Identifier: MIT
 * The face of the trace module: record a run, and read a recording back. What a command line needs stands here.
 *
 *   recording   trace_properties_set() the run description, recorder_open(), recorder_attach(), run, recorder_close()
 *   reading     trace_report(), trace_stat(), trace_show(), trace_info(); trace_replay() for the input log
 */
#ifndef RINGSIDE_TRACE_TRACE_H
#define RINGSIDE_TRACE_TRACE_H

#include <stdio.h>

#include "base/error.h"
#include "base/types.h"

struct cpu;
struct input_port;
struct event_record;
struct guest;
struct guest_task;
struct lines;
struct names;
struct guest_task;
struct call;

/* ---- properties: ordered key = value pairs, for the run description and the end of the run -------------------------
 */

#define TRACE_PROPERTIES_MAX 256

struct trace_properties {
    size_t count;
    struct {
        char *key, *value;
    } item[TRACE_PROPERTIES_MAX];
};

/* Keys that the views know. Others are kept and printed as they are.
 * Run:  "version" program version; "command" the command line, "argv.N" its words; "cpu.model", "cpu.vendor" ("intel",
 * "amd"); "option.NAME" one per option that the run can be made again with; "image.NAME" = "HASH PATH" per image. End:
 * "end.reason", "end.exit_code", "end.state_hash" (16 hex digits), "end.ticks", "end.retired"; the recorder adds
 *       "digest" and "events" itself. */

/* Set (or replace) one pair. key: [a-z0-9._-]+; value: one line of any length (newlines become spaces).
 * Aborts when the host has no memory; asserts fewer than TRACE_PROPERTIES_MAX keys. */
void trace_properties_set(struct trace_properties *p, const char *key, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* returns: the value, or NULL. */
const char *trace_properties_get(const struct trace_properties *p, const char *key);
void trace_properties_free(struct trace_properties *p);

/* ---- filters, shared by every command --------------------------------------------------------------------------- */

#define TRACE_FILTER_ABIS 3u      /* enum linux_abi */
#define TRACE_FILTER_CALLS 1024u  /* numbers of system calls; the last bit stands for all above too */
#define TRACE_FILTER_ERRORS 4096u /* numbers of errors */
#define TRACE_FILTER_PIDS 32u
#define TRACE_FILTER_COMMS 16u
#define TRACE_FILTER_PATTERN 32u

/* Terms are joined by "and"; the values inside one term by "or". Zero-initialised: everything matches. */
struct trace_filter {
    u64 mechanisms; /* bit per enum mechanism; 0 = any */
    u32 kinds;      /* bit per enum event_kind; 0 = any */
    u64 vectors[4]; /* bit per vector */
    bool by_vector;
    u16 rings;     /* bit from*4+to; 0 = any */
    u8 directions; /* 1 inward, 2 outward, 4 same ring; 0 = any */
    bool by_rule;
    u64 rules[8]; /* bit per enum rule */
    u64 cr3;      /* of the source side */
    bool by_cr3;
    u64 from, to; /* event numbers, inclusive; 0 = open */
    bool by_call, by_error;
    u64 calls[TRACE_FILTER_ABIS][TRACE_FILTER_CALLS / 64]; /* bit per number */
    u64 errors[TRACE_FILTER_ERRORS / 64];
    u32 pid_from; /* tasks with this number or a higher one: a program and all that it started; 0 = any */
    unsigned pids, comms;
    u32 pid[TRACE_FILTER_PIDS];
    char comm[TRACE_FILTER_COMMS][TRACE_FILTER_PATTERN]; /* globs */
};

/* What a filter looks at. What is NULL is not known; a term that asks for it does not match then. */
struct trace_context {
    u64 id; /* from 1 */
    const struct event_record *event;
    const struct guest_task *task; /* the one that is current at the event; NULL, or known = false: there is none */
    const struct call *call;       /* the call that the event begins or ends (trace/calls.h), or NULL */
};

/* Add one -e expression: "mech=syscall,irq", "mech=!iret_same", "vec=14,gp,0x80", "kind=cr3,wrmsr", "cpl=3:0",
 * "dir=in|out|same", "rule=SC-01", "cr3=HEX", "trace=openat,%network" (entries and returns of these system calls; a
 * later
 * "!sendto" takes one out again), "errno=ENOENT" (returns with this error; "any" for all). A bare "syscall,irq" means
 * mech=. Short for a family: "iret", "mode". returns: false with err set (EXIT_USAGE), naming the word that was not
 * understood and what would be. */
bool trace_filter_add(struct trace_filter *f, const char *expression, struct error *err);
/* --cpl FROM:TO, each 0-3 or * */
bool trace_filter_cpl(struct trace_filter *f, const char *text, struct error *err);
/* --from COUNT, --to COUNT: event numbers. */
bool trace_filter_range(struct trace_filter *f, const char *from, const char *to, struct error *err);
/* -p PID[,PID...]: of a thread, or of a process with all its threads. A second -p adds to the first. */
bool trace_filter_pid(struct trace_filter *f, const char *text, struct error *err);
/* --comm GLOB[,GLOB...]: the task's name, with * and ?. A second one adds to the first. */
bool trace_filter_comm(struct trace_filter *f, const char *text, struct error *err);
/* What a live trace shows when nothing was asked for: transitions, and faults that were not delivered. */
void trace_filter_transitions(struct trace_filter *f);
/* Whether the event passes. f == NULL: everything does. */
bool trace_filter_match(const struct trace_filter *f, const struct trace_context *c);
/* A term asks for the task: pid, comm. Without a known kernel such a filter picks nothing. */
bool trace_filter_needs_task(const struct trace_filter *f);
/* A term asks for the call: trace, errno. The pairing must have seen all events before then. */
bool trace_filter_needs_calls(const struct trace_filter *f);

/* ---- recording --------------------------------------------------------------------------------------------------- */

struct recorder;

struct recorder_options {
    const char *path;                   /* NULL: digest (and live text) only */
    const struct trace_properties *run; /* written to the file; may be NULL */
    bool no_same_ring;                  /* leave out passages that keep the ring (they still count for the digest) */
    bool no_side_events;                /* leave out SWAPGS, CR3, WRMSR, CR0, CR4 */
    int level;                          /* zstd level; 0 = the default of this program */
    struct lines *live;                 /* told of each event as it happens; may be NULL; the caller's */
    struct guest *guest;                /* the kernel that is watched; NULL: events only. Must outlive the recorder */
    struct names *names;                /* with guest: the recorder fills in what becomes known; must outlive it too */
    unsigned string_limit;              /* with guest: bytes of a system call's string that are kept; 0 = the default */
};

/* Open the file, write schema and run description, start the compressor thread.
 * returns: NULL with err set (EXIT_FILE). */
struct recorder *recorder_open(const struct recorder_options *options, struct error *err);
/* Become the processor's observer and, when port is not NULL, the input port's log. The recorder must outlive the run;
 * recorder_close() detaches. */
void recorder_attach(struct recorder *r, struct cpu *cpu, struct input_port *port);
/* Tell these lines of each event from now on; NULL: none. Between two instructions. The digest and the recording are
 * the same either way. */
void recorder_set_live(struct recorder *r, struct lines *live);
/* True once writing has failed: the run may go on, nothing more is kept. recorder_close() says why. */
bool recorder_failed(const struct recorder *r);
/* Digest of the event stream so far, and how many transitions it covers. The same with and without a file. */
u64 recorder_digest(struct recorder *r);
u64 recorder_transitions(const struct recorder *r);
/* The number of the event kept last. */
u64 recorder_events(const struct recorder *r);
/* Flush, write the end properties (may be NULL) and the index, join the thread, free.
 * returns: false with err set (EXIT_FILE) when any write failed; the file stays readable up to there. */
bool recorder_close(struct recorder *r, const struct trace_properties *end, struct error *err);

/* ---- reading ----------------------------------------------------------------------------------------------------- */

enum trace_format { TRACE_TEXT, TRACE_VERBOSE, TRACE_JSON };

struct trace_view {
    enum trace_format format;
    bool color;
    bool no_header;        /* report: leave out the run description */
    bool calls;            /* report: an entry and its exit are told together; JSON: one object a call */
    bool side;             /* report: events beside transitions too, unless the filter names kinds */
    unsigned string_limit; /* bytes of a string that are shown; 0: report 32, show all that is kept */
    bool histogram;        /* stat: bars below each row of costs */
    bool all;              /* msrs: every register, not only those of the kernel's entries */
    u64 limit;             /* report: stop after so many events; 0 = all */
    FILE *messages;        /* warnings (a file that was cut short); NULL = stderr */
};

/* Each prints to out. filter may be NULL, view may be NULL (text, no colour).
 * returns: EXIT_OK, or EXIT_FILE with err set. A file that was cut short or damaged is read as far as it goes: what was
 * lost is said on view->messages, and the result is EXIT_OK. */
enum exit_code trace_report(FILE *out, const char *path, const struct trace_filter *filter,
                            const struct trace_view *view, struct error *err);
/* Counts per mechanism, ring pair, vector and mode; instructions between entry and return; system calls; processes; the
 * digest. */
enum exit_code trace_stat(FILE *out, const char *path, const struct trace_filter *filter, const struct trace_view *view,
                          struct error *err);
/* The journal of MSR writes, and which entry each register serves. */
enum exit_code trace_msrs(FILE *out, const char *path, const struct trace_filter *filter, const struct trace_view *view,
                          struct error *err);
/* Everything about event id (from 1). EXIT_USAGE with err set when there is no such event. */
enum exit_code trace_show(FILE *out, const char *path, u64 id, const struct trace_view *view, struct error *err);
/* Run description, end of the run, sections and what was lost. */
enum exit_code trace_info(FILE *out, const char *path, const struct trace_view *view, struct error *err);

/* Read the run description (and end properties; either may be NULL) of a recording, to make the run again.
 * The caller frees with trace_properties_free(). returns: false with err set. */
bool trace_read_properties(const char *path, struct trace_properties *run, struct trace_properties *end,
                           struct error *err);
/* Schedule every logged input on the port (input_replay). returns: false with err set; *inputs: how many (may be NULL).
 * A recording whose input log is damaged or cut short is refused: replay must be exact. */
bool trace_replay(const char *path, struct input_port *port, u64 *inputs, struct error *err);

/* ---- one event as text ------------------------------------------------------------------------------------------- */

/* What is known beside the record. NULL in place of it, and NULL members: nothing. */
struct trace_telling {
    const struct names *names;     /* trace/names.h */
    const struct guest_task *task; /* the one that is current */
    bool color;
};

/* "#123  t=456789  sh[120]  3→0  syscall  0033:... -> 0010:... entry_SYSCALL_64" on one line, with a newline. */
void trace_print_line(FILE *out, u64 id, const struct event_record *e, const struct trace_telling *t);
/* The explained rendering, several lines. */
void trace_print_verbose(FILE *out, u64 id, const struct event_record *e, const struct trace_telling *t);
/* One JSON object on one line. */
void trace_print_json(FILE *out, u64 id, const struct event_record *e, const struct trace_telling *t);

#endif
