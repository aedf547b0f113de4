/* SPDX-License-Identifier: MIT
 * The board: memory, ports, devices and the wires between them; and the image it starts with.
 */
#include "machine/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/acpi_pm.h"
#include "devices/cf9.h"
#include "devices/debug_port.h"
#include "devices/fdc.h"
#include "devices/fpu_error.h"
#include "devices/fw_cfg.h"
#include "devices/hpet.h"
#include "devices/i8042.h"
#include "devices/i8237.h"
#include "devices/ioapic.h"
#include "devices/lapic.h"
#include "devices/parallel.h"
#include "devices/pci_host.h"
#include "devices/pci_intx.h"
#include "devices/pic.h"
#include "devices/piix.h"
#include "devices/piix_ide.h"
#include "devices/pit.h"
#include "devices/port92.h"
#include "devices/rtc.h"
#include "devices/uart.h"
#include "firmware.h"
#include "machine/acpi.h"
#include "machine/cards.h"
#include "machine/direct_boot.h"
#include "machine/firmware_boot.h"
#include "machine/video.h"

#define ROM_BYTES 0x10000u
#define ROM_LOW 0xF0000u
#define ROM_HIGH 0xFFFF0000u
#define EBDA_START 0x9FC00u
#define ISA_IRQS 16
#define DIRECT_BUS_MASTER_PORT 0xC000u

struct board {
    const struct machine_options *options;
    struct board_callbacks callbacks;
    struct clock *clock;
    struct input_port *input;
    struct physmem *physmem;
    struct ports *ports;
    struct irq_line irq[ISA_IRQS]; /* from the devices; each goes to the 8259s and to the I/O APIC */
    struct pic *pic;
    struct pit *pit;
    struct rtc *rtc;
    struct hpet *hpet;        /* NULL: left out */
    struct uart *com1, *com2; /* com2 NULL: not asked for */
    struct i8042 *i8042;
    struct port92 *port92;
    struct cf9 *cf9;
    struct fpu_error *fpu_error;
    struct apic_bus *apic_bus; /* NULL: the processor has no local APIC */
    struct lapic *lapic;
    struct ioapic *ioapic;
    struct acpi_pm *acpi_pm;
    struct debug_console *debug_console[2]; /* E9h (Bochs) and 402h (SeaBIOS) */
    struct debug_exit *debug_exit;          /* NULL: not asked for */
    struct debug_console *channel[MACHINE_CHANNELS];
    struct channel_wire {
        struct board *board;
        unsigned port;
    } channel_wire[MACHINE_CHANNELS];
    u64 irq_rises[ISA_IRQS];    /* for people */
    bool a20_port92, a20_i8042; /* either opens the gate */
    struct i8237 *dma;
    struct parallel *parallel; /* NULL: not asked for */
    struct fdc *fdc;           /* NULL: no floppy drive was asked for */
    struct pci_host *pci_host;
    struct video *video;       /* NULL: no display adapter */
    struct piix *piix;         /* NULL: a directly booted machine without drives and cards has no such bridge */
    struct piix_ide *piix_ide; /* NULL: no drives, and no firmware */
    struct fw_cfg *fw_cfg;     /* NULL: a directly booted machine */
    struct pci_intx *intx;
    struct cards *cards;
    struct cpu *cpu;
};

/* ---- wires */

static void attention(struct board *b)
{
    if (b->cpu != NULL)
        cpu_attention(b->cpu);
}

/* IRQ 0 arrives at pin 2 of the I/O APIC, as the MADT says. */
static void isa_irq_changed(void *context, unsigned number, bool level)
{
    struct board *b = context;

    level |= pci_intx_level(b->intx, number); /* the wires are joined */
    b->irq_rises[number] += level && !pic_input(b->pic, number)->level;
    irq_set(pic_input(b->pic, number), level);
    if (b->ioapic != NULL)
        irq_set(ioapic_input(b->ioapic, number == 0 ? 2 : number), level);
}

