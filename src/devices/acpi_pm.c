/* SPDX-License-Identifier: MIT
 * ACPI fixed hardware.
 * ACPI Specification, "ACPI Register Model".
 * Not implemented: general-purpose events, throttling, global lock hand-over (BIOS_RLS).
 */
#include "devices/acpi_pm.h"

#include <stdlib.h>

enum { TMR = 1, GBL = 0x20, PWRBTN = 0x100, RTC = 0x400, WAK = 0x8000 };
enum { SCI_EN = 1, SLP_EN = 0x2000, CONTROL_WRITABLE = 0x1c06 };

#define EVENTS (TMR | GBL | PWRBTN | RTC)
#define HALF_WRAP (1ull << 23) /* TMR_STS is set each time bit 23 changes */

struct acpi_pm {
    struct clock *clock;
    struct irq_line *sci;
    struct timer wrap;
    void (*sleep)(void *context, unsigned type);
    void *context;
    u16 base, status, enable, control;
    u64 seen; /* half-wraps already turned into TMR_STS */
    u8 smi[2];
    u8 smi_enable; /* bit 0 of GLBCTL; its other bits are not there */
    void (*smi_asked)(void *context);
    void *smi_context;
    struct ports *ports;
    bool placed;
};

#define GLBCTL 0x28

/* The parts of the block: PM1a events and control, the timer, GLBCTL. */
static const struct {
    u8 offset, size;
} parts[] = {{0, 6}, {8, 4}, {GLBCTL, 4}};

static u64 pm_count(const struct acpi_pm *p) { return clock_to_hz(p->clock->ticks, ACPI_PM_TIMER_HZ); }

static void update(struct acpi_pm *p)
{
    u64 halves = pm_count(p) / HALF_WRAP;

    if (halves != p->seen)
        p->status |= TMR;
    p->seen = halves;
    irq_set(p->sci, (p->control & SCI_EN) && (p->status & p->enable & EVENTS));
    if ((p->enable & TMR) && !(p->status & TMR))
        clock_arm(p->clock, &p->wrap, clock_from_hz((halves + 1) * HALF_WRAP, ACPI_PM_TIMER_HZ));
    else
        clock_cancel(p->clock, &p->wrap);
}

static void wrap_due(void *context, u64 now)
{
    (void)now;
    update(context);
}

void acpi_pm_power_button(struct acpi_pm *p)
{
    p->status |= PWRBTN;
    update(p);
}

size_t acpi_pm_button_sink(void *acpi_pm, const u8 *bytes, size_t size)
{
    (void)bytes;
    acpi_pm_power_button(acpi_pm);
    return size;
}

static u8 read_byte(struct acpi_pm *p, unsigned offset)
{
    u32 words[3] = {p->status | (u32)p->enable << 16, p->control, (u32)pm_count(p) & 0xffffff};

    return (u8)(words[offset / 4] >> (8 * (offset % 4)));
}

static void write_control(struct acpi_pm *p, u32 value, u16 mask)
{
    p->control = (u16)((p->control & ~(CONTROL_WRITABLE & mask)) | (value & CONTROL_WRITABLE & mask));
    if ((value & mask & SLP_EN) && p->sleep)
        p->sleep(p->context, p->control >> 10 & 7);
}

/* in: value  shifted to the place of its bytes within the doubleword at offset & ~3; mask  which of its bytes. */
static void write_dword(struct acpi_pm *p, unsigned offset, u32 value, u32 mask)
{
    if (offset / 4 == 0) {
        p->status &= (u16) ~(value & mask & (EVENTS | WAK)); /* write one to clear */
        p->enable = (u16)((p->enable & ~(mask >> 16)) | ((value & mask) >> 16 & EVENTS));
    } else if (offset / 4 == 1) {
        write_control(p, value, (u16)mask);
    }
    update(p);
}

static u32 port_read(void *device, u16 port, unsigned size)
{
    struct acpi_pm *p = device;
    unsigned offset = port - p->base;
    u32 value = 0;

    if (offset >= GLBCTL)
        return offset == GLBCTL ? p->smi_enable : 0;
    update(p);
    for (unsigned i = 0; i < size && offset + i < 12; i++)
        value |= (u32)read_byte(p, offset + i) << (8 * i);
    return value;
}

/* Word writes must stay whole: SLP_TYP and SLP_EN go together. */
static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct acpi_pm *p = device;
    unsigned offset = port - p->base, shift = 8 * (offset % 4);
    u32 mask = size == 4 ? ~0u : (1u << (8 * size)) - 1;

    if (offset == GLBCTL)
        p->smi_enable = value & 1;
    if (offset < 12)
        write_dword(p, offset, value << shift, mask << shift);
}

static u32 smi_read(void *device, u16 port, unsigned size)
{
    (void)size;
    return ((struct acpi_pm *)device)->smi[port & 1];
}

static void smi_write(void *device, u16 port, u32 value, unsigned size)
{
    struct acpi_pm *p = device;

    (void)size;
    p->smi[port & 1] = (u8)value;
    if (port & 1)
        return;
    if (p->smi_enable && p->smi_asked) {
        p->smi_asked(p->smi_context);
        return;
    }
    if (value == ACPI_PM_ENABLE_COMMAND)
        p->control |= SCI_EN;
    else if (value == ACPI_PM_DISABLE_COMMAND)
        p->control &= (u16)~SCI_EN;
    update(p);
}

static const struct port_ops pm_ops = {port_read, port_write, 1 | 2 | 4};
static const struct port_ops smi_ops = {smi_read, smi_write, 0};

void acpi_pm_place(struct acpi_pm *p, u16 base)
{
    bool is_free = base != 0;

    if (p->placed && p->base == base)
        return;
    for (unsigned i = 0; p->placed && i < ARRAY_LEN(parts); i++)
        ports_release(p->ports, (u16)(p->base + parts[i].offset), parts[i].size);
    for (unsigned i = 0; is_free && i < ARRAY_LEN(parts); i++)
        is_free = ports_unclaimed(p->ports, (u16)(base + parts[i].offset), parts[i].size);
    for (unsigned i = 0; is_free && i < ARRAY_LEN(parts); i++)
        ports_claim(p->ports, (u16)(base + parts[i].offset), parts[i].size, &pm_ops, p, "acpi-pm");
    p->placed = is_free;
    p->base = base;
}

void acpi_pm_set_smi(struct acpi_pm *p, void (*smi)(void *context), void *context)
{
    p->smi_asked = smi;
    p->smi_context = context;
}

struct acpi_pm *acpi_pm_new(struct ports *ports, struct clock *clock, u16 base, struct irq_line *sci,
                            void (*sleep)(void *context, unsigned type), void *context)
{
    struct acpi_pm *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    p->clock = clock;
    p->ports = ports;
    p->sci = sci;
    p->sleep = sleep;
    p->context = context;
    p->wrap = (struct timer){.fire = wrap_due, .context = p, .name = "acpi-pm"};
    acpi_pm_place(p, base);
    ports_claim(ports, 0xb2, 2, &smi_ops, p, "acpi-smi");
    return p;
}

void acpi_pm_free(struct acpi_pm *p)
{
    if (p)
        clock_cancel(p->clock, &p->wrap);
    free(p);
}
