# SPDX-License-Identifier: MIT
"""The emulators that the images of the matrix run on, and a run of all cases of one image."""
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import time

BEGIN = re.compile(r"begin (\d+) (\S+) (\S+) (.*)")
END = re.compile(r"(agree|differ|refuse) (\d+)(.*)")
ITEM = re.compile(r"(\S+)=([0-9a-f]+) \(([0-9a-f]+)\)")
START = 60  # seconds that an emulator may need to its first line: firmware and boot loader
PATIENCE = 20  # seconds without a new line after it


@dataclasses.dataclass
class Case:
    number: int
    rule: str
    mode: str
    title: str
    outcome: str = "crash"  # agree, differ, refuse, crash
    items: list = dataclasses.field(default_factory=list)  # (what, got, expected)

    def __str__(self):
        return f"{self.rule} {self.mode} {self.title}"


class Ringside:
    name = "ringside"

    def __init__(self, program, engine):
        self.program, self.engine = program, engine

    def missing(self):
        return None if pathlib.Path(self.program).is_file() else f"there is no {self.program}"

    def version(self):
        return f"{first_line([self.program, '--version'])}, {self.engine} engine"

    def command(self, image, vendor, first, output, _work):
        return [self.program, "run", image, "-cpu", f"max,vendor={vendor}", "-append", f"from={first}", "-serial", f"file:{output}",
                "--engine", self.engine, "-no-reboot", "-device", "isa-debug-exit,iobase=0x501"]


class Qemu:
    name = "qemu"

    def missing(self):
        return None if shutil.which("qemu-system-x86_64") else "no qemu-system-x86_64 (package qemu-system-x86)"

    def version(self):
        return first_line(["qemu-system-x86_64", "--version"])

    def command(self, image, vendor, first, output, _work):
        name = {"intel": "GenuineIntel", "amd": "AuthenticAMD"}[vendor]
        return ["qemu-system-x86_64", "-accel", "tcg", "-cpu", f"max,vendor={name}", "-m", "256", "-display", "none", "-net", "none",
                "-no-reboot", "-serial", f"file:{output}", "-device", "isa-debug-exit,iobase=0x501", "-kernel", image,
                "-append", f"from={first}"]


class Bochs:
    """It boots by its BIOS only, so from a CD with GRUB."""

    name = "bochs"
    CPU = {"amd": "ryzen", "intel": "corei7_icelake_u"}

    def missing(self):
        lost = [p for p in ("bochs", "grub-mkrescue", "xorriso", "mformat") if not shutil.which(p)]
        return f"no {', '.join(lost)} (packages bochs, bochsbios, vgabios, grub-pc-bin, xorriso, mtools)" if lost else None

    def version(self):
        text = output_of(["bochs", "--help"])
        return next((line.strip() for line in text.splitlines() if "Emulator" in line), "bochs")

    def command(self, image, vendor, first, output, work):
        disc, config, go = work / "matrix.iso", work / "bochsrc", work / "bochs.rc"
        tree = work / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "boot" / "grub").mkdir(parents=True)
        shutil.copy(image, tree / "boot" / "matrix.elf")
        (tree / "boot" / "grub" / "grub.cfg").write_text(
            f"set timeout=0\nmenuentry matrix {{\n    multiboot /boot/matrix.elf from={first}\n}}\n")
        subprocess.run(["grub-mkrescue", "-o", disc, tree], capture_output=True, check=True)
        config.write_text("\n".join((
            "display_library: rfb, options=\"timeout=0\"", "romimage: file=/usr/share/bochs/BIOS-bochs-latest",
            "vgaromimage: file=/usr/share/vgabios/vgabios.bin", "megs: 256",
            f"cpu: model={self.CPU[vendor]}, count=1, ips=50000000, reset_on_triple_fault=0", "clock: sync=none",
            f"ata0-master: type=cdrom, path={disc}, status=inserted", "boot: cdrom", f"com1: enabled=1, mode=file, dev={output}",
            "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy", "private_colormap: enabled=0", "panic: action=fatal",
            "error: action=ignore", "info: action=ignore", "debug: action=ignore", f"log: {work / 'bochs.log'}", "")))
        go.write_text("continue\n")
        command = ["bochs", "-q", "-f", str(config)]
        return command + (["-rc", str(go)] if "-rc filename" in output_of(["bochs", "--help"]) else [])


def output_of(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def first_line(command):
    return output_of(command).splitlines()[0]


def parse(text, cases):
    """Take the lines of one run; returns whether it came to its end."""
    for line in text.splitlines():
        begin, end = BEGIN.match(line), END.match(line)
        if begin:
            number = int(begin[1])
            cases[number] = Case(number, begin[2], begin[3], begin[4])
        elif end and int(end[2]) in cases:
            case = cases[int(end[2])]
            case.outcome, case.items = end[1], [(w, int(g, 16), int(e, 16)) for w, g, e in ITEM.findall(end[3])]
    return "matrix: done" in text


def run_once(command, output):
    """Run until it ends, says that it is done, or says nothing for a while."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    size, since = 0, time.monotonic()
    while process.poll() is None:
        time.sleep(0.05)
        now = output.stat().st_size if output.exists() else 0
        if now != size:
            size, since = now, time.monotonic()
            if b"matrix: done" in output.read_bytes()[-64:]:
                break
        elif time.monotonic() - since > (PATIENCE if size else START):
            break
    process.kill()
    process.wait()
    return output.read_text(errors="replace") if output.exists() else ""


def run_image(emulator, image, vendor, work, verbose):
    """All cases of an image, by number. An emulator that ends in a case is started again behind it."""
    cases, first, output = {}, 0, work / "serial"
    while True:
        output.unlink(missing_ok=True)
        if parse(run_once(emulator.command(str(image), vendor, first, output, work), output), cases):
            return cases
        last = max(cases, default=-1)
        if last < first:
            raise RuntimeError(f"{emulator.name} does not start {image.name} at case {first}")
        if verbose:
            print(f"{emulator.name}, {image.name}: ended in case {last} {cases[last]}", file=sys.stderr)
        first = last + 1
