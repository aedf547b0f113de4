/* SPDX-License-Identifier: MIT
 * The options of run, record and replay: QEMU's spellings, and our own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/checkpoints.h"

#define MACHINE_HELP "pc[,acpi=on|off][,hpet=on|off]"

typedef bool handler(struct run_options *o, const char *value, struct error *err);

/* ---- value parsing */

static bool parse_number(const char *name, const char *text, u64 *out, struct error *err)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0' || *text == '-')
        return error_set(err, EXIT_USAGE, "%s wants a number, not '%s'", name, text);
    return true;
}

/* ---- handlers */

static bool opt_kernel(struct run_options *o, const char *value, struct error *err)
{
    (void)err;
    o->machine.kernel = value;
    return true;
}

static bool opt_initrd(struct run_options *o, const char *value, struct error *err)
{
    (void)err;
    o->machine.initrd = value;
    return true;
}

static bool opt_append(struct run_options *o, const char *value, struct error *err)
{
    (void)err;
    o->machine.append = value;
    return true;
}

static bool opt_hda(struct run_options *o, const char *value, struct error *err)
{
    return drives_add_disk(&o->drives, 0, value, err);
}

static bool opt_hdb(struct run_options *o, const char *value, struct error *err)
{
    return drives_add_disk(&o->drives, 1, value, err);
}

static bool opt_hdc(struct run_options *o, const char *value, struct error *err)
{
    return drives_add_disk(&o->drives, 2, value, err);
}

static bool opt_hdd(struct run_options *o, const char *value, struct error *err)
{
    return drives_add_disk(&o->drives, 3, value, err);
}

static bool opt_cdrom(struct run_options *o, const char *value, struct error *err)
{
    return drives_add_cd(&o->drives, value, err);
}

static bool opt_fda(struct run_options *o, const char *value, struct error *err)
{
    return drives_add_floppy(&o->drives, 0, value, err);
}

static bool opt_fdb(struct run_options *o, const char *value, struct error *err)
{
    return drives_add_floppy(&o->drives, 1, value, err);
}

static bool opt_drive(struct run_options *o, const char *value, struct error *err)
{
    return drives_add(&o->drives, value, err);
}

static bool opt_snapshot(struct run_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->drives.snapshot = true;
    return true;
}

static bool opt_boot(struct run_options *o, const char *value, struct error *err)
{
    return drives_parse_boot(o->machine.boot_order, value, err);
}

static bool opt_bios(struct run_options *o, const char *value, struct error *err)
{
    (void)err;
    o->machine.bios = value;
    return true;
}

bool cli_parse_memory(u64 *bytes, const char *value, struct error *err)
{
    const char *text = strncmp(value, "size=", 5) == 0 ? value + 5 : value;
    char *end;
    u64 amount, unit = 1u << 20;

    errno = 0;
    amount = strtoull(text, &end, 10);
    switch (*end) {
    case 'k':
    case 'K':
        unit = 1u << 10;
        end++;
        break;
    case 'm':
    case 'M':
        unit = 1u << 20;
        end++;
        break;
    case 'g':
    case 'G':
        unit = 1u << 30;
        end++;
        break;
    case 't':
    case 'T':
        unit = BIT(40);
        end++;
        break;
    default: break;
    }
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || amount > BIT(40) / unit)
        return error_set(err, EXIT_USAGE, "-m wants a size such as 512, 512M or 2G, not '%s'", value);
    if (amount * unit < 2u << 20 || amount * unit > BIT(36))
        return error_set(err, EXIT_USAGE, "-m %s: the machine takes 2M to 64G", value);
    *bytes = amount * unit & PAGE_MASK;
    return true;
}

static bool opt_memory(struct run_options *o, const char *value, struct error *err)
{
    return cli_parse_memory(&o->machine.ram_bytes, value, err);
}

static bool opt_cpu(struct run_options *o, const char *value, struct error *err)
{
    return cpu_model_parse(&o->machine.model, value, err);
}

static bool opt_smp(struct run_options *o, const char *value, struct error *err)
{
    (void)o;
    if (strcmp(value, "1") != 0 && strcmp(value, "cpus=1") != 0)
        return error_set(err, EXIT_USAGE, "-smp %s: this version has one processor; leave the option out or say -smp 1",
                         value);
    return true;
}

