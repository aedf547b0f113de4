/* SPDX-License-Identifier: MIT
 * ringside run, record and replay: one run of a machine, with or without a recorder.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/checkpoints.h"
#include "cli/console.h"
#include "cli/desk.h"
#include "cli/image_hash.h"
#include "cli/live_trace.h"
#include "cli/replay.h"
#include "machine/firmware_boot.h"
#include "machine/video.h"
#include "trace/fault/post_mortem.h"
#include "trace/lines.h"

/* One run, from options to exit code. */
struct session {
    struct run_options options;
    struct console console;
    struct desk desk; /* screen, keyboard and mouse, for -display */
    struct machine *machine;
    struct recorder *recorder;
    struct live_trace live;
    struct recorder *watcher; /* the monitor's: for a live trace of a run without a recorder */
    struct kernel *kernel;    /* the Linux kernel that is booted, or NULL */
    struct guest *guest;
    struct names *names;
    struct post_mortem post_mortem;
    struct checkpoints checkpoints;
    struct drives drives;
    const char *replay_path; /* NULL: live input */
    struct trace_properties run, end;
};

static void describe_run(struct session *s, int argc, char **argv)
{
    const struct machine_options *m = &s->options.machine;
    char command[4096] = "ringside";

    trace_properties_set(&s->run, "version", "%s", RINGSIDE_VERSION);
    for (int i = 0; i < argc; i++) {
        char key[32];
        size_t used = strlen(command);

        snprintf(command + used, sizeof command - used, strchr(argv[i], ' ') ? " '%s'" : " %s", argv[i]);
        snprintf(key, sizeof key, "argv.%d", i);
        trace_properties_set(&s->run, key, "%s", argv[i]);
    }
    trace_properties_set(&s->run, "command", "%s", command);
    trace_properties_set(&s->run, "cpu.model", "%s", m->model.name);
    trace_properties_set(&s->run, "cpu.vendor", "%s", m->model.vendor == VENDOR_AMD ? "amd" : "intel");
    trace_properties_set(&s->run, "rtc.start", "%lld", (long long)m->rtc_start);
    image_hash_property(&s->run, "image.kernel", m->kernel);
    image_hash_property(&s->run, "image.initrd", m->initrd);
    image_hash_drives(&s->run, &s->options.drives);
    if (m->kernel == NULL)
        image_hash_property(&s->run, "image.bios", firmware_boot_path(m->bios));
    if (machine_has_video(m))
        image_hash_property(&s->run, "image.vgabios", video_firmware_path());
}

static void describe_end(struct session *s, const struct machine_result *r)
{
    trace_properties_set(&s->end, "end.reason", "%s", machine_end_name(r->end));
    trace_properties_set(&s->end, "end.exit_code", "%d", r->exit_code);
    trace_properties_set(&s->end, "end.state_hash", "%016llx", (unsigned long long)r->state_hash);
    trace_properties_set(&s->end, "end.ticks", "%llu", (unsigned long long)r->ticks);
    trace_properties_set(&s->end, "end.retired", "%llu", (unsigned long long)r->retired);
}

/* Open, once, the kernel that the run boots, when it is a Linux kernel: what is recorded gets names. Other images are
 * none, which is no error: the loader says what it thinks of them. */
static bool open_guest(struct session *s, struct error *err)
{
    const struct run_options *o = &s->options;
    struct error why;

    if (s->kernel != NULL || o->no_names || o->machine.kernel == NULL || strncmp(o->machine.kernel, "tour:", 5) == 0)
        return true;
    s->kernel = kernel_open(o->machine.kernel, o->vmlinux, &why);
    if (s->kernel == NULL && o->vmlinux != NULL) {
        *err = why;
        return false;
    }
    if (s->kernel == NULL || symbols_count(s->kernel->symbols) == 0)
        return true;
    s->names = calloc(1, sizeof *s->names);
    if (s->names == NULL)
        abort();
    s->names->kernel = s->kernel;
    s->guest = guest_new(s->kernel);
    return true;
}