static void pci_irq_changed(void *context, unsigned number)
{
    struct board *b = context;

    isa_irq_changed(b, number, b->irq[number].level);
}

static void intr_changed(void *context, unsigned number, bool level)
{
    struct board *b = context;

    (void)number;
    if (b->lapic != NULL)
        lapic_set_lint(b->lapic, 0, level);
    attention(b);
}

static void lapic_changed(void *context) { attention(context); }

static void nmi(void *context)
{
    struct board *b = context;

    b->cpu->arch.nmi_pending = 1;
    attention(b);
}

static void init(void *context)
{
    struct board *b = context;

    b->cpu->arch.init_pending = 1;
    attention(b);
}

/* The TSC-deadline timer compares with the guest's TSC. */
static u64 guest_tsc(void *context, u64 ticks)
{
    const struct board *b = context;

    return ticks + b->cpu->arch.msr.tsc_offset;
}

static void smi(void *context)
{
    struct board *b = context;

    b->cpu->host.stop = STOP_UNIMPLEMENTED;
    snprintf(b->cpu->host.stop_text, sizeof b->cpu->host.stop_text,
             "a system-management interrupt was sent: SMM is not implemented");
    attention(b);
}

static void a20_from_port92(void *context, bool enabled)
{
    struct board *b = context;

    b->a20_port92 = enabled;
    physmem_set_a20(b->physmem, b->a20_port92 || b->a20_i8042);
}

static void a20_from_i8042(void *context, bool enabled)
{
    struct board *b = context;

    b->a20_i8042 = enabled;
    physmem_set_a20(b->physmem, b->a20_port92 || b->a20_i8042);
}

static void reset_line(void *context)
{
    struct board *b = context;

    b->callbacks.reset(b->callbacks.context);
}

static void reset_control(void *context, bool hard)
{
    (void)hard; /* both kinds reset the whole board here */
    reset_line(context);
}

/* The buttons of the case: input sinks. */
static size_t reset_button(void *context, const u8 *bytes, size_t size)
{
    (void)bytes;
    reset_line(context);
    return size;
}

static size_t nmi_button(void *context, const u8 *bytes, size_t size)
{
    (void)bytes;
    nmi(context);
    return size;
}

/* The only sleep state is S5: SLP_TYP 5, as the DSDT says. Others have no effect. */
static void sleep_request(void *context, unsigned type)
{
    struct board *b = context;

    if (type == ACPI_SLEEP_TYPE_S5)
        b->callbacks.power_off(b->callbacks.context);
}

static void debug_exit(void *context, u32 code)
{
    struct board *b = context;

    b->callbacks.debug_exit(b->callbacks.context, code);
}

static void serial_out(void *context, const u8 *bytes, size_t size)
{
    struct board *b = context;

    b->callbacks.output(b->callbacks.context, OUTPUT_COM1, bytes, size);
}

static void serial2_out(void *context, const u8 *bytes, size_t size)
{
    struct board *b = context;

    b->callbacks.output(b->callbacks.context, OUTPUT_COM2, bytes, size);
}

static void parallel_port_out(void *context, const u8 *bytes, size_t size)
{
    struct board *b = context;

    b->callbacks.output(b->callbacks.context, OUTPUT_LPT1, bytes, size);
}

static void channel_out(void *context, const u8 *bytes, size_t size)
{
    const struct channel_wire *wire = context;

    wire->board->callbacks.output(wire->board->callbacks.context, wire->port, bytes, size);
}

static void debugcon_out(void *context, const u8 *bytes, size_t size)
{
    struct board *b = context;

    b->callbacks.output(b->callbacks.context, OUTPUT_DEBUG, bytes, size);
}

static void firmware_out(void *context, const u8 *bytes, size_t size)
{
    struct board *b = context;

    b->callbacks.output(b->callbacks.context, OUTPUT_FIRMWARE, bytes, size);
}

