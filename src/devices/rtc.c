/* SPDX-License-Identifier: MIT
 * MC146818: the calendar, its three interrupts, and CMOS memory.
 * MC146818A data sheet, "Address Map", "Registers". Century at 32h: the PC/AT's convention.
 */
#include "devices/rtc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bits.h"

#define CENTURY 0x32
#define UPDATE_AHEAD 244000ull /* ticks from UIP to the update */
#define HALF_SECOND (TICKS_PER_SECOND / 2)

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH, YEAR, A, B, C, D };
enum { A_UIP = 0x80 };
enum { B_24H = 2, B_BINARY = 4, B_UIE = 0x10, B_AIE = 0x20, B_PIE = 0x40, B_SET = 0x80 };
enum { C_UF = 0x10, C_AF = 0x20, C_PF = 0x40, C_IRQF = 0x80 };

struct rtc {
    struct clock *clock;
    struct irq_line *irq;
    struct timer second, periodic;
    u64 period_origin; /* tick from which periods are counted, moved up when C is read */
    u8 index;
    bool nmi_masked;
    u8 cmos[128];
};

static u8 encode(const struct rtc *r, unsigned value)
{
    return (u8)(r->cmos[B] & B_BINARY ? value : value / 10 % 10 << 4 | value % 10);
}

static unsigned decode(const struct rtc *r, u8 byte)
{
    return r->cmos[B] & B_BINARY ? byte : (byte >> 4) * 10u + (byte & 15u);
}

static u8 encode_hour(const struct rtc *r, unsigned hour)
{
    if (r->cmos[B] & B_24H)
        return encode(r, hour);
    return (u8)(encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0));
}

static unsigned decode_hour(const struct rtc *r, u8 byte)
{
    if (r->cmos[B] & B_24H)
        return decode(r, byte);
    return decode(r, byte & 0x7f) % 12 + (byte & 0x80 ? 12 : 0);
}

static bool chain_runs(const struct rtc *r) { return (r->cmos[A] & 0x70) == 0x20; }

/* ---- interrupts ---- */

static u64 period(const struct rtc *r) /* ticks, or 0 */
{
    unsigned rate = r->cmos[A] & 15;

    if (!rate || !chain_runs(r))
        return 0;
    if (rate <= 2) /* with the 32.768 kHz base, rates 1 and 2 equal 8 and 9 */
        rate += 7;
    return clock_from_hz(1ull << (rate - 1), 32768);
}

static void update_irq(struct rtc *r)
{
    bool active = r->cmos[B] & r->cmos[C] & (C_UF | C_AF | C_PF);

    r->cmos[C] = (u8)((r->cmos[C] & ~C_IRQF) | (active ? C_IRQF : 0));
    irq_set(r->irq, active);
}

/* Catch up with the periods that ended unseen; wait for the next one only if it would interrupt. */
static void update_periodic(struct rtc *r)
{
    u64 p = period(r), now = r->clock->ticks;

    clock_cancel(r->clock, &r->periodic);
    if (!p)
        return;
    if (now - r->period_origin >= p) {
        r->period_origin = now - (now - r->period_origin) % p;
        r->cmos[C] |= C_PF;
    }
    if ((r->cmos[B] & B_PIE) && !(r->cmos[C] & C_PF))
        clock_arm(r->clock, &r->periodic, r->period_origin + p);
    update_irq(r);
}

static void periodic_due(void *context, u64 now)
{
    (void)now;
    update_periodic(context);
}

/* ---- the calendar ---- */

static unsigned month_days(unsigned month, unsigned year)
{
    static const u8 days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[(month + 11) % 12] + (month == 2 && year % 4 == 0 ? 1u : 0u); /* the chip knows no centuries */
}

static void advance_date(struct rtc *r)
{
    u8 *t = r->cmos;
    unsigned day = decode(r, t[DAY]), month = decode(r, t[MONTH]), year = decode(r, t[YEAR]);

    t[WEEKDAY] = encode(r, decode(r, t[WEEKDAY]) % 7 + 1);
    if (day < month_days(month, year)) {
        t[DAY] = encode(r, day + 1);
        return;
    }
    t[DAY] = encode(r, 1);
    t[MONTH] = encode(r, month < 12 ? month + 1 : 1);
    if (month < 12)
        return;
    t[YEAR] = encode(r, year < 99 ? year + 1 : 0);
    if (year >= 99)
        t[CENTURY] = encode(r, decode(r, t[CENTURY]) + 1);
}

static void advance_second(struct rtc *r)
{
    u8 *t = r->cmos;
    unsigned value = decode(r, t[SECONDS]);

    t[SECONDS] = encode(r, value < 59 ? value + 1 : 0);
    if (value < 59)
        return;
    value = decode(r, t[MINUTES]);
    t[MINUTES] = encode(r, value < 59 ? value + 1 : 0);
    if (value < 59)
        return;
    value = decode_hour(r, t[HOURS]);
    t[HOURS] = encode_hour(r, value < 23 ? value + 1 : 0);
    if (value >= 23)
        advance_date(r);
}

static bool alarm_matches(const struct rtc *r)
{
    for (unsigned i = SECONDS; i <= HOURS; i += 2) /* C0h-FFh: "don't care" */
        if (r->cmos[i + 1] < 0xc0 && r->cmos[i + 1] != r->cmos[i])
            return false;
    return true;
}

static void second_due(void *context, u64 now)
{
    struct rtc *r = context;

    do {
        if (!(r->cmos[B] & B_SET)) {
            advance_second(r);
            r->cmos[C] |= (u8)(C_UF | (alarm_matches(r) ? C_AF : 0));
        }
        clock_arm(r->clock, &r->second, r->second.when + TICKS_PER_SECOND);
    } while (r->second.when <= now);
    update_irq(r);
}

