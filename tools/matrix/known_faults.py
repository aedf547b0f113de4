# SPDX-License-Identifier: MIT
"""What other emulators are known to do otherwise than the manuals say: known/NAME.txt has each case, this file has what
shows in the cases of many rules, and the words."""
import collections
import dataclasses
import pathlib
import re

DIRECTORY = pathlib.Path(__file__).resolve().parent / "known"
NAMES = ("qemu", "bochs")


@dataclasses.dataclass(frozen=True)
class Everywhere:
    """A difference that is no fault of the rule in whose case it shows."""

    rule: str  # the one that is broken
    text: str
    what: str  # pattern for what differs: "rflags", "[10bf6]"
    bits: int  # the only bits of it that may differ
    at: int = -1  # of a byte in memory: its address modulo 4

    def explains(self, item):
        what, got, expected = item
        if not re.fullmatch(self.what, what) or (got ^ expected) & ~self.bits:
            return False
        return self.at < 0 or int(what[1:-1], 16) % 4 == self.at


MEMORY = r"\[[0-9a-f]+\]"
EVERYWHERE = {
    "qemu": (
        Everywhere("ID-14", "the flags that a fault pushes have RF clear; the manuals have it set.", MEMORY, 1, 2),
        Everywhere("IR-09", "IRET at CPL 0 leaves VIF and VIP as they were, so that they leak from case to case.", "rflags", 0x180000),
        Everywhere("IR-09", "and so into what is pushed.", MEMORY, 0x19, 2),
    ),
}
# (rule, words), for docs/conformance.md.
REMARKS = {
    "qemu": (
        ("AL-01, AL-03, ID-16", "there is no alignment check: #AC is never raised."),
        ("MD-01, PG-03, PG-04, MSR-03, MSR-05", "MOV to CR0, CR3, CR4 and WRMSR take reserved bits and forbidden combinations "
         "without #GP, some of them to the machine's end."),
        ("MSR-01, MSR-04", "a register that is not there reads as 0 and takes writes; addresses that are not canonical are stored."),
        ("GS-04", "WRFSBASE and WRGSBASE store an address that is not canonical."),
        ("ID-02, ID-03, ID-04, ID-11, ID-22", "in long mode the error code of a fault in a gate is twice what it should be: 16 times "
         "the vector, plus 2, where the manuals have 8 times."),
        ("ID-15", "EXT is not set in the error code of a fault that comes while an exception is delivered."),
        ("ID-21, IO-01", "INT1 (F1h) is an undefined opcode."),
        ("ID-17, ID-18", "an entry through a 16-bit gate ends the emulator or the machine."),
        ("ID-10, ID-20, CA-01", "a stack reference that is not canonical is #GP, not #SS."),
        ("IN-02, CA-03, RF-01", "a near branch to an address that is not canonical is taken, and faults at the target."),
        ("IS-02, IS-01", "LOCK and mandatory prefixes are not looked at where they make an encoding undefined."),
        ("IS-04, IS-05", "MMX instructions do not look at CR0.TS and CR0.EM."),
        ("SC-02", "SYSCALL outside 64-bit mode is executed on the Intel model."),
        ("SC-04, SC-09", "after SYSCALL the arithmetic flags are 0, whatever FMASK says."),
        ("SC-05", "the RPL in STAR is dropped from SS as well as from CS."),
        ("SE-02, SX-02", "SYSENTER_CS of 1 to 3, which is null, is taken; bits above 15 are lost."),
        ("SE-07, SX-03", "the AMD model executes SYSENTER and SYSEXIT in long mode."),
        ("SE-08", "the AMD model keeps 64 bits of SYSENTER_ESP and SYSENTER_EIP."),
        ("SR-02, SR-03, SR-05, SR-07", "SYSRET forces RPL 3 into SS on the AMD model, which keeps what STAR has."),
        ("SR-03", "SYSRET outside 64-bit mode is executed on the Intel model."),
        ("SR-04", "SYSRET to an address that is not canonical faults at CPL 3, after the return, on the Intel model: the case of "
         "CVE-2012-0217 does not show."),
        ("SR-06", "SYSRET takes VM from R11, and neither VIF nor VIP."),
        ("SR-08", "the AMD model's SS that is null by SYSRET works in compatibility mode."),
        ("SX-05", "SYSEXIT takes RCX and RDX that are not canonical."),
        ("SG-05", "LAR on the AMD model has bits 19:16 clear; LAR and LSL take descriptors that long mode does not have."),
        ("SG-08, SG-10", "a null DS or ES is read and written like a flat one; code segments can be written."),
        ("IR-05, JF-04", "a code segment with L and D is taken."),
        ("IR-06, IR-07, IR-08", "IRET takes a null SS where 64-bit mode does not have one, names #NP for #SS, and checks limit and "
         "canonical form of RIP after the return."),
        ("IR-14", "IRET leaves null selectors 1 to 3 in the data segment registers."),
        ("IO-02, VM-03", "protected-mode virtual interrupts (CR4.PVI) are not there."),
        ("DB-01, DB-03, DB-06, DB-10", "a data breakpoint's address is not rounded down to its size, one on an interrupt's frame ends "
         "the machine, and DR6 keeps bit 12."),
        ("SH-01, SH-02, SH-03", "MOV SS holds off neither code breakpoints nor the data breakpoint of its own load, which so does not "
         "come after a following INT n or SYSCALL."),
        ("TS-03, TS-10", "a task switch leaves DR7's local breakpoints set; the T bit of the TSS does not trap, the old task's TF does."),
        ("NX-01, NX-08", "#SS does not count as contributory."),
        ("ST-01", "flags of the last iteration are there when a later one of REPE CMPS faults, which is AMD's way."),
    ),
    "bochs": (
        ("MSR-01, MSR-03", "a register that is not there reads as 0 and takes writes; FMASK and the AMD model's EFER take bits that "
         "are reserved."),
        ("SC-05", "the RPL in STAR is dropped from SS as well as from CS."),
        ("SC-06", "SYSCALL with TF set traps although FMASK clears TF."),
        ("SE-07, SX-03", "the AMD model executes SYSENTER and SYSEXIT in long mode."),
        ("SE-08", "the AMD model keeps 64 bits of SYSENTER_ESP, and refuses a SYSENTER_EIP that is not canonical."),
        ("SR-02, SR-03, SR-05, SR-06, SR-07", "SYSRET forces RPL 3 into SS on the AMD model, which keeps what STAR has."),
        ("SR-08", "a null SS does not become a flat one by SYSRET, on either model."),
        ("SR-09", "TF that is set before SYSRET alone traps behind it."),
        ("IR-04", "IRETD in 64-bit mode at the same level leaves SS:ESP."),
        ("IR-06, IR-07", "IRET to level 1 takes a null SS of RPL 0; an absent SS is #NP, not #SS."),
        ("IR-11", "bits 63:32 of RSP do not stay the kernel's on the AMD model."),
        ("IR-12", "IRET to VM86 with EIP above FFFFh faults after the return."),
        ("JF-03, SG-16", "a far pointer has a 64-bit offset with REX.W on the AMD model too."),
        ("SG-09", "LLDT and LTR in compatibility mode take a base that is not canonical."),
        ("SG-15", "PUSH of a segment register leaves the upper half on the AMD model."),
        ("AL-03", "MOVUPS and FXSAVE on the AMD model do not check alignment."),
        ("SH-02", "a data breakpoint of MOV SS is lost by a following INT n."),
        ("DB-05, DB-07", "RF in what a trap between iterations pushes is clear on the Intel model."),
        ("DB-09", "a debug exception clears BT of DR6."),
        ("NX-04", "#AC while #DF is delivered ends the machine."),
        ("IQ-02", "HLT with TF set ends the run."),
        ("NX-06", "a privileged instruction that does not decode is #GP."),
        ("VM-03", "VIF with VIP faults in VM86 with IOPL 3 too."),
        ("ST-01", "flags of the last iteration are there when a later one of REPE CMPS faults, which is AMD's way."),
    ),
}


def read(name):
    """The known cases: a set of (rule, title, "vendor mode")."""
    path = DIRECTORY / f"{name}.txt"
    keys = set()
    for line in path.read_text().splitlines() if path.is_file() else ():
        if line and not line.startswith("#"):
            rule, title, places = line.split("\t")
            keys |= {(rule, title, place) for place in places.split(", ")}
    return keys


def write(name, version, keys):
    lines = collections.defaultdict(list)
    for rule, title, place in keys:
        lines[rule, title].append(place)
    DIRECTORY.mkdir(exist_ok=True)
    (DIRECTORY / f"{name}.txt").write_text(
        f"# Cases that {version} does not do as the manuals say: rule, title, vendor of the model with mode.\n"
        "# Written by tools/matrix/run --write-known, and looked at.\n"
        + "".join(f"{rule}\t{title}\t{', '.join(sorted(places))}\n" for (rule, title), places in sorted(lines.items())))


def idle_remarks():
    """Remarks about rules that no known case is of: (emulator, rule)."""
    known = {name: {rule for rule, _, _ in read(name)} for name in NAMES}
    return [(name, rule) for name in NAMES for rules, _ in REMARKS[name] for rule in rules.split(", ") if rule not in known[name]]
