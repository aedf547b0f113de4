/* SPDX-License-Identifier: MIT
 * The south bridge's PCI functions: the PIIX3 ISA bridge and the PIIX4 power management function.
 * Intel 82371SB (PIIX3) datasheet, "PCI Configuration Registers"; 82371AB (PIIX4), "Power Management".
 */
#ifndef RINGSIDE_DEVICES_PIIX_H
#define RINGSIDE_DEVICES_PIIX_H

#include "devices/acpi_pm.h"
#include "devices/pci_host.h"
#include "devices/pci_intx.h"
#include "devices/smbus.h"

struct piix;

/* Put the ISA bridge 8086:7000 at 1.0 and, with pm, the power management function 8086:7113 at 1.3. The function's
 * PMBASE (40h) and PMREGMISC (80h) place the block of acpi_pm, which starts unplaced; SMBBA (90h) and SMBHSTCFG (D2h) an
 * SMBus controller.
 *
 * The bridge's PIRQRC registers (60h-63h) route the interrupts of PCI devices.
 *
 * Not there: devices on the SMBus, system-management interrupts: DEVACTB says from the start that SMIs by port B2h were
 * set up (APMC_EN), as boards without SMM say it to their firmware.
 * in: pm  NULL: no power management function.  returns: never NULL. */
struct piix *piix_new(struct pci_host *host, struct ports *ports, struct acpi_pm *pm, struct pci_intx *intx);
void piix_free(struct piix *p);

#endif