static bool open_recorder(struct session *s, struct error *err)
{
    struct run_options *o = &s->options;
    struct recorder_options options = {.path = o->record_path, .run = &s->run};

    if (!o->trace && o->record_path == NULL && !o->digest_only && o->checkpoints.path[0] == '\0')
        return true;
    if ((o->trace || o->record_path != NULL) && !open_guest(s, err))
        return false;
    if (o->trace && !live_trace_start(&s->live, o, s->names, s->guest != NULL, err))
        return false;
    options.live = s->live.lines;
    options.guest = s->guest;
    options.names = s->names;
    s->recorder = recorder_open(&options, err);
    return s->recorder != NULL;
}

/* A replay has what came from the network in its recording. */
static bool open_network(struct session *s, struct error *err)
{
    if (!s->options.network.user || s->replay_path != NULL)
        return true;
    s->console.network = net_user_new(&s->options.network.options, err);
    return s->console.network != NULL;
}

/* ---- what the monitor asks for */

/* A run without a recorder gets one that only tells. */
static bool watch(struct session *s, struct error *err)
{
    struct recorder_options options = {.live = s->live.lines, .guest = s->guest, .names = s->names};

    if (s->recorder != NULL) {
        recorder_set_live(s->recorder, s->live.lines);
        return true;
    }
    s->watcher = recorder_open(&options, err);
    if (s->watcher != NULL)
        recorder_attach(s->watcher, machine_cpu(s->machine), machine_input(s->machine));
    return s->watcher != NULL;
}

static bool stop_watching(struct session *s, struct error *err)
{
    bool ok = true;

    if (s->recorder != NULL)
        recorder_set_live(s->recorder, NULL);
    if (s->watcher != NULL)
        ok = recorder_close(s->watcher, NULL, err);
    s->watcher = NULL;
    live_trace_stop(&s->live);
    return ok;
}

static void monitor_write(void *context, const char *text, size_t size)
{
    struct session *s = context;

    console_say(&s->console, text, size);
}

static bool monitor_trace(void *context, bool on, const char *filter, struct error *err)
{
    struct session *s = context;
    struct trace_filter wanted = {0};

    if (filter != NULL && !trace_filter_add(&wanted, filter, err))
        return false;
    if (s->live.lines != NULL && !stop_watching(s, err))
        return false;
    if (!on)
        return true;
    if (filter != NULL)
        s->options.filter = wanted;
    return (s->recorder != NULL || open_guest(s, err)) &&
           live_trace_start(&s->live, &s->options, s->names, s->guest != NULL, err) && watch(s, err);
}

static bool monitor_screendump(void *context, const char *path, struct error *err)
{
    const struct session *s = context;

    return screen_dump(s->machine, path, err);
}

/* A replay has no monitor: what it did is in the recording. */
static void open_monitor(struct session *s)
{
    struct monitor_host host = {
        .context = s, .write = monitor_write, .trace = monitor_trace, .screendump = monitor_screendump};

    if (s->replay_path != NULL || s->options.monitor == MONITOR_NONE || s->console.in < 0)
        return;
    s->console.monitor = monitor_new(s->machine, &host, s->console.raw);
    if (s->console.in_monitor)
        monitor_prompt(s->console.monitor);
}

static bool open_session(struct session *s, struct error *err)
{
    if (!open_recorder(s, err) ||
        !checkpoints_open(&s->checkpoints, &s->options.checkpoints, &s->options.machine, err) ||
        !console_open(&s->console, s->options.serial, s->options.serial_path, err) ||
        !console_open_firmware(&s->console, s->options.debugcon, err) ||
        !console_open_files(&s->console, s->options.serial2_path, s->options.parallel_path, err))
        return false;
    if (s->options.monitor == MONITOR_STDIO && s->replay_path == NULL)
        console_open_monitor(&s->console);
    s->checkpoints.recorder = s->recorder;
    if (!open_network(s, err))
        return false;
    console_world(&s->console, &s->options.machine.world);
    if (s->replay_path != NULL)
        s->options.machine.world.input = NULL;
    if (!drives_open(&s->drives, &s->options.drives, &s->options.machine, err))
        return false;
    if (s->options.display != WINDOW_NONE)
        desk_world(&s->desk, &s->options.machine.world);
    s->machine = machine_new(&s->options.machine, err);
    if (s->machine == NULL)
        return false;
    if (!screen_check(&s->options.screen, s->machine, err))
        return false;
    if (!desk_open(&s->desk, s->options.display, s->machine, err))
        return false;
    s->console.machine = s->machine;
    post_mortem_attach(&s->post_mortem, machine_cpu(s->machine));
    if (s->recorder != NULL)
        recorder_attach(s->recorder, machine_cpu(s->machine), machine_input(s->machine));
    if (s->replay_path != NULL && !trace_replay(s->replay_path, machine_input(s->machine), NULL, err))
        return false;
    console_catch_signals();
    machine_power_on(s->machine);
    open_monitor(s);
    return true;
}

