# SPDX-License-Identifier: MIT
"""What recording every transition costs: the same run with and without it, in turn; the size of what is written; and QEMU's
log of interrupts for comparison."""
import json
import statistics
import subprocess
import sys

import emulators
import guests
import timing
from rows import BOOTS, GUESTS_MEASURED, Row

GETPID = Row("amd64", "getpid-syscall")
GATE = Row("amd64", "getpid-int80")
BOOT = Row("cloud-amd64")
TARGETS = {"getpid wall": 1.10, "getpid cpu": 1.25, "boot wall": 1.03, "boot cpu": 1.03, "bytes per event": 20}
LOGGED_CALLS = 20_000  # QEMU writes more than a kilobyte for each
END_RUN = "\x01x"  # Ctrl-A x


def events_in(build, trace):
    """returns: (events, bytes) of a recording"""
    done = subprocess.run([build.program, "stat", "--format", "json", trace], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["events"], trace.stat().st_size


def pairs(options, once):
    """once(recorded): a sample. Returns ratios recorded / not of processor and wall-clock time, and the medians."""
    samples = {False: [], True: []}
    for _ in range(options.pairs):
        for recorded in (False, True):
            samples[recorded].append(once(recorded))
    result = {}
    for key in ("cpu", "wall"):
        plain, recorded = ([s[key] for s in samples[r]] for r in (False, True))
        result[key] = {"plain": statistics.median(plain), "recorded": statistics.median(recorded),
                       "ratio": statistics.median(recorded) / statistics.median(plain),
                       "ratio_of_pairs": [min(b / a for a, b in zip(plain, recorded)),
                                          max(b / a for a, b in zip(plain, recorded))]}
    return result


def of_build(build, options):
    trace, log = options.work / f"{build.name}.trace", options.work / f"record-{build.name}.log"
    result = {}

    def boot(recorded):
        image = emulators.Image("record-boot", BOOTS["cloud-amd64"], guests.shell_initrd(64, options.work))
        return timing.boot(build.command(image, options.work, trace if recorded else None), log, END_RUN)

    def calls(recorded, count=None):
        wanted = {GETPID: count or GETPID.count("ringside")}
        image = emulators.Image("record", GUESTS_MEASURED["amd64"], guests.bench_initrd(64, options.work),
                                timing.arguments(wanted))
        return timing.workloads(build.command(image, options.work, trace if recorded else None), wanted, log)[GETPID.name]

    for name, once in (("boot", boot), ("getpid", calls)):
        result[name] = pairs(options, once)
        events, size = events_in(build, trace)
        result[name] |= {"events": events, "bytes": size, "bytes per event": size / events}
        print(f"{build.name}: {name} recorded / not: processor {result[name]['cpu']['ratio']:.2f}x, wall "
              f"{result[name]['wall']['ratio']:.2f}x; {events:,} events, {size / events:.1f} bytes each", flush=True)
    result["by length"] = []
    count = 250_000  # a call makes four events: in, SWAPGS twice, and out
    while 4 * count <= options.events:
        sample = calls(True, count)
        events, size = events_in(build, trace)
        result["by length"].append({"events": events, "bytes": size, "cpu": sample["cpu"], "calls": count})
        print(f"{build.name}: {events:,} events: {sample['cpu'] / count * 1e9:.0f} ns of processor time a call, "
              f"{size / events:.1f} bytes an event", flush=True)
        count *= 10
    trace.unlink()
    measured = {"getpid wall": result["getpid"]["wall"]["ratio"], "getpid cpu": result["getpid"]["cpu"]["ratio"],
                "boot wall": result["boot"]["wall"]["ratio"], "boot cpu": result["boot"]["cpu"]["ratio"],
                "bytes per event": max(result[name]["bytes per event"] for name in ("boot", "getpid"))}
    result["targets"] = {name: {"target": TARGETS[name], "measured": value, "passed": value <= TARGETS[name]}
                         for name, value in measured.items()}
    for name, verdict in result["targets"].items():
        print(f"{build.name}: {name:16} {verdict['measured']:7.3f}  <= {verdict['target']:g}  "
              f"{'pass' if verdict['passed'] else 'MISS'}")
    return result


def of_qemu(qemu, options):
    """QEMU's -d int on a loop of INT 80h: its size is taken between the markers."""
    text, log, sizes = options.work / "qemu-int.txt", options.work / "record-qemu.log", []
    samples = {False: [], True: []}
    wanted = {False: {GATE: GATE.count("qemu")}, True: {GATE: LOGGED_CALLS}}
    for _ in range(options.pairs):
        for logged in (False, True):
            image = emulators.Image("record-qemu", GUESTS_MEASURED["amd64"], guests.bench_initrd(64, options.work),
                                    timing.arguments(wanted[logged]))
            command = qemu.command(image, options.work) + (["-d", "int", "-D", str(text)] if logged else [])
            take = (lambda *_: sizes.append(text.stat().st_size)) if logged else None
            samples[logged].append(timing.workloads(command, wanted[logged], log, take, take)[GATE.name]["speed"])
    text.unlink()
    result = {"slower": statistics.median(samples[False]) / statistics.median(samples[True]),
              "bytes per event": (sizes[1] - sizes[0]) / LOGGED_CALLS}
    print(f"qemu: -d int on INT 80h: {result['slower']:.1f}x slower, {result['bytes per event']:,.0f} bytes an event")
    return result


def measure(options, builds, others):
    report = {build.name: of_build(build, options) for build in builds}
    report |= {peer.name: of_qemu(peer, options) for peer in others if peer.kind == "qemu"}
    sys.stdout.flush()
    return report
