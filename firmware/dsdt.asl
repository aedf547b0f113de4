// SPDX-License-Identifier: MIT
// The machine as ACPI describes it: the soft-off state, the PCI root, and the ISA devices that have fixed resources.
DefinitionBlock ("", "DSDT", 1, "RSIDE", "RINGSIDE", 1)
{
    Name (\_S5, Package () { 5, 5, 0, 0 })  // SLP_TYP 5 turns the machine off (src/devices/acpi_pm.c)

    Scope (\_SB)
    {
        Name (PIRS, ResourceTemplate () { Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) {5, 10, 11} })

        // The current setting of a link: Arg0 is its register.
        Method (PCRS, 1, Serialized)
        {
            Name (BUFF, ResourceTemplate () { Interrupt (ResourceConsumer, Level, ActiveHigh, Shared, , , GSIN) {0} })
            CreateDWordField (BUFF, GSIN._INT, GSII)

            If (!(Arg0 & 0x80)) { GSII = Arg0 & 0x0F }
            Return (BUFF)
        }

        Method (PSTA, 1, NotSerialized)
        {
            If (Arg0 & 0x80) { Return (0x09) }
            Return (0x0B)
        }

        Device (LNKA)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 1)
            Method (_PRS, 0, NotSerialized) { Return (PIRS) }
            Method (_STA, 0, NotSerialized) { Return (PSTA (\_SB.PCI0.ISA.PIRA)) }
            Method (_DIS, 0, NotSerialized) { \_SB.PCI0.ISA.PIRA |= 0x80 }
            Method (_CRS, 0, NotSerialized) { Return (PCRS (\_SB.PCI0.ISA.PIRA)) }
            Method (_SRS, 1, NotSerialized)
            {
                CreateDWordField (Arg0, 5, PRRI)
                \_SB.PCI0.ISA.PIRA = PRRI
            }
        }

        Device (LNKB)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 2)
            Method (_PRS, 0, NotSerialized) { Return (PIRS) }
            Method (_STA, 0, NotSerialized) { Return (PSTA (\_SB.PCI0.ISA.PIRB)) }
            Method (_DIS, 0, NotSerialized) { \_SB.PCI0.ISA.PIRB |= 0x80 }
            Method (_CRS, 0, NotSerialized) { Return (PCRS (\_SB.PCI0.ISA.PIRB)) }
            Method (_SRS, 1, NotSerialized)
            {
                CreateDWordField (Arg0, 5, PRRI)
                \_SB.PCI0.ISA.PIRB = PRRI
            }
        }

        Device (LNKC)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 3)
            Method (_PRS, 0, NotSerialized) { Return (PIRS) }
            Method (_STA, 0, NotSerialized) { Return (PSTA (\_SB.PCI0.ISA.PIRC)) }
            Method (_DIS, 0, NotSerialized) { \_SB.PCI0.ISA.PIRC |= 0x80 }
            Method (_CRS, 0, NotSerialized) { Return (PCRS (\_SB.PCI0.ISA.PIRC)) }
            Method (_SRS, 1, NotSerialized)
            {
                CreateDWordField (Arg0, 5, PRRI)
                \_SB.PCI0.ISA.PIRC = PRRI
            }
        }

        Device (LNKD)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Method (_PRS, 0, NotSerialized) { Return (PIRS) }
            Method (_STA, 0, NotSerialized) { Return (PSTA (\_SB.PCI0.ISA.PIRD)) }
            Method (_DIS, 0, NotSerialized) { \_SB.PCI0.ISA.PIRD |= 0x80 }
            Method (_CRS, 0, NotSerialized) { Return (PCRS (\_SB.PCI0.ISA.PIRD)) }
            Method (_SRS, 1, NotSerialized)
            {
                CreateDWordField (Arg0, 5, PRRI)
                \_SB.PCI0.ISA.PIRD = PRRI
            }
        }

        Device (HPET)
        {
            Name (_HID, EisaId ("PNP0103"))
            Name (_UID, 0)
            OperationRegion (REGS, SystemMemory, 0xFED00000, 8)
            Field (REGS, DWordAcc, NoLock, Preserve)
            {
                BLID, 32
            }
            Method (_STA, 0)
            {
                If (LEqual (BLID, 0xFFFFFFFF)) { Return (0) }  // left out: nothing answers there
                Return (0x0F)
            }
            Name (_CRS, ResourceTemplate () { Memory32Fixed (ReadOnly, 0xFED00000, 0x00000400) })
        }

        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_BBN, 0)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0xFF, 0, 0x100)
                IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0000, 0x0CF7, 0, 0x0CF8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0D00, 0xFFFF, 0, 0xF300)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                             0, 0x000A0000, 0x000BFFFF, 0, 0x00020000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                             0, 0xC0000000, 0xFEBFFFFF, 0, 0x3EC00000)
            })

            // INTA#-INTD# of every slot, as the board turns them (src/devices/pci_intx.h): slot 1's INTA# is link A.
            Method (_PRT, 0, NotSerialized)
            {
                Local0 = Package (128) {}
                Local1 = 0
                While (Local1 < 128)
                {
                    Local2 = Local1 >> 2
                    Local3 = (Local1 + Local2 + 3) & 3
                    If (Local3 == 0)     { Local4 = Package (4) { 0, 0, LNKA, 0 } }
                    ElseIf (Local3 == 1) { Local4 = Package (4) { 0, 0, LNKB, 0 } }
                    ElseIf (Local3 == 2) { Local4 = Package (4) { 0, 0, LNKC, 0 } }
                    Else                 { Local4 = Package (4) { 0, 0, LNKD, 0 } }
                    Local4 [0] = (Local2 << 16) | 0xFFFF
                    Local4 [1] = Local1 & 3
                    Local0 [Local1] = Local4
                    Local1++
                }
                Return (Local0)
            }

            Device (ISA)
            {
                Name (_ADR, 0x00010000)
                OperationRegion (ROUT, PCI_Config, 0x60, 4)  // PIRQRC[A:D]
                Field (ROUT, ByteAcc, NoLock, Preserve) { PIRA, 8, PIRB, 8, PIRC, 8, PIRD, 8 }

                Device (RTC)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x70, 0x70, 1, 2) IRQNoFlags () {8} })
                }
                Device (KBD)
                {
                    Name (_HID, EisaId ("PNP0303"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x60, 0x60, 1, 1)
                        IO (Decode16, 0x64, 0x64, 1, 1)
                        IRQNoFlags () {1}
                    })
                }
                Device (MOU)
                {
                    Name (_HID, EisaId ("PNP0F13"))
                    Name (_CRS, ResourceTemplate () { IRQNoFlags () {12} })
                }
                Device (COM1)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 1)
                    Name (_CRS, ResourceTemplate () { IO (Decode16, 0x3F8, 0x3F8, 1, 8) IRQNoFlags () {4} })
                }
            }
        }
    }
}