static bool opt_machine(struct run_options *o, const char *value, struct error *err)
{
    const char *rest = value + 2;

    if (strncmp(value, "pc", 2) != 0 || (*rest != '\0' && *rest != ','))
        return error_set(err, EXIT_USAGE, "-machine %s: the only machine is 'pc' (" MACHINE_HELP ")", value);
    while (*rest == ',') {
        size_t length = strcspn(++rest, ",");
        bool *off = strncmp(rest, "acpi=", 5) == 0 ? &o->machine.no_acpi : &o->machine.no_hpet;

        if (strncmp(rest, "acpi=", 5) != 0 && strncmp(rest, "hpet=", 5) != 0)
            return error_set(err, EXIT_USAGE, "-machine %s: only acpi=on|off and hpet=on|off can be set", value);
        if ((length != 7 || strncmp(rest + 5, "on", 2) != 0) && (length != 8 || strncmp(rest + 5, "off", 3) != 0))
            return error_set(err, EXIT_USAGE, "-machine %s: %.4s is on or off", value, rest);
        *off = length == 8;
        rest += length;
    }
    return true;
}

static bool opt_no_acpi(struct run_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->machine.no_acpi = true;
    return true;
}

static bool opt_nographic(struct run_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->serial = SERIAL_STDIO;
    o->machine.bios_on_serial = true;
    return true;
}

static bool opt_serial2(struct run_options *o, const char *value, struct error *err)
{
    o->machine.com2 = true;
    if (strncmp(value, "file:", 5) == 0 && value[5] != '\0')
        o->serial2_path = value + 5;
    else if (strcmp(value, "null") != 0)
        return error_set(err, EXIT_USAGE, "-serial %s, the second time, is COM2's: null or file:PATH", value);
    return true;
}

static bool opt_serial(struct run_options *o, const char *value, struct error *err)
{
    if (++o->serials == 2)
        return opt_serial2(o, value, err);
    if (o->serials > 2)
        return error_set(err, EXIT_USAGE, "-serial %s: there are two serial ports", value);
    if (strcmp(value, "stdio") == 0 || strcmp(value, "mon:stdio") == 0) {
        o->serial = SERIAL_STDIO;
    } else if (strcmp(value, "null") == 0 || strcmp(value, "none") == 0) {
        o->serial = SERIAL_NULL;
    } else if (strncmp(value, "file:", 5) == 0 && value[5] != '\0') {
        o->serial = SERIAL_FILE;
        o->serial_path = value + 5;
    } else {
        return error_set(err, EXIT_USAGE, "-serial %s: stdio, null or file:PATH", value);
    }
    return true;
}

static bool opt_parallel(struct run_options *o, const char *value, struct error *err)
{
    o->machine.parallel = strcmp(value, "none") != 0;
    if (strncmp(value, "file:", 5) == 0 && value[5] != '\0')
        o->parallel_path = value + 5;
    else if (strcmp(value, "null") != 0 && strcmp(value, "none") != 0)
        return error_set(err, EXIT_USAGE, "-parallel %s: none, null or file:PATH", value);
    return true;
}

static bool opt_debugcon(struct run_options *o, const char *value, struct error *err)
{
    if (strcmp(value, "stderr") == 0)
        o->debugcon = "stderr";
    else if (strcmp(value, "null") == 0)
        o->debugcon = NULL;
    else if (strncmp(value, "file:", 5) == 0 && value[5] != '\0')
        o->debugcon = value + 5;
    else
        return error_set(err, EXIT_USAGE, "-debugcon %s: stderr, null or file:PATH", value);
    return true;
}

static bool opt_display(struct run_options *o, const char *value, struct error *err)
{
    static const char *const names[] = {[WINDOW_NONE] = "none", [WINDOW_SDL] = "sdl", [WINDOW_CURSES] = "curses"};

    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(value, names[i]) == 0) {
            o->display = (enum window_kind)i;
            return true;
        }
    return error_set(err, EXIT_USAGE, "-display %s: none, sdl or curses", value);
}

static bool opt_vga(struct run_options *o, const char *value, struct error *err)
{
    if (strcmp(value, "none") != 0 && strcmp(value, "std") != 0)
        return error_set(err, EXIT_USAGE, "-vga %s: none or std", value);
    o->machine.vga = strcmp(value, "none") == 0 ? VGA_NONE : VGA_STD;
    return true;
}