/* ---- what the processor asks its interrupt controllers */

static bool pic_may_pass(const struct board *b)
{
    return pic_output(b->pic)->level && (b->lapic == NULL || lapic_accepts_extint(b->lapic));
}

static bool interrupt_pending(void *context)
{
    const struct board *b = context;

    return (b->lapic != NULL && lapic_interrupt_pending(b->lapic)) || pic_may_pass(b);
}

static int interrupt_acknowledge(void *context)
{
    const struct board *b = context;

    if (b->lapic != NULL && lapic_interrupt_pending(b->lapic))
        return lapic_acknowledge(b->lapic);
    return pic_acknowledge(b->pic);
}

static u8 task_priority_read(void *context)
{
    const struct board *b = context;

    return b->lapic == NULL ? 0 : lapic_task_priority(b->lapic);
}

static void task_priority_write(void *context, u8 value)
{
    const struct board *b = context;

    if (b->lapic != NULL)
        lapic_set_task_priority(b->lapic, value);
}

static bool apic_base_write(void *context, u64 value)
{
    const struct board *b = context;

    return b->lapic != NULL && lapic_set_base(b->lapic, value);
}

static bool apic_msr_read(void *context, u32 number, u64 *value)
{
    const struct board *b = context;

    return b->lapic != NULL && lapic_msr_read(b->lapic, number, value);
}

static bool apic_msr_write(void *context, u32 number, u64 value)
{
    const struct board *b = context;

    return b->lapic != NULL && lapic_msr_write(b->lapic, number, value);
}

static void tsc_moved(void *context)
{
    const struct board *b = context;

    if (b->lapic != NULL)
        lapic_tsc_moved(b->lapic);
}

static u32 apic_id(void *context)
{
    const struct board *b = context;

    return b->lapic == NULL ? 0 : lapic_id(b->lapic);
}

static bool ferr(void *context, bool asserted)
{
    const struct board *b = context;

    return fpu_error_set(b->fpu_error, asserted);
}

/* ---- memory map and image */

static void describe_memory(struct boot_request *request, u64 low, u64 high)
{
    struct e820_entry *e = request->e820;

    *e++ = (struct e820_entry){0, EBDA_START, E820_RAM};
    *e++ = (struct e820_entry){EBDA_START, 0xA0000 - EBDA_START, E820_RESERVED};
    *e++ = (struct e820_entry){ROM_LOW, ROM_BYTES, E820_RESERVED};
    *e++ = (struct e820_entry){0x100000, low - ACPI_AREA_BYTES - 0x100000, E820_RAM};
    *e++ = (struct e820_entry){low - ACPI_AREA_BYTES, ACPI_AREA_BYTES, E820_ACPI};
    *e++ = (struct e820_entry){0xFEC00000, 0x1000, E820_RESERVED};
    *e++ = (struct e820_entry){HPET_BASE, 0x1000, E820_RESERVED};
    *e++ = (struct e820_entry){0xFEE00000, 0x1000, E820_RESERVED};
    *e++ = (struct e820_entry){ROM_HIGH, ROM_BYTES, E820_RESERVED};
    if (high != 0)
        *e++ = (struct e820_entry){BIT(32), high, E820_RAM};
    request->e820_count = (unsigned)(e - request->e820);
}

/* The part of the BIOS data area that kernels read without calling the BIOS: COM1, the EBDA and the base memory size.
 * IBM PS/2 and PC BIOS Interface Technical Reference, "BIOS Data Area". */
static void write_bios_data_area(struct physmem *pm)
{
    static const struct {
        u16 at, value;
    } words[] = {
        {0x400, 0x3F8},             /* COM1 */
        {0x40E, EBDA_START >> 4},   /* segment of the extended BIOS data area */
        {0x410, 0x0200},            /* equipment: one serial port */
        {0x413, EBDA_START / 1024}, /* KiB of base memory */
    };
    u8 ebda_kib = 1;

    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        physmem_write(pm, words[i].at, &words[i].value, sizeof words[i].value, INITIATOR_LOADER);
    physmem_write(pm, EBDA_START, &ebda_kib, sizeof ebda_kib, INITIATOR_LOADER);
}