static void print_summary(const struct session *s, const struct machine_result *r)
{
    fprintf(stderr,
            "{\"reason\": \"%s\", \"exit_code\": %d, \"retired\": %llu, \"ticks\": %llu, \"state_hash\": \"%016llx\"",
            machine_end_name(r->end), r->exit_code, (unsigned long long)r->retired, (unsigned long long)r->ticks,
            (unsigned long long)r->state_hash);
    if (s->recorder != NULL)
        fprintf(stderr, ", \"digest\": \"%016llx\", \"transitions\": %llu",
                (unsigned long long)recorder_digest(s->recorder),
                (unsigned long long)recorder_transitions(s->recorder));
    fprintf(stderr, "}\n");
}

/* Why the guest shut down. A run without a trace has not opened the kernel for its names before. */
static void print_shutdown(struct session *s, const struct machine_result *r)
{
    struct error err;

    fprintf(stderr, "ringside: the guest shut down (triple fault) after %llu instructions\n\n",
            (unsigned long long)r->retired);
    if (!open_guest(s, &err))
        fprintf(stderr, "ringside: no names: %s\n", err.text);
    post_mortem_print(stderr, &s->post_mortem, machine_cpu(s->machine), s->guest, s->names);
}

/* Say on stderr how the run ended, unless the guest ended it in an orderly way. */
static void print_end(struct session *s, const struct machine_result *r)
{
    switch (r->end) {
    case END_POWER_OFF:
    case END_DEBUG_EXIT:
    case END_QUIT: break;
    case END_SHUTDOWN: print_shutdown(s, r); break;
    default:
        fprintf(stderr, "ringside: %s%s%s after %llu instructions\n", machine_end_name(r->end),
                r->detail[0] ? ": " : "", r->detail, (unsigned long long)r->retired);
        break;
    }
}

static int close_session(struct session *s, int code, u64 *digest)
{
    struct error err;
    bool output_failed = s->console.write_failed;

    desk_close(&s->desk);
    console_close(&s->console);
    if (!checkpoints_close(&s->checkpoints, NULL, &err))
        code = cli_fail(&err);
    if (s->watcher != NULL && !recorder_close(s->watcher, NULL, &err))
        code = cli_fail(&err);
    if (s->recorder != NULL) {
        if (digest != NULL)
            *digest = recorder_digest(s->recorder);
        if (!recorder_close(s->recorder, &s->end, &err))
            code = cli_fail(&err);
    }
    monitor_free(s->console.monitor);
    if (!live_trace_close(&s->live, &s->options, &err))
        code = cli_fail(&err);
    post_mortem_free(&s->post_mortem);
    guest_free(s->guest);
    kernel_free(s->kernel);
    free(s->names);
    if (output_failed) {
        error_set(&err, EXIT_FILE, "the guest's serial output could not be written%s%s",
                  s->options.serial_path ? " to " : "", s->options.serial_path ? s->options.serial_path : "");
        code = cli_fail(&err);
    }
    if (s->machine != NULL)
        machine_free(s->machine);
    if (!drives_close(&s->drives, &err))
        code = cli_fail(&err);
    net_user_free(s->console.network);
    trace_properties_free(&s->run);
    trace_properties_free(&s->end);
    return code;
}

static int run_session(struct session *s, u64 *digest)
{
    struct machine_result result;
    struct error err;
    int code;

    if (!open_session(s, &err)) {
        console_close(&s->console);
        return close_session(s, cli_fail(&err), NULL);
    }
    code = machine_run(s->machine, &result);
    desk_close(&s->desk);
    console_close(&s->console);
    describe_end(s, &result);
    print_end(s, &result);
    if (s->options.summary_json)
        print_summary(s, &result);
    if (!screen_write(&s->options.screen, s->machine, &err))
        code = cli_fail(&err);
    if (!checkpoints_close(&s->checkpoints, &result, &err))
        code = cli_fail(&err);
    return close_session(s, code, digest);
}

