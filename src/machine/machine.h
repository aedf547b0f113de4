/* SPDX-License-Identifier: MIT
 * The machine: one board, its processor, and a run from reset to its end. All state hangs off struct machine; several
 * can live in one process.
 */
#ifndef RINGSIDE_MACHINE_MACHINE_H
#define RINGSIDE_MACHINE_MACHINE_H

#include "base/error.h"
#include "bus/block.h"
#include "bus/clock.h"
#include "bus/input.h"
#include "bus/net.h"
#include "cpu/engine/engine.h"
#include "devices/vga.h"

struct machine;

/* Where bytes come out of the machine. */
enum machine_output {
    OUTPUT_COM1,
    OUTPUT_COM2,
    OUTPUT_LPT1,
    OUTPUT_DEBUG,    /* port E9h */
    OUTPUT_FIRMWARE, /* port 402h: what SeaBIOS says of its work */
    OUTPUT_CHANNEL,  /* and the next: the I/O ports from machine_options.channel_port on, one byte a write */
};
#define MACHINE_CHANNELS 4u

/* The world outside, as the machine reaches it. Any member may be NULL. */
struct machine_world {
    void *context;
    /* Bytes that the guest sent; port: enum machine_output. */
    void (*output)(void *context, unsigned port, const u8 *bytes, size_t size);
    /* Bytes typed for COM1. Waits at most timeout_ns (0 = do not wait) for something to happen.
     * returns: how many bytes were put into the buffer. Sets *closed when nothing will ever come again. */
    size_t (*input)(void *context, u8 *buffer, size_t size, u64 timeout_ns, bool *closed);
    /* Looks after a display: called between slices, and while the machine is idle some fifty times a second. Shows
     * machine_vga(), and offers what was typed by input_push(). While there is one, idle time passes no faster than the
     * host's. */
    void (*attend)(void *context, struct machine *m);
    void *attend_context;
    /* The guest's network card sent a frame. Must not wait. */
    void (*network_send)(void *context, const u8 *frame, size_t size);
    /* Lets the network live. Waits at most timeout_ns (0: does not wait) for something to happen there or at the
     * console, then takes frames for the guest.
     * in: size  of buffer: at least NET_FRAME_PREFIX + NET_FRAME_MAX; 0: take none now
     * returns: bytes of a stream of whole frames (bus/net.h) */
    size_t (*network)(void *context, u8 *buffer, size_t size, u64 timeout_ns);
    /* Asked now and then: true ends the run as interrupted. */
    bool (*interrupted)(void *context);
};

enum machine_clock { CLOCK_VIRTUAL, CLOCK_HOST };
enum on_shutdown { ON_SHUTDOWN_STOP, ON_SHUTDOWN_RESET };

/* Ticks at which the run pauses between two instructions and shows itself: from, from + every, ... up to `to`. The
 * pause changes nothing that the guest can see. */
struct machine_checkpoints {
    u64 every;    /* 0: none */
    u64 from, to; /* `to` 0: to the end */
    void (*show)(void *context, struct machine *m);
    void *context;
};

/* The display adapter. VGA_DEFAULT: there is one when firmware boots, none when a kernel is entered directly. */
enum machine_vga { VGA_DEFAULT, VGA_NONE, VGA_STD };
/* The drives: units 0 and 1 are on the primary IDE channel, 2 and 3 on the secondary; those behind are virtio disks
 * up to MACHINE_DISKS, then the two floppy drives. */
enum machine_drive_kind { DRIVE_NONE, DRIVE_DISK, DRIVE_CD, DRIVE_FLOPPY };
#define MACHINE_IDE_DRIVES 4u
#define MACHINE_DISKS 8u
#define MACHINE_DRIVES 10u
struct machine_drive {
    enum machine_drive_kind kind;
    const struct block *medium; /* NULL: a CD or floppy drive with nothing in it */
    bool write_protected;       /* of a floppy disk: the guest can see that it is */
};

/* What firmware boots from. */
enum boot_device { BOOT_END, BOOT_FLOPPY, BOOT_DISK, BOOT_CD, BOOT_NETWORK };
#define BOOT_DEVICES 3u