static bool opt_screendump(struct run_options *o, const char *value, struct error *err)
{
    (void)err;
    o->screen.picture_path = value;
    return true;
}

static bool opt_screentext(struct run_options *o, const char *value, struct error *err)
{
    (void)err;
    o->screen.text_path = value;
    return true;
}

static bool opt_monitor(struct run_options *o, const char *value, struct error *err)
{
    if (strcmp(value, "none") != 0 && strcmp(value, "stdio") != 0)
        return error_set(err, EXIT_USAGE, "-monitor %s: stdio or none", value);
    o->monitor = strcmp(value, "none") == 0 ? MONITOR_NONE : MONITOR_STDIO;
    return true;
}

static bool opt_no_reboot(struct run_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->machine.no_reboot = true;
    return true;
}

static bool opt_on_shutdown(struct run_options *o, const char *value, struct error *err)
{
    if (strcmp(value, "stop") != 0 && strcmp(value, "reset") != 0)
        return error_set(err, EXIT_USAGE, "--on-shutdown %s: stop or reset", value);
    o->machine.on_shutdown = strcmp(value, "reset") == 0 ? ON_SHUTDOWN_RESET : ON_SHUTDOWN_STOP;
    return true;
}

static bool opt_device(struct run_options *o, const char *value, struct error *err)
{
    static const char name[] = "isa-debug-exit";
    const char *rest = value + sizeof name - 1;
    u64 port = 0x501;

    if (strncmp(value, name, sizeof name - 1) != 0 || (*rest != '\0' && *rest != ','))
        return device_option(&o->machine, &o->network, value, "isa-debug-exit[,iobase=N]", err);
    while (*rest == ',') {
        char word[32];
        size_t length = strcspn(++rest, ",");

        snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), rest);
        rest += length;
        if (strncmp(word, "iobase=", 7) == 0) {
            if (!parse_number("isa-debug-exit's iobase", word + 7, &port, err))
                return false;
        } else if (strncmp(word, "iosize=", 7) != 0) {
            return error_set(err, EXIT_USAGE, "-device isa-debug-exit has no property '%s' (iobase, iosize)", word);
        }
    }
    if (port == 0 || port > 0xFFFC)
        return error_set(err, EXIT_USAGE, "isa-debug-exit's iobase must be 1 to 0xfffc");
    o->machine.debug_exit_port = (unsigned)port;
    return true;
}

static bool opt_netdev(struct run_options *o, const char *value, struct error *err)
{
    return netdev_option(&o->network, value, err);
}

static bool opt_nic(struct run_options *o, const char *value, struct error *err)
{
    return nic_option(&o->machine, &o->network, value, err);
}

static bool opt_clock(struct run_options *o, const char *value, struct error *err)
{
    if (strcmp(value, "virtual") != 0 && strcmp(value, "host") != 0)
        return error_set(err, EXIT_USAGE, "--clock %s: virtual or host", value);
    o->machine.clock = strcmp(value, "host") == 0 ? CLOCK_HOST : CLOCK_VIRTUAL;
    return true;
}

static bool opt_rtc(struct run_options *o, const char *value, struct error *err)
{
    const char *base = strncmp(value, "base=", 5) == 0 ? value + 5 : value;
    struct tm tm = {0};
    int used = 0;

    if (strcmp(base, "utc") == 0) {
        o->machine.rtc_start = (i64)time(NULL);
        return true;
    }
    if (base[0] == '@') {
        u64 seconds;

        if (!parse_number("-rtc base=@", base + 1, &seconds, err))
            return false;
        o->machine.rtc_start = (i64)seconds;
        return true;
    }
    if (sscanf(base, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &used) != 6 ||
        base[used] != '\0')
        return error_set(err, EXIT_USAGE, "-rtc %s: base=utc, base=YYYY-MM-DDTHH:MM:SS or base=@SECONDS", value);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    o->machine.rtc_start = (i64)timegm(&tm);
    return true;
}

static bool opt_max_insns(struct run_options *o, const char *value, struct error *err)
{
    return parse_number("--max-insns", value, &o->machine.max_insns, err);
}

