/* SPDX-License-Identifier: MIT
 * The command line: what the sub-commands share.
 */
#ifndef RINGSIDE_CLI_CLI_H
#define RINGSIDE_CLI_CLI_H

#include "cli/device_options.h"
#include "cli/drives.h"
#include "cli/screen.h"
#include "display/window.h"
#include "machine/machine.h"
#include "trace/trace.h"

/* Print "ringside: TEXT" to stderr. returns: err->code */
int cli_fail(const struct error *err);

/* --color=auto|always|never, honouring NO_COLOR; auto means: stream is a terminal. */
enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
bool cli_color(enum color_choice choice, FILE *stream);
/* returns: false with err set (EXIT_USAGE) when text is none of the three words. */
bool cli_parse_color(enum color_choice *choice, const char *text, struct error *err);
/* --engine step|block. returns: false with err set (EXIT_USAGE) */
bool cli_parse_engine(enum engine_kind *engine, const char *text, struct error *err);
/* -m SIZE: bytes, a multiple of the page size. returns: false with err set (EXIT_USAGE) */
bool cli_parse_memory(u64 *bytes, const char *text, struct error *err);
/* --timeout S. returns: false with err set (EXIT_USAGE) */
bool cli_parse_timeout(double *seconds, const char *text, struct error *err);
/* The first word after the sub-command asks for help. */
bool cli_wants_help(int argc, char **argv);

/* ---- run_options.c: everything `run`, `record` and `replay` take. */

/* SERIAL_TERMINAL: as SERIAL_STDIO, for a guest whose terminal does not add carriage returns. */
enum serial_kind { SERIAL_NULL, SERIAL_STDIO, SERIAL_FILE, SERIAL_TERMINAL };

/* -monitor. MONITOR_DEFAULT: behind Ctrl-A c, when the serial console is a terminal. */
enum monitor_kind { MONITOR_DEFAULT, MONITOR_NONE, MONITOR_STDIO };

/* --checkpoints: where the run shows itself (machine.h), what is shown, and whether it ends at the last. */
struct checkpoint_options {
    char path[256]; /* empty: no checkpoints */
    u64 every, from, to;
    bool ram, registers, stop;
};

struct run_options {
    struct machine_options machine;
    struct drive_options drives;
    const char *image; /* the word that is no option, or NULL: a disk, a CD or a kernel */
    enum serial_kind serial;
    const char *serial_path;
    unsigned serials;          /* how many -serial there were: the second is COM2's */
    const char *serial2_path;  /* where COM2 goes; NULL: nowhere */
    const char *parallel_path; /* where LPT1 goes; NULL: nowhere */
    struct network_options network;
    const char *debugcon; /* where port 402h goes: "stderr", a path, or NULL */
    enum monitor_kind monitor;
    const char *record_path; /* record -o FILE */
    bool trace;              /* --trace: live text */
    const char *trace_path;  /* --trace=FILE or -D FILE; NULL: stderr */
    bool trace_verbose;
    bool trace_calls;    /* an entry and its return on one line */
    const char *vmlinux; /* --vmlinux: an unstripped ELF of the kernel, for its DWARF */
    bool no_names;       /* do not look for a Linux kernel's symbols and tasks */
    bool trace_side;     /* also SWAPGS, CR and MSR writes in the live text */
    struct trace_filter filter;
    bool summary_json;
    struct screen_options screen;
    enum window_kind display; /* -display */
    bool digest_only;         /* keep the event digest although nothing is recorded */
    struct checkpoint_options checkpoints;
    enum color_choice color;
};

/* Parse the words after the sub-command. Strings are borrowed from argv.
 * returns: false with err set (EXIT_USAGE), naming the word and the nearest that is known. */
bool run_options_parse(struct run_options *o, int argc, char **argv, struct error *err);
/* The same for the few options that can be added to a recorded run, and the recording. */
bool replay_options_parse(struct run_options *o, const char **path, int argc, char **argv, struct error *err);
/* Print the options for --help. */
void run_options_help(FILE *out);

/* ---- sub-commands; argv[0] is the sub-command's name. */
int cmd_run(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_msrs(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_path(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_symbols(int argc, char **argv);
int cmd_cpus(int argc, char **argv);
int cmd_machines(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_conform(int argc, char **argv);

/* The known word nearest to a mistyped one (edit distance at most 3), or NULL. words ends with NULL. */
const char *cli_nearest(const char *word, const char *const *words);

#endif