static bool read_kernel(struct guest_file *file, const char *name, u64 limit, struct error *err)
{
    if (strcmp(name, "tour:32") == 0)
        *file = guest_file_borrow(name, firmware_tour32, (size_t)(firmware_tour32_end - firmware_tour32));
    else if (strcmp(name, "tour:64") == 0)
        *file = guest_file_borrow(name, firmware_tour64, (size_t)(firmware_tour64_end - firmware_tour64));
    else
        return guest_file_read(file, "kernel", name, limit, err);
    return true;
}

static bool load_firmware(struct board *b, struct error *err)
{
    const struct machine_options *o = b->options;
    u64 low = physmem_low_ram_bytes(b->physmem), total = physmem_ram_bytes(b->physmem);

    if (!firmware_boot_map(b->physmem, o->bios, err))
        return false;
    firmware_boot_describe(
        b->fw_cfg,
        &(struct firmware_facts){.low = low, .high = total - low, .cpus = 1, .serial_only = o->bios_on_serial});
    if (!o->no_acpi)
        acpi_offer(b->fw_cfg,
                   &(struct acpi_config){.processors = 1, .has_apic = b->lapic != NULL, .has_hpet = b->hpet != NULL});
    rtc_set_boot_order(b->rtc, o->boot_order);
    return true;
}

static bool load_image(struct board *b, struct error *err)
{
    const struct machine_options *o = b->options;
    u64 low = physmem_low_ram_bytes(b->physmem), total = physmem_ram_bytes(b->physmem);
    struct boot_request request = {.initrd = o->initrd,
                                   .initrd_bytes = o->initrd_bytes,
                                   .initrd_size = o->initrd_size,
                                   .append = o->append,
                                   .physmem = b->physmem,
                                   .usable_low = low - ACPI_AREA_BYTES,
                                   .text_screen = b->video != NULL};
    struct boot_entry entry;
    u8 rom[ROM_BYTES], rsdp[ACPI_RSDP_BYTES];
    bool ok;

    if (o->kernel == NULL)
        return load_firmware(b, err);
    if (!read_kernel(&request.kernel, o->kernel, total, err))
        return false;
    describe_memory(&request, low, total - low);
    write_bios_data_area(b->physmem);
    request.entry64 = o->model.feature[FEAT_LM] && !o->boot32;
    if (!o->no_acpi)
        request.acpi_rsdp = acpi_build(b->physmem, &(struct acpi_config){.area = low - ACPI_AREA_BYTES,
                                                                         .processors = 1,
                                                                         .has_apic = b->lapic != NULL,
                                                                         .has_hpet = b->hpet != NULL});
    ok = direct_boot_load(&request, &entry, err);
    if (strncmp(o->kernel, "tour:", 5) != 0)
        guest_file_free(&request.kernel);
    if (!ok)
        return false;
    if (request.acpi_rsdp != 0)
        physmem_read(b->physmem, request.acpi_rsdp, rsdp, sizeof rsdp, INITIATOR_LOADER);
    direct_boot_rom(rom, &entry, request.acpi_rsdp != 0 ? rsdp : NULL);
    physmem_map_rom(b->physmem, ROM_LOW, ROM_BYTES, rom, "boot rom");
    physmem_map_rom(b->physmem, ROM_HIGH, ROM_BYTES, rom, "boot rom");
    return true;
}

/* ---- life */