bool cli_parse_timeout(double *seconds, const char *value, struct error *err)
{
    char *end;

    *seconds = strtod(value, &end);
    if (end == value || *end != '\0' || !(*seconds > 0))
        return error_set(err, EXIT_USAGE, "--timeout wants seconds, not '%s'", value);
    return true;
}

static bool opt_timeout(struct run_options *o, const char *value, struct error *err)
{
    return cli_parse_timeout(&o->machine.timeout, value, err);
}

static bool opt_summary(struct run_options *o, const char *value, struct error *err)
{
    if (strcmp(value, "json") != 0)
        return error_set(err, EXIT_USAGE, "--summary %s: json", value);
    o->summary_json = true;
    return true;
}

static bool opt_trace(struct run_options *o, const char *value, struct error *err)
{
    (void)err;
    o->trace = true;
    if (value != NULL && *value != '\0')
        o->trace_path = value;
    return true;
}

static bool opt_d(struct run_options *o, const char *value, struct error *err)
{
    if (strcmp(value, "int") != 0)
        return error_set(err, EXIT_USAGE, "-d %s: only -d int (the transitions, as --trace shows them)", value);
    o->trace = true;
    return true;
}

static bool opt_filter(struct run_options *o, const char *value, struct error *err)
{
    return trace_filter_add(&o->filter, value, err);
}

static bool opt_pid(struct run_options *o, const char *value, struct error *err)
{
    return trace_filter_pid(&o->filter, value, err);
}

static bool opt_comm(struct run_options *o, const char *value, struct error *err)
{
    return trace_filter_comm(&o->filter, value, err);
}

static bool opt_calls(struct run_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->trace_calls = true;
    return true;
}

static bool opt_vmlinux(struct run_options *o, const char *value, struct error *err)
{
    (void)err;
    o->vmlinux = value;
    return true;
}

static bool opt_no_names(struct run_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->no_names = true;
    return true;
}

static bool opt_verbose(struct run_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->trace_verbose = true;
    return true;
}

static bool opt_side(struct run_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->trace_side = true;
    return true;
}

static bool opt_output(struct run_options *o, const char *value, struct error *err)
{
    (void)err;
    o->record_path = value;
    return true;
}

static bool opt_boot32(struct run_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->machine.boot32 = true;
    return true;
}

static bool opt_digest(struct run_options *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    o->digest_only = true;
    return true;
}

static bool opt_engine(struct run_options *o, const char *value, struct error *err)
{
    return cli_parse_engine(&o->machine.engine, value, err);
}

static bool opt_checkpoints(struct run_options *o, const char *value, struct error *err)
{
    return checkpoints_parse(&o->checkpoints, value, err);
}

static bool opt_color(struct run_options *o, const char *value, struct error *err)
{
    return cli_parse_color(&o->color, value == NULL ? "always" : value, err);
}

/* ---- the table */

enum argument { NONE, WORD, EQUALS /* only as --name=value, optional */ };

