/* SPDX-License-Identifier: MIT
 * info pic, lapic, irq, mtree: the interrupt controllers, and who answers where.
 */
#include "devices/ioapic.h"
#include "devices/lapic.h"
#include "devices/pic.h"
#include "monitor/command.h"

#define REGIONS_MAX 256u
#define PORT_RANGES_MAX 1024u

/* ---- info pic */

static void print_bits(FILE *out, const char *name, u8 bits)
{
    fprintf(out, " %s=", name);
    for (unsigned i = 0; i < 8; i++)
        fputc(bits >> i & 1 ? (char)('0' + i) : '-', out);
}

void info_pic(struct monitor *m, const char *arguments)
{
    struct machine_devices d = machine_devices(m->machine);

    (void)arguments;
    for (unsigned i = 0; i < 2; i++) {
        struct pic_chip_state c = pic_chip_state(d.pic, i);

        fprintf(m->out, "%s: vectors %02x-%02x", i == 0 ? "master" : "slave ", c.base, c.base + 7u);
        print_bits(m->out, "lines", c.lines);
        print_bits(m->out, "irr", c.requests);
        print_bits(m->out, "imr", c.mask);
        print_bits(m->out, "isr", c.in_service);
        print_bits(m->out, "elcr", c.level_triggered);
        fprintf(m->out, " lowest=%u%s%s%s\n", c.lowest, c.auto_eoi ? " auto-eoi" : "",
                c.special_mask ? " special-mask" : "", c.ready ? "" : " (being initialised)");
    }
}

/* ---- info lapic */

static void print_vectors(FILE *out, const char *name, const u32 *set)
{
    bool any = false;

    fprintf(out, "%s:", name);
    for (unsigned v = 0; v < 256; v++)
        if (set[v / 32] >> (v % 32) & 1) {
            fprintf(out, " %02x", v);
            any = true;
        }
    fputs(any ? "\n" : " none\n", out);
}

static const char *delivery_name(unsigned mode)
{
    static const char *const names[] = {"fixed", "lowest", "SMI", "reserved", "NMI", "INIT", "startup", "ExtINT"};

    return names[mode & 7];
}

static void print_lvt(FILE *out, const char *name, u32 lvt, bool timer)
{
    static const char *const modes[] = {" one-shot", " periodic", " TSC-deadline", " reserved"};

    fprintf(out, "LVT %-11s %08x vector %02x %s%s%s\n", name, lvt, lvt & 0xFF,
            timer ? "timer" : delivery_name(lvt >> 8 & 7), timer ? modes[lvt >> 17 & 3] : "",
            lvt >> 16 & 1 ? " masked" : "");
}

static void print_redirections(FILE *out, const struct ioapic *io)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        u64 e = ioapic_entry(io, pin);

        if (e >> 16 & 1 && !ioapic_asserted(io, pin))
            continue; /* masked and quiet */
        fprintf(out, "I/O APIC pin %2u: vector %02x %s to %s %02x, %s%s%s%s\n", pin, (unsigned)(e & 0xFF),
                delivery_name((unsigned)(e >> 8 & 7)), e >> 11 & 1 ? "logical" : "APIC", (unsigned)(e >> 56),
                e >> 15 & 1 ? "level" : "edge", e >> 14 & 1 ? ", waits for EOI" : "", e >> 16 & 1 ? ", masked" : "",
                ioapic_asserted(io, pin) ? ", asserted" : "");
    }
}

void info_lapic(struct monitor *m, const char *arguments)
{
    static const char *const names[] = {"timer", "thermal", "performance", "LINT0", "LINT1", "error"};
    struct machine_devices devices = machine_devices(m->machine);
    struct lapic_description d;

    (void)arguments;
    if (devices.lapic == NULL) {
        command_error(m, "this processor has no local APIC");
        return;
    }
    d = lapic_describe(devices.lapic);
    fprintf(m->out, "APIC id %x, %s, base %llx, software %s (SVR %08x)\n", d.id,
            !d.enabled ? "disabled"
            : d.x2apic ? "x2APIC"
                       : "xAPIC",
            (unsigned long long)d.base, d.svr >> 8 & 1 ? "enabled" : "disabled", d.svr);
    fprintf(m->out, "TPR %02x PPR %02x LDR %08x DFR %08x ESR %02x ICR %016llx\n", d.tpr, d.ppr, d.ldr, d.dfr, d.esr,
            (unsigned long long)d.icr);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        print_lvt(m->out, names[i], d.lvt[i], i == 0);
    fprintf(m->out, "timer: initial %u current %u divide %x deadline %llx\n", d.initial_count, d.current_count,
            d.divide, (unsigned long long)d.deadline);
    print_vectors(m->out, "in service", d.isr);
    print_vectors(m->out, "requested", d.irr);
    print_vectors(m->out, "level-triggered", d.tmr);
    if (devices.ioapic != NULL)
        print_redirections(m->out, devices.ioapic);
}

/* ---- info irq */

void info_irq(struct monitor *m, const char *arguments)
{
    struct machine_devices d = machine_devices(m->machine);

    (void)arguments;
    fputs("IRQ  line  rises since reset\n", m->out);
    for (unsigned i = 0; i < ARRAY_LEN(d.irq); i++)
        if (d.irq[i].rises != 0 || d.irq[i].level)
            fprintf(m->out, "%3u  %s  %llu\n", i, d.irq[i].level ? "high" : "low ", (unsigned long long)d.irq[i].rises);
}

/* ---- info mtree */

static void print_ram(FILE *out, const struct physmem *pm)
{
    u64 low = physmem_low_ram_bytes(pm), total = physmem_ram_bytes(pm);

    fprintf(out, "%016llx-%016llx RAM, where nothing below says otherwise\n", 0ull, (unsigned long long)low - 1);
    if (total > low)
        fprintf(out, "%016llx-%016llx RAM\n", (unsigned long long)BIT(32),
                (unsigned long long)(BIT(32) + total - low - 1));
}

void info_mtree(struct monitor *m, const char *arguments)
{
    const struct physmem *pm = machine_cpu(m->machine)->physmem;
    struct physmem_region regions[REGIONS_MAX];
    struct port_range ranges[PORT_RANGES_MAX];
    size_t count;

    (void)arguments;
    fprintf(m->out, "physical memory, A20 %s\n", physmem_a20(pm) ? "open" : "closed");
    print_ram(m->out, pm);
    count = physmem_regions(pm, regions, REGIONS_MAX);
    for (size_t i = 0; i < count; i++)
        fprintf(m->out, "%016llx-%016llx %s%s\n", (unsigned long long)regions[i].base,
                (unsigned long long)(regions[i].base + regions[i].size - 1), regions[i].name,
                regions[i].is_rom ? " (ROM)" : "");
    fputs("I/O ports\n", m->out);
    count = ports_ranges(machine_devices(m->machine).ports, ranges, PORT_RANGES_MAX);
    for (size_t i = 0; i < count; i++)
        fprintf(m->out, "%04x-%04x %s\n", ranges[i].first, ranges[i].last, ranges[i].name);
}
