# SPDX-License-Identifier: MIT
"""What is measured: the guests, the workloads and their counts, the rows they make, and the target of each row."""
import dataclasses
import fnmatch
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUESTS = pathlib.Path(os.environ.get("RINGSIDE_GUESTS", ROOT / "build" / "guests"))  # as tools/fetch-guests leaves them


@dataclasses.dataclass(frozen=True)
class Guest:
    """A kernel of tools/fetch-guests on one kind of processor. The width is that of the programs it runs."""

    kernel: str
    width: int
    vendor: str  # of the processor: no AMD model needs page-table isolation
    append: str = ""


# pti=on isolates page tables whatever the processor says; the 32-bit kernel can do so only with PAE.
GUESTS_MEASURED = {
    "amd64": Guest("cloud-amd64", 64, "amd"),
    "amd64-pti": Guest("cloud-amd64", 64, "intel", "pti=on"),
    "686": Guest("686", 32, "amd"),
    "686-pae-pti": Guest("686-pae", 32, "intel", "pti=on"),
}
BOOTS = {
    "cloud-amd64": Guest("cloud-amd64", 64, "amd"),
    "amd64": Guest("amd64", 64, "amd"),
    "686": Guest("686", 32, "amd"),
}


@dataclasses.dataclass(frozen=True)
class Workload:
    """A workload of guest/workload.h. Every emulator does `count` operations, or that divided by what `fewer` gives for
    it, so that a slow one does not hold up the run: speeds are operations per second, and compare all the same."""

    text: str
    count: int
    target: float = None  # least ratio of Ringside's speed to QEMU's, without page-table isolation
    pti: dict = None  # fewer operations by emulator with page-table isolation; None: not measured there
    pti_target: float = None
    fewer: dict = dataclasses.field(default_factory=lambda: {"bochs": 4})


SLOW_CR3 = {"qemu": 16, "bochs": 16}
WORKLOADS = {
    "getpid-syscall": Workload("getpid by SYSCALL", 1_600_000, 0.6, SLOW_CR3, 8.0),
    "getpid-sysenter": Workload("getpid by SYSENTER through the vDSO", 1_200_000, 0.8, SLOW_CR3, 8.0),
    "getpid-int80": Workload("getpid by INT 80h", 1_000_000, 1.0, SLOW_CR3, 8.0),
    "mmap": Workload("mmap 4 pages, touch each, munmap", 16_000, 1.0, {"qemu": 2, "bochs": 4}),
    "faults": Workload("page fault, the first write to a page", 120_000, 0.8, {"qemu": 4, "bochs": 8}),
    "signal": Workload("kill, handler, sigreturn", 120_000, 0.6, {"qemu": 8, "bochs": 8}),
    "fork": Workload("fork, exit, wait", 2_400, 1.0, {"qemu": 2, "bochs": 4}),
    "pipe": Workload("pipe round trip between two processes", 24_000, 1.0, {"qemu": 2, "bochs": 4}),
    "loop": Workload("empty loop, 2 M instructions", 250, 0.20),
    "sieve": Workload("sieve, primes below 65536", 500, 0.20),
    "coremark": Workload("CoreMark-like: list, matrix, states, CRC", 1_200, 0.17),
    "sha256": Workload("SHA-256 of 64 KiB", 160, 0.08),
    "movsb": Workload("REP MOVSB of 64 KiB", 5_000, 1.0, fewer={}),
    "matmul-sse2": Workload("product of 32 x 32 doubles, SSE2", 2_000, 0.8),
    "matmul-x87": Workload("product of 32 x 32 doubles, x87", 600, 1.0),
}
NARROW_ONLY, WIDE_ONLY = {"getpid-sysenter"}, {"getpid-syscall"}
# A boot's target is the most time that it may take, in times of QEMU's; for the others there is none to miss.
BOOT_TARGETS = {"cloud-amd64": 2.2, "amd64": 4.0}


@dataclasses.dataclass(frozen=True)
class Row:
    """One measured thing; `workload` None: the guest's boot to the shell."""

    guest: str
    workload: str = None

    @property
    def is_boot(self):
        return self.workload is None

    @property
    def name(self):
        return f"boot/{self.guest}" if self.is_boot else f"{self.guest}/{self.workload}"

    @property
    def text(self):
        return "boot to the shell" if self.is_boot else WORKLOADS[self.workload].text

    @property
    def target(self):
        """None, or the least ratio of speeds; for a boot the greatest ratio of times."""
        if self.is_boot:
            return BOOT_TARGETS.get(self.guest)
        workload = WORKLOADS[self.workload]
        return workload.pti_target if self.isolated else workload.target

    @property
    def isolated(self):
        return "pti=on" in GUESTS_MEASURED[self.guest].append

    def count(self, emulator):
        """Operations to do in an emulator of this kind."""
        workload = WORKLOADS[self.workload]
        return max(1, workload.count // (workload.pti if self.isolated else workload.fewer).get(emulator, 1))


def all_rows():
    rows = [Row(guest) for guest in BOOTS]
    for name, guest in GUESTS_MEASURED.items():
        for workload in WORKLOADS:
            row = Row(name, workload)
            if workload in (WIDE_ONLY if guest.width == 32 else NARROW_ONLY):
                continue
            if row.isolated and WORKLOADS[workload].pti is None:
                continue
            rows.append(row)
    return rows


def select(words):
    """The rows that the words name: a row, a guest or `boot`, a workload (in every guest), or a pattern with * of the row's
    name. Raises ValueError for a word that names none."""
    rows = all_rows()
    if not words:
        return rows
    chosen = []
    for word in words:
        found = [row for row in rows
                 if word in (row.name.split("/")[0], row.workload) or fnmatch.fnmatchcase(row.name, word)]
        if not found:
            raise ValueError(f"no row, guest or workload is called '{word}'; --list names them")
        chosen += found
    return [row for row in rows if row in chosen]