static const struct option {
    const char *name; /* without dashes */
    enum argument argument;
    handler *handle;
    const char *value, *help;
} options[] = {
    {"kernel", WORD, opt_kernel, "FILE", "bzImage, Multiboot 1 image or ELF vmlinux"},
    {"initrd", WORD, opt_initrd, "FILE", "initial RAM disk; for Multiboot \"FILE ARGS,FILE ARGS\""},
    {"append", WORD, opt_append, "TEXT", "kernel command line"},
    {"hda", WORD, opt_hda, "IMAGE", "disk of the first IDE channel; read-only, as all that do not say readonly=off"},
    {"hdb", WORD, opt_hdb, "IMAGE", "its second disk; -hdc and -hdd: those of the second channel"},
    {"hdc", WORD, opt_hdc, NULL, NULL},
    {"hdd", WORD, opt_hdd, NULL, NULL},
    {"fda", WORD, opt_fda, "IMAGE", "floppy disk of 160K to 2.88M, write-protected; -fdb the second drive's"},
    {"fdb", WORD, opt_fdb, NULL, NULL},
    {"cdrom", WORD, opt_cdrom, "IMAGE", "CD-ROM, first drive of the second channel"},
    {"drive", WORD, opt_drive, "file=F,...",
     "a drive: "
     "file=F[,if=ide|virtio][,index=0..3][,media=disk|cdrom][,format=raw][,readonly=on|off][,snapshot=on|off]"},
    {"snapshot", NONE, opt_snapshot, NULL, "keep what the guest writes in memory, for the run"},
    {"boot", WORD, opt_boot, "ORDER", "what firmware boots from: letters of a, c (hard disk), d (CD), n"},
    {"bios", WORD, opt_bios, "FILE", "the firmware (default: SeaBIOS of Debian's package seabios)"},
    {"m", WORD, opt_memory, "SIZE", "guest memory: 512, 512M, 2G (default 512M)"},
    {"cpu", WORD, opt_cpu, "MODEL", "MODEL[,+feature][,-feature][,vendor=intel|amd]; 'ringside cpus' lists them"},
    {"smp", WORD, opt_smp, "1", "number of processors (one)"},
    {"machine", WORD, opt_machine, "pc", MACHINE_HELP},
    {"M", WORD, opt_machine, NULL, NULL},
    {"no-acpi", NONE, opt_no_acpi, NULL, "no ACPI tables"},
    {"nographic", NONE, opt_nographic, NULL,
     "serial console on the terminal; Ctrl-A x ends the run, Ctrl-A c is the monitor"},
    {"serial", WORD, opt_serial, "DEST",
     "COM1: stdio, null or file:PATH (default null); a second one is COM2's: null or file:PATH"},
    {"parallel", WORD, opt_parallel, "DEST", "a parallel port: null or file:PATH (default none)"},
    {"debugcon", WORD, opt_debugcon, "DEST",
     "what SeaBIOS says by port 402h: stderr, null or file:PATH (default null)"},
    {"display", WORD, opt_display, "WHERE", "the screen: none (default), sdl (a window) or curses (this terminal)"},
    {"vga", WORD, opt_vga, "ADAPTER", "std or none (default: none for a kernel, std for firmware)"},
    {"screendump", WORD, opt_screendump, "FILE", "at the end, the screen as a PNG file"},
    {"screentext", WORD, opt_screentext, "FILE", "at the end, the screen as text; - for standard output"},
    {"monitor", WORD, opt_monitor, "WHERE", "stdio, none, or by default behind Ctrl-A c on a terminal with COM1"},
    {"no-reboot", NONE, opt_no_reboot, NULL, "a reset ends the run with exit code 0"},
    {"on-shutdown", WORD, opt_on_shutdown, "WHAT", "triple fault: stop (exit code 4) or reset"},
    {"device", WORD, opt_device, "DEV",
     "isa-debug-exit[,iobase=N], virtio-net-pci,netdev=ID[,mac=ADDRESS], virtio-rng-pci"},
    {"netdev", WORD, opt_netdev, "NET", "user,id=ID[,hostfwd=tcp|udp:[ADDR]:PORT-[ADDR]:PORT][,restrict=on|off]"},
    {"nic", WORD, opt_nic, "NIC", "user[,model=virtio-net-pci][,mac=ADDRESS][,hostfwd=...]: a network and its card"},
    {"engine", WORD, opt_engine, "WHICH", "block (default) or step, one instruction at a time; the run is the same"},
    {"clock", WORD, opt_clock, "WHICH", "virtual (default, repeatable) or host (never faster than real time)"},
    {"rtc", WORD, opt_rtc, "base=T",
     "start of the clock: utc, YYYY-MM-DDTHH:MM:SS, @SECONDS (default 2025-01-01T00:00:00)"},
    {"boot32", NONE, opt_boot32, NULL, "enter a 64-bit bzImage by its 32-bit entry point"},
    {"max-insns", WORD, opt_max_insns, "N", "end after N instructions (exit code 5)"},
    {"timeout", WORD, opt_timeout, "S", "end after S seconds of host time (exit code 124)"},
    {"summary", WORD, opt_summary, "json", "at the end, one JSON line on stderr"},
    {"trace", EQUALS, opt_trace, "FILE", "print every transition as it happens, to stderr or FILE"},
    {"D", WORD, opt_trace, "FILE", "where --trace and -d int print"},
    {"d", WORD, opt_d, "int", "the same as --trace"},
    {"v", NONE, opt_verbose, NULL, "--trace: explain each transition in several lines"},
    {"side", NONE, opt_side, NULL, "--trace: SWAPGS, control register and MSR writes too"},
    {"filter", WORD, opt_filter, "EXPR", "--trace: only events that match, e.g. mech=syscall,irq or vec=14"},
    {"e", WORD, opt_filter, NULL, NULL},
    {"p", WORD, opt_pid, "PID", "--trace: only this process or thread"},
    {"comm", WORD, opt_comm, "NAME", "--trace: only tasks of this name, with * and ?"},
    {"calls", NONE, opt_calls, NULL, "--trace: an entry and its return on one line, system calls decoded"},
    {"vmlinux", WORD, opt_vmlinux, "FILE", "an unstripped ELF of the kernel, for what its image does not say"},
    {"no-names", NONE, opt_no_names, NULL, "do not look for symbols and tasks of a Linux kernel"},
    {"digest", NONE, opt_digest, NULL, "keep the event digest for --summary although nothing is recorded"},
    {"checkpoints", WORD, opt_checkpoints, "FILE",
     "FILE[,every=N][,from=T][,to=T][,ram][,registers][,stop]: digest and state hash every N ticks"},
    {"o", WORD, opt_output, "FILE", "record: the recording"},
    {"color", EQUALS, opt_color, "WHEN", "auto, always or never"},
};