static int run_or_record(int argc, char **argv, bool record)
{
    struct session s = {0};
    struct error err;

    if (cli_wants_help(argc, argv)) {
        run_options_help(stdout);
        return EXIT_OK;
    }
    if (!run_options_parse(&s.options, argc, argv, &err))
        return cli_fail(&err);
    if (record != (s.options.record_path != NULL)) {
        error_set(&err, EXIT_USAGE,
                  record ? "record wants -o FILE, the recording to write" : "-o belongs to 'ringside record'");
        return cli_fail(&err);
    }
    if (record) {
        if (argc > RECORDED_WORDS_MAX) {
            error_set(&err, EXIT_USAGE, "a recording keeps its command: at most %d words, not %d", RECORDED_WORDS_MAX,
                      argc);
            return cli_fail(&err);
        }
        describe_run(&s, argc, argv);
    }
    return run_session(&s, NULL);
}

int cmd_run(int argc, char **argv) { return run_or_record(argc, argv, false); }

int cmd_record(int argc, char **argv) { return run_or_record(argc, argv, true); }

/* ---- replay: the recorded command and input again, and the digests compared. */

static bool prepare_replay(struct session *s, const struct run_options *given, const char *path,
                           struct trace_properties *run, struct trace_properties *end, struct error *err)
{
    const char *reason;

    if (!replay_options_from(&s->options, path, run, err))
        return false;
    s->options.checkpoints = given->checkpoints;
    s->options.machine.engine = given->machine.engine;
    s->options.screen = given->screen;
    s->options.display = WINDOW_NONE;
    s->options.digest_only = true;
    s->options.serial2_path = s->options.parallel_path = NULL;
    s->options.serial = s->options.serial == SERIAL_NULL ? SERIAL_NULL : SERIAL_STDIO;
    s->replay_path = path;
    reason = trace_properties_get(end, "end.reason");
    if (reason == NULL)
        return error_set(err, EXIT_FILE,
                         "the recording '%s' has no end: it was cut short and cannot be replayed to compare", path);
    if (strcmp(reason, "quit") == 0 || strcmp(reason, "interrupted") == 0 || strcmp(reason, "timeout") == 0)
        s->options.machine.max_ticks = replay_number(end, "end.ticks", 10);
    return true;
}

static void replay_usage(FILE *out)
{
    fputs("usage: ringside replay [OPTIONS] FILE\n\n"
          "Makes the recorded run again, with its input, and compares the event digests: exit code 0 when they are "
          "equal,\n1 when they differ.\n\n"
          "  --engine step|block       which engine makes it; default block, whatever the recording was made with\n"
          "  --screendump FILE, --screentext FILE\n                            the screen at the end, as 'ringside "
          "run' writes it\n"
          "  --checkpoints FILE[,...]  as 'ringside run' takes it; with ,stop the digests are not compared\n",
          out);
}

/* returns: the exit code */
static int compare_digests(const struct session *s, u64 digest, u64 recorded)
{
    if (s->options.checkpoints.stop) {
        fprintf(stderr, "ringside: digest %016llx at tick %llu; the recording's is of its end\n",
                (unsigned long long)digest, (unsigned long long)s->options.checkpoints.to);
        return EXIT_OK;
    }
    fprintf(stderr, "ringside: digest %016llx, recorded %016llx: %s\n", (unsigned long long)digest,
            (unsigned long long)recorded, digest == recorded ? "equal" : "DIFFERENT");
    return digest == recorded ? EXIT_OK : EXIT_DIFFERENT;
}

int cmd_replay(int argc, char **argv)
{
    struct trace_properties run = {0}, end = {0};
    struct run_options given;
    struct session s = {0};
    const char *path;
    struct error err;
    u64 digest = 0;
    int code;

    if (cli_wants_help(argc, argv)) {
        replay_usage(stdout);
        return EXIT_OK;
    }
    if (!replay_options_parse(&given, &path, argc, argv, &err))
        return cli_fail(&err);
    if (!trace_read_properties(path, &run, &end, &err) || !prepare_replay(&s, &given, path, &run, &end, &err)) {
        trace_properties_free(&run);
        trace_properties_free(&end);
        return cli_fail(&err);
    }
    code = run_session(&s, &digest);
    if (digest != 0)
        code = compare_digests(&s, digest, replay_number(&end, "digest", 16));
    trace_properties_free(&run);
    trace_properties_free(&end);
    return code;
}
