/* SPDX-License-Identifier: MIT
 * PCI configuration mechanism 1 (CF8h/CFCh) and the i440FX host bridge, the root of bus 0.
 * PCI Local Bus Specification 2.2, "Configuration Mechanism #1"; Intel 440FX datasheet (290549).
 */
#ifndef RINGSIDE_DEVICES_PCI_HOST_H
#define RINGSIDE_DEVICES_PCI_HOST_H

#include "bus/physmem.h"
#include "bus/ports.h"

struct pci_host;

/* One function on the bus: 256 bytes of configuration space. */
struct pci_function {
    u8 config[256];
    u8 writable[256]; /* bits that a configuration write may change */
    /* Told after a write changed [offset, offset+size). May be NULL. */
    void (*changed)(void *context, unsigned offset, unsigned size);
    /* Told before [offset, offset+size) is read, to bring it up to date. May be NULL. */
    void (*reading)(void *context, unsigned offset, unsigned size);
    void *context;
};

/* Claims CF8h-CFFh. The host bridge 8086:1237 is function 0:0.0. CF9h (reset control) is left to its own device, which
 * must be claimed afterwards. The bridge's PAM registers (59h-5Fh) say for each area between C0000h and FFFFFh whether
 * reads and writes go to RAM; its SMRAM register (72h) opens the RAM at A0000h-BFFFFh to every access (D_OPEN). There
 * is no system-management mode, so a closed SMRAM (D_CLS, or neither bit) is no RAM for anyone; D_LCK locks the
 * register as it should. */
struct pci_host *pci_host_new(struct ports *ports, struct physmem *pm);
/* What the bridge says of the board it is on. SeaBIOS looks for the machine's own interfaces (devices/fw_cfg.h) when
 * these are 1AF4h and 1100h, as QEMU's board has them. */
void pci_host_set_subsystem(struct pci_host *host, u16 vendor, u16 id);
void pci_host_free(struct pci_host *host);
/* Put a function on bus 0 at device (0-31) and function number (0-7); it must outlive the host. */
void pci_host_add(struct pci_host *host, unsigned device, unsigned function, struct pci_function *f);

#endif