/* QEMU options that people will try: say what is there instead. */
static const struct {
    const char *name, *instead;
} unsupported[] = {
    {"gdb", "the debugger interface comes with a later version; --trace shows the transitions"},
    {"s", "the debugger interface comes with a later version; --trace shows the transitions"},
    {"S", "the debugger interface comes with a later version; --trace shows the transitions"},
    {"net", "say -nic user, or -netdev user,id=N -device virtio-net-pci,netdev=N"},
    {"enable-kvm", "Ringside interprets every instruction; leave the option out"},
    {"accel", "Ringside interprets every instruction; leave the option out"},
};

void run_options_help(FILE *out)
{
    fprintf(out, "usage: ringside run|record [OPTIONS] [IMAGE]\n\n"
                 "IMAGE is a disk or CD image (as -hda or -cdrom), a kernel (as -kernel), or tour:32 / tour:64, the "
                 "embedded\nring tour. Without a kernel SeaBIOS boots.\n\n");
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct option *p = &options[i];
        bool is_short = strlen(p->name) == 1;
        char left[48];

        if (p->help == NULL)
            continue;
        snprintf(left, sizeof left, "%s%s%s%s",
                 is_short                ? "-"
                 : p->argument == EQUALS ? "--"
                                         : "-",
                 p->name,
                 p->value == NULL        ? ""
                 : p->argument == EQUALS ? "[="
                                         : " ",
                 p->value == NULL ? "" : p->value);
        fprintf(out, "  %s%s%*s%s\n", left, p->value != NULL && p->argument == EQUALS ? "]" : "",
                (int)(24 - strlen(left)), "", p->help);
    }
}

static bool unknown_option(const char *name, const char *given, struct error *err)
{
    const char *names[ARRAY_LEN(options) + 1] = {NULL};
    const char *near;

    for (size_t i = 0; i < ARRAY_LEN(unsupported); i++)
        if (strcmp(name, unsupported[i].name) == 0)
            return error_set(err, EXIT_USAGE, "option '%s' is not supported: %s", given, unsupported[i].instead);
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        names[i] = options[i].name;
    near = cli_nearest(name, names);
    return error_set(err, EXIT_USAGE, "unknown option '%s'%s%s%s; 'ringside run --help' lists them", given,
                     near ? ", did you mean '-" : "", near ? near : "", near ? "'?" : "");
}

static bool parse_option(struct run_options *o, int argc, char **argv, int *i, struct error *err)
{
    const char *given = argv[*i];
    const char *name = given + (given[1] == '-' ? 2 : 1);
    size_t length = strcspn(name, "=");
    bool has_value = name[length] == '=';

    for (size_t k = 0; k < ARRAY_LEN(options); k++) {
        const struct option *p = &options[k];
        const char *value = has_value ? name + length + 1 : NULL;

        if (strlen(p->name) != length || strncmp(p->name, name, length) != 0)
            continue;
        if (p->argument == NONE && has_value)
            return error_set(err, EXIT_USAGE, "option '-%s' takes no value", p->name);
        if (p->argument == WORD && !has_value) {
            if (*i + 1 >= argc)
                return error_set(err, EXIT_USAGE, "option '-%s' wants a value (%s)", p->name,
                                 p->value ? p->value : "TEXT");
            value = argv[++*i];
        }
        return p->handle(o, value, err);
    }
    return unknown_option(name, given, err);
}

