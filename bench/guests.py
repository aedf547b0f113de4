# SPDX-License-Identifier: MIT
"""Makes what the emulators boot: the bench program of each width, its RAM disks, and for Bochs a bootable CD image."""
import gzip
import pathlib
import shutil
import subprocess
import sys

from rows import GUESTS, ROOT

sys.path.insert(0, str(ROOT / "tests" / "guest"))
import make_initramfs
from make_initramfs import CHARACTER, DIRECTORY, REGULAR, member

SOURCES = ROOT / "bench" / "guest"
START = [ROOT / "tests" / "guest" / name for name in ("start.S", "start.c")]
# Freestanding, so that a 32-bit program needs no 32-bit C library. The loops of memory.c must stay loops.
FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic", "-no-pie", "-nostdlib", "-static",
         "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fcf-protection=none", "-Wl,--build-id=none",
         "-fno-tree-loop-distribute-patterns"]
# Vectors would do two elements at a time, with SSE2 whatever the unit that is asked for.
UNITS = {"sse2": ["-msse2", "-mfpmath=sse", "-fno-tree-vectorize"], "x87": ["-mfpmath=387", "-fno-tree-vectorize"]}


def build_program(width, work):
    """Compile the bench program; returns its path. Every run compiles it: it takes a second."""
    gcc = ["gcc", f"-m{width}", *FLAGS]
    program = work / f"bench{width}"
    objects = []
    for unit, flags in UNITS.items():
        objects.append(work / f"matmul-{unit}-{width}.o")
        subprocess.run([*gcc, *flags, f"-DMATMUL=work_matmul_{unit}", "-c", SOURCES / "matmul.c", "-o", objects[-1]], check=True)
    sources = sorted(path for path in SOURCES.glob("*.c") if path.name != "matmul.c")
    subprocess.run([*gcc, *START, *sources, *objects, "-o", program], check=True)
    return program


def bench_initrd(width, work):
    """A RAM disk whose /init is the bench program and that has nothing else but the console."""
    program = build_program(width, work).read_bytes()
    members = [("dev", DIRECTORY | 0o755, b"", (0, 0)), ("dev/console", CHARACTER | 0o600, b"", (5, 1)),
               ("init", REGULAR | 0o755, program, (0, 0))]
    archive = b"".join(member(number, *m) for number, m in enumerate(members, 1)) + member(0, "TRAILER!!!", 0)
    path = work / f"bench{width}.gz"
    path.write_bytes(gzip.compress(archive, 6, mtime=0))
    return path


def shell_initrd(width, work):
    """The RAM disk of the boot rows: the tests' own, with a shell."""
    path = work / f"shell{width}.gz"
    make_initramfs.write(path, GUESTS / ("busybox-amd64" if width == 64 else "busybox-i386"), [])
    return path


def cd_image(path, kernel, initrd, append):
    """A CD that boots the kernel by GRUB, for an emulator that has a BIOS and loads no kernel itself."""
    tree = pathlib.Path(f"{path}.tree")
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "boot" / "grub").mkdir(parents=True)
    shutil.copy(kernel, tree / "boot" / "vmlinuz")
    shutil.copy(initrd, tree / "boot" / "initrd")
    (tree / "boot" / "grub" / "grub.cfg").write_text(
        f"set timeout=0\nmenuentry bench {{\n    linux /boot/vmlinuz {append}\n    initrd /boot/initrd\n}}\n")
    done = subprocess.run(["grub-mkrescue", "-o", path, tree], capture_output=True, text=True, check=False)
    shutil.rmtree(tree)
    if done.returncode != 0:
        raise RuntimeError(f"grub-mkrescue failed: {done.stderr.strip()}")
    return path
