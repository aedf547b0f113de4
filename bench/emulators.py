# SPDX-License-Identifier: MIT
"""How each emulator is started: the same kernel, RAM disk, command line, memory and vendor of processor in all of them, the
serial port on the standard output, no display."""
import dataclasses
import pathlib
import shutil
import subprocess

import guests
from rows import GUESTS

# The names that each emulator gives to its fullest processor of a vendor. QEMU's Intel processor says of no vulnerability that
# it is not affected; told the same of Ringside's, the kernel takes the same mitigations in both. RDRAND, which Ringside's have
# on request, is in both: without it Linux makes its random numbers again and again until its generator is ready.
RINGSIDE_CPU = {"amd": "max,vendor=amd,+rdrand", "intel": "max,-arch-capabilities,+rdrand"}
QEMU_CPU = {"amd": "max,vendor=AuthenticAMD", "intel": "max,vendor=GenuineIntel"}
BOCHS_CPU = {"amd": "trinity_apu", "intel": "corei7_haswell_4770"}  # with ryzen, Linux 6.1 hangs early


@dataclasses.dataclass(frozen=True)
class Image:
    """What to boot. `name` is used for files."""

    name: str
    guest: object  # rows.Guest
    initrd: pathlib.Path
    arguments: str = ""  # of the kernel's command line
    memory: int = 512  # MiB

    @property
    def kernel(self):
        return GUESTS / self.guest.kernel / "vmlinuz"

    @property
    def append(self):
        return " ".join(word for word in ("console=ttyS0", self.guest.append, self.arguments) if word)

    def options(self):
        """As Ringside and QEMU both spell them."""
        return ["-kernel", str(self.kernel), "-initrd", str(self.initrd), "-append", self.append, "-m", f"{self.memory}M",
                "-nographic", "-no-reboot"]


class Ringside:
    kind = "ringside"

    def __init__(self, name, program, engine=None):
        self.name, self.program, self.engine = name, pathlib.Path(program).resolve(), engine

    def missing(self):
        return None if self.program.is_file() else f"there is no {self.program}"

    def version(self):
        return first_line([self.program, "--version"])

    def command(self, image, _work, record=None):
        verb = ["record", "-o", str(record)] if record else ["run"]
        engine = ["--engine", self.engine] if self.engine else []
        return [str(self.program), *verb, *engine, *image.options(), "-cpu", RINGSIDE_CPU[image.guest.vendor],
                "--summary", "json"]


class Qemu:
    kind = name = "qemu"

    def missing(self):
        lost = [p for p in ("qemu-system-x86_64", "qemu-system-i386") if not shutil.which(p)]
        return f"{', '.join(lost)} not installed (package qemu-system-x86)" if lost else None

    def version(self):
        return first_line(["qemu-system-x86_64", "--version"])

    def command(self, image, _work):
        program = "qemu-system-x86_64" if image.guest.width == 64 else "qemu-system-i386"
        return [program, *image.options(), "-accel", "tcg", "-cpu", QEMU_CPU[image.guest.vendor]]


class Bochs:
    """It boots only by its BIOS, so from a CD with GRUB. Debian's build has no display that needs nothing: the network one is
    taken, with no viewer. That build has Bochs's debugger in it, which costs speed; a `bochs` that comes first in PATH is
    used instead."""

    kind = name = "bochs"
    # Instructions per virtual second: sets how often the guest's timer interrupts it. About what Bochs does.
    SPEED = 100_000_000

    def missing(self):
        lost = [p for p in ("bochs", "grub-mkrescue", "xorriso", "mformat") if not shutil.which(p)]
        if lost:
            return f"{', '.join(lost)} not installed (packages bochs, bochsbios, vgabios, grub-pc-bin, xorriso, mtools)"
        return None

    def version(self):
        line = next((line.strip() for line in self.help().splitlines() if "Emulator" in line), "")
        return line + (", with its debugger" if self.has_debugger() else "")

    def has_debugger(self):
        return "-rc filename" in self.help()

    @staticmethod
    def help():
        done = subprocess.run(["bochs", "--help"], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def command(self, image, work):
        disc = guests.cd_image(work / f"{image.name}.iso", image.kernel, image.initrd, image.append)
        config = work / f"{image.name}.bochsrc"
        config.write_text("\n".join((
            "display_library: rfb, options=\"timeout=0\"",
            "romimage: file=/usr/share/bochs/BIOS-bochs-latest",
            "vgaromimage: file=/usr/share/vgabios/vgabios.bin",
            f"megs: {image.memory}",
            f"cpu: model={BOCHS_CPU[image.guest.vendor]}, count=1, ips={self.SPEED}, reset_on_triple_fault=0",
            "clock: sync=none, time0=utc",
            f"ata0-master: type=cdrom, path={disc}, status=inserted",
            "boot: cdrom",
            "com1: enabled=1, mode=file, dev=/dev/stdout",
            "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy",
            "private_colormap: enabled=0",
            "panic: action=fatal", "error: action=report", "info: action=ignore", "debug: action=ignore",
            f"log: {work / image.name}.bochs-log", "")))
        command = ["bochs", "-q", "-f", str(config)]
        if self.has_debugger():  # which waits to be told to go on
            go = work / "bochs.rc"
            go.write_text("continue\n")
            command += ["-rc", str(go)]
        return command


def first_line(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.stdout else ""