/* What the image given by itself is: a disk, a floppy disk, a CD, or a kernel; and that there is something to start. */
static bool choose_start(struct run_options *o, struct error *err)
{
    bool has_drive = false;

    if (o->image != NULL) {
        enum machine_drive_kind kind = drives_recognise(o->image);

        if (kind == DRIVE_NONE)
            o->machine.kernel = o->image;
        else if (!(kind == DRIVE_CD       ? drives_add_cd(&o->drives, o->image, err)
                   : kind == DRIVE_FLOPPY ? drives_add_floppy(&o->drives, 0, o->image, err)
                                          : drives_add_disk(&o->drives, 0, o->image, err)))
            return false;
    }
    for (unsigned i = 0; i < MACHINE_DRIVES; i++)
        has_drive |= o->drives.unit[i].kind != DRIVE_NONE;
    if (o->machine.kernel == NULL && o->machine.bios == NULL && !has_drive)
        return error_set(err, EXIT_USAGE, "nothing to run: give a disk image, a kernel with -kernel FILE, or tour:64");
    if (o->machine.kernel == NULL && (o->machine.initrd != NULL || *o->machine.append != '\0'))
        return error_set(err, EXIT_USAGE, "-initrd and -append belong to a kernel: give it with -kernel FILE");
    if (o->machine.boot_order[0] == BOOT_END)
        drives_default_boot(o->machine.boot_order, &o->drives);
    return true;
}

bool run_options_parse(struct run_options *o, int argc, char **argv, struct error *err)
{
    *o = (struct run_options){.serial = SERIAL_NULL};
    machine_options_init(&o->machine);
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!parse_option(o, argc, argv, &i, err))
                return false;
        } else if (o->machine.kernel == NULL && o->image == NULL) {
            o->image = argv[i];
        } else {
            return error_set(err, EXIT_USAGE, "'%s' is one word too many: the image is already '%s'", argv[i],
                             o->image != NULL ? o->image : o->machine.kernel);
        }
    }
    if (o->display == WINDOW_CURSES && (o->serial == SERIAL_STDIO || o->serial == SERIAL_TERMINAL))
        return error_set(err, EXIT_USAGE, "-display curses and a serial port on the terminal exclude each other");
    if (o->display != WINDOW_NONE && o->machine.vga == VGA_DEFAULT)
        o->machine.vga = VGA_STD;
    if (o->display == WINDOW_CURSES && o->monitor == MONITOR_STDIO)
        return error_set(err, EXIT_USAGE, "-display curses and -monitor stdio exclude each other");
    if (o->monitor == MONITOR_STDIO && o->serial == SERIAL_STDIO)
        return error_set(err, EXIT_USAGE,
                         "COM1 and the monitor cannot both be on standard input and output: leave out -monitor stdio, "
                         "and Ctrl-A c changes between them");
    return choose_start(o, err) && network_options_check(&o->machine, &o->network, err);
}

static bool replay_takes(const char *name, size_t length)
{
    static const char *const names[] = {"checkpoints", "engine", "screendump", "screentext"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i]) == length && strncmp(name, names[i], length) == 0)
            return true;
    return false;
}

bool replay_options_parse(struct run_options *o, const char **path, int argc, char **argv, struct error *err)
{
    *o = (struct run_options){.serial = SERIAL_NULL};
    *path = NULL;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i] + (argv[i][0] == '-') + (argv[i][0] == '-' && argv[i][1] == '-');
        size_t length = strcspn(name, "=");

        if (argv[i][0] != '-') {
            if (*path != NULL)
                return error_set(err, EXIT_USAGE, "'%s' is one word too many: the recording is already '%s'", argv[i],
                                 *path);
            *path = argv[i];
        } else if (!replay_takes(name, length)) {
            return error_set(err, EXIT_USAGE,
                             "replay does not take '%s': the recording says how the run was made; 'ringside replay "
                             "--help' lists what can be added",
                             argv[i]);
        } else if (!parse_option(o, argc, argv, &i, err)) {
            return false;
        }
    }
    return *path != NULL || error_set(err, EXIT_USAGE, "give the recording to replay");
}
