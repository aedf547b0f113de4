# SPDX-License-Identifier: MIT
"""What Ringside keeps in the host's memory beside the guest's own, and whether an instruction costs the same in a small and in
a large guest."""
import re

import emulators
import guests
import timing
from rows import BOOTS, GUESTS_MEASURED, Row

SIZES = (64, 256, 1024, 4096)  # MiB of guest memory
GUEST = "686"  # the 64-bit kernels need more than the smallest size to unpack themselves
ROWS = [Row(GUEST, name) for name in ("getpid-sysenter", "mmap", "faults", "fork", "pipe", "sieve")]
TARGET = 150  # MiB beside the guest's memory


def resident(session, memory):
    """returns: MiB: the peak of all that was resident, and that peak without the mapping that is the guest's memory"""
    with open(f"/proc/{session.process.pid}/status", encoding="ascii", errors="replace") as file:
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) / 1024
    with open(f"/proc/{session.process.pid}/smaps", encoding="ascii", errors="replace") as file:
        mappings = re.findall(r"^Size:\s+(\d+) kB.*?^Rss:\s+(\d+) kB", file.read(), re.MULTILINE | re.DOTALL)
    # The guest's memory is the one mapping that is as large as it; pages that it has touched stay resident.
    guest = max((int(rss) / 1024 for size, rss in mappings if int(size) >= memory * 1024), default=0)
    return {"peak": peak, "beside": peak - guest}


def boot_of(build, options):
    guest, seen = BOOTS["cloud-amd64"], {}
    image = emulators.Image("memory", guest, guests.shell_initrd(guest.width, options.work))
    timing.boot(build.command(image, options.work), options.work / f"memory-{build.name}.log",
                at_end=lambda session: seen.update(resident(session, image.memory)))
    print(f"{build.name}: boot, {image.memory} MiB guest: peak {seen['peak']:.0f} MiB, of it {seen['beside']:.0f} MiB beside "
          f"the guest's memory  <= {TARGET}  {'pass' if seen['beside'] <= TARGET else 'MISS'}", flush=True)
    return seen | {"target": TARGET, "passed": seen["beside"] <= TARGET}


def of_size(build, size, options):
    """returns: memory, and by workload the nanoseconds of processor time of an instruction"""
    guest, seen = GUESTS_MEASURED[GUEST], {}
    wanted = timing.counts(ROWS, build.kind)
    image = emulators.Image("memory", guest, guests.bench_initrd(guest.width, options.work), timing.arguments(wanted), size)
    samples = timing.workloads(build.command(image, options.work), wanted, options.work / f"memory-{build.name}.log",
                               at_end=lambda session, _: seen.update(resident(session, size)))
    return {"memory": seen, "ns per instruction": {name: s["cpu"] / s["ticks"] * 1e9 for name, s in samples.items()}}


def of_build(build, options):
    result = {"boot": boot_of(build, options), "by size": {size: of_size(build, size, options) for size in SIZES}}
    print(f"{build.name}: ns of processor time an instruction, by MiB of guest memory")
    print(f"{'':24}" + "".join(f"{size:>9}" for size in SIZES) + "   most / least")
    for row in ROWS:
        costs = [result["by size"][size]["ns per instruction"][row.name] for size in SIZES]
        print(f"{row.name:24}" + "".join(f"{cost:9.2f}" for cost in costs) + f"   {max(costs) / min(costs):.2f}")
    print(f"{'MiB beside the guest':24}" + "".join(f"{result['by size'][size]['memory']['beside']:9.0f}" for size in SIZES))
    return result


def measure(options, builds):
    return {build.name: of_build(build, options) for build in builds}