static void make_interrupt_controllers(struct board *b)
{
    b->pic = pic_new(b->ports);
    pic_output(b->pic)->changed = intr_changed;
    pic_output(b->pic)->context = b;
    if (b->options->model.feature[FEAT_APIC]) {
        b->apic_bus = apic_bus_new(b->physmem, b->clock);
        b->lapic = lapic_new(b->apic_bus, 0,
                             &(struct lapic_hooks){.context = b,
                                                   .changed = lapic_changed,
                                                   .nmi = nmi,
                                                   .init = init,
                                                   .smi = smi,
                                                   .tsc = guest_tsc,
                                                   .tsc_deadline = b->options->model.feature[FEAT_TSC_DEADLINE]});
        b->ioapic = ioapic_new(b->physmem, b->apic_bus, 1);
    }
    for (unsigned i = 0; i < ISA_IRQS; i++)
        b->irq[i] = (struct irq_line){.changed = isa_irq_changed, .context = b, .number = i};
    b->intx = pci_intx_new(pci_irq_changed, b);
}

static bool has_drives(const struct machine_options *o)
{
    for (unsigned i = 0; i < MACHINE_IDE_DRIVES; i++)
        if (o->drives[i].kind != DRIVE_NONE)
            return true;
    return false;
}

static struct ata_drive *make_drive(const struct machine_drive *d, unsigned unit)
{
    char serial[21];

    snprintf(serial, sizeof serial, "RINGSIDE%04u", unit);
    return d->kind == DRIVE_DISK ? ata_disk_new(d->medium, serial) : ata_cd_new(d->medium, serial);
}

/* The south bridge's functions. Firmware finds them by PCI and places their ports; a kernel that is booted directly
 * finds the disks' bus master placed, and the power management where the ACPI tables say. */
static void make_south_bridge(struct board *b)
{
    const struct machine_options *o = b->options;
    bool by_firmware = o->kernel == NULL;

    if (by_firmware) {
        b->fw_cfg = fw_cfg_new(b->ports, b->physmem);
        pci_host_set_subsystem(b->pci_host, 0x1AF4, 0x1100);
    }
    if (!by_firmware && !has_drives(o) && !cards_wanted(o))
        return;
    b->piix = piix_new(b->pci_host, b->ports, by_firmware ? b->acpi_pm : NULL, b->intx);
    if (!by_firmware && !has_drives(o))
        return;
    b->piix_ide = piix_ide_new(b->pci_host, b->ports, b->clock, b->physmem, &b->irq[14], &b->irq[15],
                               by_firmware ? 0 : DIRECT_BUS_MASTER_PORT);
    for (unsigned unit = 0; unit < MACHINE_IDE_DRIVES; unit++)
        if (o->drives[unit].kind != DRIVE_NONE)
            piix_ide_attach(b->piix_ide, unit, make_drive(&o->drives[unit], unit));
}

static void make_floppies(struct board *b)
{
    const struct machine_drive *drives = &b->options->drives[MACHINE_DISKS];

    if (drives[0].kind == DRIVE_NONE && drives[1].kind == DRIVE_NONE)
        return;
    b->fdc = fdc_new(b->ports, b->clock, b->dma, &b->irq[6]);
    for (unsigned i = 0; i < FDC_DRIVES; i++)
        if (drives[i].kind != DRIVE_NONE)
            fdc_add_drive(b->fdc, i, drives[i].medium, drives[i].write_protected);
    rtc_set_floppies(b->rtc, fdc_type(b->fdc, 0), fdc_type(b->fdc, 1));
}

static void make_optional_devices(struct board *b)
{
    unsigned first = b->options->channel_port;

    if (b->options->com2)
        b->com2 = uart_new(b->ports, b->clock, 0x2F8, &b->irq[3], serial2_out, b, "com2");
    if (b->com2 != NULL)
        input_attach(b->input, INPUT_SERIAL1, uart_receive, b->com2);
    if (b->options->parallel)
        b->parallel = parallel_new(b->ports, 0x378, &b->irq[7], parallel_port_out, b, "lpt1");
    if (b->options->debug_exit_port != 0)
        b->debug_exit = debug_exit_new(b->ports, (u16)b->options->debug_exit_port, debug_exit, b);
    for (unsigned i = 0; first != 0 && i < MACHINE_CHANNELS; i++) {
        b->channel_wire[i] = (struct channel_wire){.board = b, .port = OUTPUT_CHANNEL + i};
        b->channel[i] = debug_console_new(b->ports, (u16)(first + i), channel_out, &b->channel_wire[i]);
    }
}

