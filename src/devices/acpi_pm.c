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
};

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
    if (value == ACPI_PM_ENABLE_COMMAND)
        p->control |= SCI_EN;
    else if (value == ACPI_PM_DISABLE_COMMAND)
        p->control &= (u16)~SCI_EN;
    update(p);
}

static const struct port_ops pm_ops = {port_read, port_write, 1 | 2 | 4};
static const struct port_ops smi_ops = {smi_read, smi_write, 0};

struct acpi_pm *acpi_pm_new(struct ports *ports, struct clock *clock, u16 base, struct irq_line *sci,
                            void (*sleep)(void *context, unsigned type), void *context)
{
    struct acpi_pm *p = calloc(1, sizeof *p);

    if (!p)
        abort();
    p->clock = clock;
    p->base = base;
    p->sci = sci;
    p->sleep = sleep;
    p->context = context;
    p->wrap = (struct timer){.fire = wrap_due, .context = p, .name = "acpi-pm"};
    ports_claim(ports, base, 6, &pm_ops, p, "acpi-pm");
    ports_claim(ports, (u16)(base + 8), 4, &pm_ops, p, "acpi-pm");
    ports_claim(ports, 0xb2, 2, &smi_ops, p, "acpi-smi");
    return p;
}

void acpi_pm_free(struct acpi_pm *p)
{
    if (p)
        clock_cancel(p->clock, &p->wrap);
    free(p);
}
