/* SPDX-License-Identifier: MIT
 * The south bridge's PCI functions.
 * Intel 82371SB (PIIX3) datasheet, "PCI Configuration Registers"; 82371AB (PIIX4), "Power Management".
 */
#include "devices/piix.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

#define SLOT 1

enum { PIRQ_FIRST = 0x60, PIRQ_LAST = 0x63 };
enum { SMBBA = 0x90, SMBHSTCFG = 0xD2, SMB_ENABLED = 1 };
enum { PMBASE = 0x40, DEVACTB = 0x58, PMREGMISC = 0x80, APMC_EN_BYTE3 = 0x02, PMIOSE = 1 };

struct piix {
    struct pci_function isa, power;
    struct acpi_pm *pm;
    struct pci_intx *intx;
    struct smbus *smbus;
};

static void identify(struct pci_function *f, u16 device, u8 subclass)
{
    store_le16(f->config + 0x00, 0x8086);
    store_le16(f->config + 0x02, device);
    store_le16(f->config + 0x06, 0x0280); /* status: medium DEVSEL timing, fast back-to-back */
    f->config[0x0A] = subclass;
    f->config[0x0B] = 0x06; /* class: bridge */
}

static void init_isa(struct pci_function *isa)
{
    identify(isa, 0x7000, 0x01);
    store_le16(isa->config + 0x04, 0x0007); /* I/O, memory and bus master, always */
    isa->config[0x0E] = 0x80;               /* one function of several */
    isa->config[0x4C] = 0x4D;               /* ISA I/O recovery timer */
    isa->config[0x4E] = 0x03;               /* XBCS: the RTC and the keyboard controller are decoded */
    isa->writable[0x4C] = 0x7F;
    isa->writable[0x4E] = isa->writable[0x4F] = 0xFF;
    for (unsigned pirq = PIRQ_FIRST; pirq <= PIRQ_LAST; pirq++) {
        isa->config[pirq] = PIRQ_DISABLED;
        isa->writable[pirq] = 0x8F;
    }
    isa->config[0x69] = 0x02; /* TOM: ISA memory up to 512 KiB goes to the main memory */
    isa->writable[0x69] = 0xFE;
}

static void isa_changed(void *context, unsigned offset, unsigned size)
{
    const struct piix *p = context;

    (void)offset, (void)size;
    for (unsigned pirq = PIRQ_FIRST; pirq <= PIRQ_LAST; pirq++)
        pci_intx_route(p->intx, pirq - PIRQ_FIRST, p->isa.config[pirq]);
}

/* PMBASE places the block, PMREGMISC lets it answer; SMBBA and SMBHSTCFG do the same for the SMBus. */
static void power_changed(void *context, unsigned offset, unsigned size)
{
    struct piix *p = context;

    (void)offset, (void)size;
    smbus_place(p->smbus, p->power.config[SMBHSTCFG] & SMB_ENABLED ? load_le16(p->power.config + SMBBA) & 0xFFF0 : 0);
    acpi_pm_place(p->pm, p->power.config[PMREGMISC] & PMIOSE ? load_le16(p->power.config + PMBASE) & 0xFFC0 : 0);
}

static void init_power(struct piix *p)
{
    struct pci_function *f = &p->power;

    identify(f, 0x7113, 0x80);
    f->config[0x08] = 0x03;
    f->config[0x3C] = 9; /* the SCI: wired, whatever is written here */
    f->config[0x3D] = 1;
    f->writable[0x3C] = 0xFF;
    f->config[PMBASE] = 1; /* an I/O address */
    f->writable[PMBASE] = 0xC0;
    f->writable[PMBASE + 1] = 0xFF;
    f->config[DEVACTB + 3] = APMC_EN_BYTE3;
    f->writable[PMREGMISC] = 0x01;
    f->config[SMBBA] = 1;
    f->writable[SMBBA] = 0xF0;
    f->writable[SMBBA + 1] = 0xFF;
    f->writable[SMBHSTCFG] = 0x0F; /* the kind of interrupt is kept: no transaction lasts long enough for one */
    f->changed = power_changed;
    f->context = p;
}

struct piix *piix_new(struct pci_host *host, struct ports *ports, struct acpi_pm *pm, struct pci_intx *intx)
{
    struct piix *p = calloc(1, sizeof *p);

    if (p == NULL)
        abort();
    p->pm = pm;
    p->intx = intx;
    init_isa(&p->isa);
    p->isa.changed = isa_changed;
    p->isa.context = p;
    pci_host_add(host, SLOT, 0, &p->isa);
    if (pm != NULL) {
        p->smbus = smbus_new(ports);
        init_power(p);
        pci_host_add(host, SLOT, 3, &p->power);
    }
    return p;
}

void piix_free(struct piix *p)
{
    if (p != NULL)
        smbus_free(p->smbus);
    free(p);
}