static bool make_video(struct board *b, struct error *err)
{
    const struct machine_options *o = b->options;

    if (!machine_has_video(o))
        return true;
    b->video = video_new(b->ports, b->physmem, b->clock, b->pci_host, o->kernel == NULL, err);
    return b->video != NULL;
}

static void make_cards(struct board *b)
{
    const struct cards_place place = {
        .bus = {.host = b->pci_host, .pm = b->physmem}, .intx = b->intx, .clock = b->clock, .input = b->input};

    b->cards = cards_new(&place, b->options, &b->callbacks);
}

/* The 8254 and the real-time clock reach IRQ 0 and IRQ 8 through the HPET, which may take their place. */
static void make_timers(struct board *b)
{
    struct irq_line *irq0 = &b->irq[0], *irq8 = &b->irq[8];

    if (!b->options->no_hpet) {
        struct hpet_wires wires = {.legacy = {irq0, irq8}};

        for (unsigned i = 0; b->ioapic != NULL && i < HPET_PINS; i++)
            wires.pin[i] = ioapic_input(b->ioapic, HPET_FIRST_PIN + i);
        b->hpet = hpet_new(b->physmem, b->clock, &wires);
        irq0 = hpet_legacy_input(b->hpet, 0);
        irq8 = hpet_legacy_input(b->hpet, 1);
    }
    b->pit = pit_new(b->ports, b->clock, irq0);
    b->rtc = rtc_new(b->ports, b->clock, irq8, (u64)b->options->rtc_start);
}

static void make_devices(struct board *b)
{
    u64 low = physmem_low_ram_bytes(b->physmem);

    b->pci_host = pci_host_new(b->ports, b->physmem);
    b->cf9 = cf9_new(b->ports, reset_control, b);
    b->a20_port92 = b->a20_i8042 = true;
    b->port92 =
        port92_new(b->ports, true, &(struct port92_hooks){.context = b, .a20 = a20_from_port92, .reset = reset_line});
    b->i8042 = i8042_new(b->ports, b->clock, &b->irq[1], &b->irq[12],
                         &(struct i8042_hooks){.context = b, .a20 = a20_from_i8042, .reset = reset_line});
    make_timers(b);
    rtc_set_memory_size(b->rtc, low, physmem_ram_bytes(b->physmem) - low);
    b->fpu_error = fpu_error_new(b->ports, &b->irq[13]);
    b->com1 = uart_new(b->ports, b->clock, 0x3F8, &b->irq[4], serial_out, b, "com1");
    b->dma = i8237_new(b->ports, b->physmem);
    b->acpi_pm =
        acpi_pm_new(b->ports, b->clock, b->options->kernel != NULL ? ACPI_PM_BASE : 0, &b->irq[9], sleep_request, b);
    b->debug_console[0] = debug_console_new(b->ports, 0xE9, debugcon_out, b);
    b->debug_console[1] = debug_console_new(b->ports, 0x402, firmware_out, b);
    make_south_bridge(b);
    make_floppies(b);
    make_optional_devices(b);
    make_cards(b);
    input_attach(b->input, INPUT_SERIAL0, uart_receive, b->com1);
    input_attach(b->input, INPUT_KEYBOARD, i8042_keyboard_receive, b->i8042);
    input_attach(b->input, INPUT_MOUSE, i8042_mouse_receive, b->i8042);
    input_attach(b->input, INPUT_POWER_BUTTON, acpi_pm_button_sink, b->acpi_pm);
    input_attach(b->input, INPUT_RESET_BUTTON, reset_button, b);
    input_attach(b->input, INPUT_NMI_BUTTON, nmi_button, b);
}

