/* SPDX-License-Identifier: MIT
 * The MC146818 real-time clock with 128 bytes of CMOS memory.
 * Motorola MC146818A data sheet.
 */
#ifndef RINGSIDE_DEVICES_RTC_H
#define RINGSIDE_DEVICES_RTC_H

#include "bus/clock.h"
#include "bus/irq.h"
#include "bus/ports.h"

struct rtc;

/* Claims 70h-71h. in: start  seconds since the Unix epoch (UTC) at tick 0 of the clock. The clock runs, in BCD and
 * 24-hour form, as firmware leaves it. returns: never NULL. */
struct rtc *rtc_new(struct ports *ports, struct clock *clock, struct irq_line *irq8, u64 start);
void rtc_free(struct rtc *rtc);
/* Bit 7 of port 70h: NMI is masked. */
bool rtc_nmi_masked(const struct rtc *rtc);
/* Fill the memory-size bytes (15h-18h, 30h-31h, 34h-35h, 5Bh-5Dh). in: RAM bytes below and above 4 GiB. */
void rtc_set_memory_size(struct rtc *rtc, u64 low, u64 high);
/* The types of the floppy drives A and B (10h), and that there are any (14h). 0: none; 1 360K, 2 1.2M, 3 720K, 4 1.44M,
 * 5 2.88M. */
void rtc_set_floppies(struct rtc *rtc, u8 a, u8 b);
/* What the BIOS tries to boot from, in this order: 1 floppy, 2 hard disk, 3 CD, 4 network; 0 ends the list. */
#define RTC_BOOT_DEVICES 3u
void rtc_set_boot_order(struct rtc *rtc, const u8 devices[RTC_BOOT_DEVICES]);

#endif
