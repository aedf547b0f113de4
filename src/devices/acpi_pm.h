/* SPDX-License-Identifier: MIT
 * ACPI fixed hardware: PM1a event and control blocks, the power-management timer, the SMI command port.
 * ACPI Specification, "ACPI Register Model"; 82371AB (PIIX4), "Power Management I/O Space Registers".
 *
 * There is no SMI handler: the command port changes SCI_EN directly, as firmware's handler would. A guest that turns
 * SMIs on (SMI_EN, bit 0 at base+28h) and writes to the port asks for one: whoever made the device is told.
 */
#ifndef RINGSIDE_DEVICES_ACPI_PM_H
#define RINGSIDE_DEVICES_ACPI_PM_H

#include "bus/clock.h"
#include "bus/irq.h"
#include "bus/ports.h"

#define ACPI_PM_TIMER_HZ 3579545ull
#define ACPI_PM_ENABLE_COMMAND 0xf1 /* for the FADT: ACPI_ENABLE, ACPI_DISABLE at port B2h */
#define ACPI_PM_DISABLE_COMMAND 0xf0

struct acpi_pm;

/* Claims base..base+3 (PM1a events), base+4..5 (PM1a control), base+8..11 (timer, 24 bits), base+28h..2Bh (SMI_EN) and
 * B2h-B3h. in: base  0: unplaced until acpi_pm_place(); sci  IRQ 9, level; sleep is told SLP_TYP (0-7) when SLP_EN is
 * written. returns: never NULL. */
struct acpi_pm *acpi_pm_new(struct ports *ports, struct clock *clock, u16 base, struct irq_line *sci,
                            void (*sleep)(void *context, unsigned type), void *context);
void acpi_pm_free(struct acpi_pm *pm);
/* Move the block, as PMBASE does. It answers only where every port it would claim is free: what is at fixed ports keeps
 * them. in: base  a multiple of 64; 0 takes it away. */
void acpi_pm_place(struct acpi_pm *pm, u16 base);
/* Who is told of an SMI by port B2h. Until then SMI_EN has no effect. */
void acpi_pm_set_smi(struct acpi_pm *pm, void (*smi)(void *context), void *context);
/* The power button was pressed. */
void acpi_pm_power_button(struct acpi_pm *pm);
/* An input_sink for INPUT_POWER_BUTTON (context is the acpi_pm). */
size_t acpi_pm_button_sink(void *acpi_pm, const u8 *bytes, size_t size);

#endif