struct board *board_new(const struct machine_options *options, struct clock *clock, struct input_port *input,
                        const struct board_callbacks *callbacks, struct error *err)
{
    struct board *b = calloc(1, sizeof *b);

    if (b == NULL) {
        error_set(err, EXIT_LIMIT, "no memory for the board");
        return NULL;
    }
    b->options = options;
    b->callbacks = *callbacks;
    b->clock = clock;
    b->input = input;
    b->physmem = physmem_new(options->ram_bytes, err);
    if (b->physmem == NULL) {
        free(b);
        return NULL;
    }
    b->ports = ports_new();
    make_interrupt_controllers(b);
    make_devices(b);
    if (!make_video(b, err) || !load_image(b, err)) {
        board_free(b);
        return NULL;
    }
    return b;
}

void board_free(struct board *b)
{
    for (enum input_source s = 0; s < INPUT_SOURCES; s++)
        input_attach(b->input, s, NULL, NULL);
    if (b->debug_exit != NULL)
        debug_exit_free(b->debug_exit);
    for (unsigned i = 0; i < MACHINE_CHANNELS; i++)
        debug_console_free(b->channel[i]);
    debug_console_free(b->debug_console[0]);
    debug_console_free(b->debug_console[1]);
    acpi_pm_free(b->acpi_pm);
    parallel_free(b->parallel);
    fdc_free(b->fdc);
    i8237_free(b->dma);
    uart_free(b->com1);
    uart_free(b->com2);
    fpu_error_free(b->fpu_error);
    rtc_free(b->rtc);
    pit_free(b->pit);
    hpet_free(b->hpet);
    i8042_free(b->i8042);
    port92_free(b->port92);
    cf9_free(b->cf9);
    cards_free(b->cards);
    video_free(b->video);
    fw_cfg_free(b->fw_cfg);
    piix_ide_free(b->piix_ide);
    piix_free(b->piix);
    pci_intx_free(b->intx);
    pci_host_free(b->pci_host);
    if (b->apic_bus != NULL) {
        ioapic_free(b->ioapic);
        apic_bus_free(b->apic_bus);
    }
    pic_free(b->pic);
    ports_free(b->ports);
    physmem_free(b->physmem);
    free(b);
}

const struct vga *board_vga(const struct board *b) { return b->video == NULL ? NULL : video_vga(b->video); }

struct cpu *board_make_cpu(struct board *b, const struct cpu_model *model)
{
    return cpu_new(model, 0, b->clock, b->physmem, b->ports);
}

void board_connect_cpu(struct board *b, struct cpu *cpu)
{
    b->cpu = cpu;
    cpu->physmem = b->physmem;
    cpu->host.io = b->ports;
    mmu_init(&cpu->mmu, b->physmem, INITIATOR_CPU0);
    cpu->host.ports = (struct cpu_ports){
        .context = b,
        .interrupt_pending = interrupt_pending,
        .interrupt_acknowledge = interrupt_acknowledge,
        .task_priority_read = task_priority_read,
        .task_priority_write = task_priority_write,
        .apic_base_write = apic_base_write,
        .apic_msr_read = apic_msr_read,
        .apic_msr_write = apic_msr_write,
        .apic_id = apic_id,
        .tsc_moved = tsc_moved,
        .ferr = ferr,
    };
}

struct machine_devices board_devices(const struct board *b)
{
    struct machine_devices d = {.pic = b->pic, .lapic = b->lapic, .ioapic = b->ioapic, .ports = b->ports};

    for (unsigned i = 0; i < ISA_IRQS; i++)
        d.irq[i] = (struct isa_irq){.level = pic_input(b->pic, i)->level, .rises = b->irq_rises[i]};
    return d;
}