/* Set the date and time. in: seconds since the Unix epoch (UTC). */
static void set_time(struct rtc *r, u64 seconds)
{
    time_t when = (time_t)(seconds < BIT(36) ? seconds : BIT(36)); /* four-digit years only */
    struct tm tm;
    u8 *t = r->cmos;

    gmtime_r(&when, &tm);
    t[SECONDS] = encode(r, (unsigned)tm.tm_sec);
    t[MINUTES] = encode(r, (unsigned)tm.tm_min);
    t[HOURS] = encode_hour(r, (unsigned)tm.tm_hour);
    t[WEEKDAY] = encode(r, (unsigned)tm.tm_wday + 1);
    t[DAY] = encode(r, (unsigned)tm.tm_mday);
    t[MONTH] = encode(r, (unsigned)tm.tm_mon + 1);
    t[YEAR] = encode(r, (unsigned)(tm.tm_year + 1900) % 100);
    t[CENTURY] = encode(r, (unsigned)(tm.tm_year + 1900) / 100);
}

/* ---- registers ---- */

static u8 read_a(const struct rtc *r)
{
    u64 now = r->clock->ticks;
    bool updating = r->second.armed && !(r->cmos[B] & B_SET) && r->second.when - now <= UPDATE_AHEAD;

    return (u8)((r->cmos[A] & ~A_UIP) | (updating ? A_UIP : 0));
}

static u8 read_c(struct rtc *r)
{
    u8 value;

    update_periodic(r);
    value = r->cmos[C];
    r->cmos[C] = 0;
    update_irq(r);
    update_periodic(r);
    return value;
}

static void write_a(struct rtc *r, u8 value)
{
    bool before = chain_runs(r);

    r->cmos[A] = value & 0x7f;
    if (!before && chain_runs(r)) { /* half a second after the divider's reset ends */
        clock_arm(r->clock, &r->second, r->clock->ticks + HALF_SECOND);
        r->period_origin = r->clock->ticks;
    } else if (!chain_runs(r)) {
        clock_cancel(r->clock, &r->second);
    }
    update_periodic(r);
}

static void write_b(struct rtc *r, u8 value)
{
    if (value & B_SET)
        value &= (u8)~B_UIE;
    r->cmos[B] = value;
    update_periodic(r);
    update_irq(r);
}

static void port_write(void *device, u16 port, u32 value, unsigned size)
{
    struct rtc *r = device;

    (void)size;
    if (port == 0x70) {
        r->index = value & 0x7f;
        r->nmi_masked = value & 0x80;
    } else if (r->index == A) {
        write_a(r, (u8)value);
    } else if (r->index == B) {
        write_b(r, (u8)value);
    } else if (r->index != C && r->index != D) {
        r->cmos[r->index] = (u8)value;
    }
}

static u32 port_read(void *device, u16 port, unsigned size)
{
    struct rtc *r = device;

    (void)size;
    if (port == 0x70)
        return 0xff; /* the index is write-only */
    switch (r->index) {
    case A: return read_a(r);
    case C: return read_c(r);
    default: return r->cmos[r->index];
    }
}

static const struct port_ops rtc_ops = {port_read, port_write, 0};

struct rtc *rtc_new(struct ports *ports, struct clock *clock, struct irq_line *irq8, u64 start)
{
    struct rtc *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    r->clock = clock;
    r->irq = irq8;
    r->second = (struct timer){.fire = second_due, .context = r, .name = "rtc-second"};
    r->periodic = (struct timer){.fire = periodic_due, .context = r, .name = "rtc-periodic"};
    r->cmos[A] = 0x26;
    r->cmos[B] = B_24H;
    r->cmos[D] = 0x80; /* the battery is good */
    r->period_origin = clock->ticks;
    set_time(r, start);
    clock_arm(clock, &r->second, clock->ticks + TICKS_PER_SECOND);
    ports_claim(ports, 0x70, 2, &rtc_ops, r, "rtc");
    return r;
}

void rtc_free(struct rtc *r)
{
    if (r) {
        clock_cancel(r->clock, &r->second);
        clock_cancel(r->clock, &r->periodic);
    }
    free(r);
}

bool rtc_nmi_masked(const struct rtc *r) { return r->nmi_masked; }

static void set_cmos16(struct rtc *r, unsigned index, u64 value)
{
    store_le16(&r->cmos[index], (u16)(value < 0xffff ? value : 0xffff));
}

void rtc_set_memory_size(struct rtc *r, u64 low, u64 high)
{
    u64 extended = low > (1 << 20) ? (low - (1 << 20)) >> 10 : 0; /* KiB above 1 MiB */

    set_cmos16(r, 0x15, 640);
    set_cmos16(r, 0x17, extended);
    set_cmos16(r, 0x30, extended);
    set_cmos16(r, 0x34, low > (16 << 20) ? (low - (16 << 20)) >> 16 : 0);
    r->cmos[0x5b] = (u8)(high >> 16);
    r->cmos[0x5c] = (u8)(high >> 24);
    r->cmos[0x5d] = (u8)(high >> 32);
}

void rtc_set_floppies(struct rtc *r, u8 a, u8 b)
{
    r->cmos[0x10] = (u8)(a << 4 | b);
    r->cmos[0x14] &= 0x3e;
    if (a || b)
        r->cmos[0x14] |= (u8)(1 | (a && b ? 0x40 : 0));
}

/* Where Bochs' and QEMU's BIOSes look: 3Dh has the first two, the upper half of 38h the third. */
void rtc_set_boot_order(struct rtc *r, const u8 devices[RTC_BOOT_DEVICES])
{
    r->cmos[0x3d] = (u8)(devices[0] | devices[1] << 4);
    r->cmos[0x38] = (u8)(devices[2] << 4);
}