struct machine_options {
    u64 ram_bytes;
    struct cpu_model model;
    const char *kernel; /* path, or "tour:32", "tour:64" for the embedded ring tour; NULL = firmware boots */
    const char *bios;   /* path of the firmware when there is no kernel; NULL = SeaBIOS, where its package puts it */
    u8 boot_order[BOOT_DEVICES];                 /* enum boot_device, for firmware */
    bool bios_on_serial;                         /* firmware's console is COM1 */
    struct machine_drive drives[MACHINE_DRIVES]; /* media outlive the machine */
    const char *initrd;                          /* path; for Multiboot "file args,file args"; NULL = none */
    const u8 *initrd_bytes; /* instead of a path: an initial RAM disk in memory, for Linux; NULL = none */
    size_t initrd_size;
    const char *append; /* "" = none */
    bool no_reboot;
    bool no_acpi;
    enum machine_vga vga;
    bool no_hpet;
    bool boot32; /* enter a 64-bit bzImage by its 32-bit entry */
    enum on_shutdown on_shutdown;
    unsigned debug_exit_port; /* isa-debug-exit's I/O base; 0 = none */
    bool com2;                /* a second serial port, 2F8h with IRQ 3 */
    bool parallel;            /* a parallel port, 378h with IRQ 7 */
    struct machine_card {
        bool present;
        u8 address[NET_ADDRESS_BYTES];
    } card;                /* virtio-net, on the network of the world */
    bool rng;              /* virtio-rng */
    unsigned channel_port; /* MACHINE_CHANNELS ports by which a guest speaks to the host; 0 = none */
    bool deaf;             /* world.input is asked only after machine_listen() */
    enum machine_clock clock;
    u64 max_insns;           /* 0 = no limit */
    u64 max_ticks;           /* end as END_QUIT at this tick (a replay of a session that was left); 0 = no limit */
    double timeout;          /* host seconds; 0 = none */
    i64 rtc_start;           /* seconds since the Unix epoch */
    enum engine_kind engine; /* gives the same run either way */
    struct machine_checkpoints checkpoints;
    struct machine_world world;
};

enum machine_end {
    END_NONE,
    END_POWER_OFF,
    END_RESET,
    END_HALTED,
    END_DEBUG_EXIT,
    END_SHUTDOWN,
    END_MAX_INSNS,
    END_TIMEOUT,
    END_INTERRUPTED,
    END_QUIT,
    END_UNIMPLEMENTED,
    MACHINE_ENDS
};

struct machine_result {
    enum machine_end end;
    int exit_code;
    char detail[192]; /* one line for people; empty when the name says all */
    u64 ticks, retired;
    u64 state_hash; /* processor and RAM at the end */
};

const char *machine_end_name(enum machine_end end); /* "power-off" */

/* Defaults: 512 MiB, model max, virtual clock, a fixed RTC start, ACPI on. */
void machine_options_init(struct machine_options *options);

/* The machine will have a display adapter. */
bool machine_has_video(const struct machine_options *options);

/* Build the board and load the image. The options' strings must outlive the machine.
 * returns: NULL with err set. */
struct machine *machine_new(const struct machine_options *options, struct error *err);
void machine_free(struct machine *m);

/* Put the processor into its reset state, through the door: called once, after an observer was attached. */
void machine_power_on(struct machine *m);

/* Run to the end. Called once.
 * effects: everything; result is filled.   returns: result.exit_code (docs/cli.md) */
int machine_run(struct machine *m, struct machine_result *result);

/* Ask a running machine to end (from the world's callbacks): as END_QUIT with exit code 0. */
void machine_quit(struct machine *m);

/* From the world's callbacks: something happens outside that is not typed for COM1: a key, a button. It enters the
 * machine by its input port when the callback has returned, so that a recording has it at the right tick.
 * in: size  0 for a source without payload, at most MACHINE_SEND_BYTES
 * returns: false when too much waits already: nothing is sent */
#define MACHINE_SEND_BYTES 128u
bool machine_send(struct machine *m, enum input_source source, const u8 *bytes, size_t size);

/* From the world's callbacks: ask world.input from now on, until it says that it is closed. While the machine listens,
 * idle time passes no faster than the host's. */
void machine_listen(struct machine *m);

/* The machine's time: ticks and instructions. */
const struct clock *machine_time(const struct machine *m);
struct cpu *machine_cpu(struct machine *m);
struct input_port *machine_input(struct machine *m);
/* The display adapter; NULL: none. A reset makes another. */
const struct vga *machine_vga(const struct machine *m);

/* The devices that a monitor shows. A reset makes others. */
struct machine_devices {
    const struct pic *pic;
    const struct lapic *lapic;   /* NULL: the processor has none */
    const struct ioapic *ioapic; /* NULL likewise */
    const struct ports *ports;
    struct isa_irq {
        bool level;
        u64 rises; /* since the last reset of the board */
    } irq[16];
};
struct machine_devices machine_devices(const struct machine *m);

#endif
