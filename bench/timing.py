# SPDX-License-Identifier: MIT
"""Runs one emulator once and takes the processor time it has used whenever a marker comes on its serial console."""
import sys
import time

from rows import ROOT

sys.path.insert(0, str(ROOT / "tests" / "boot"))
from session import Failure, Session

MARKER_SECONDS = 900
QUIET = "loglevel=1"  # no message of the kernel may fall into a marker's line


class Timed(Session):
    def cpu_seconds(self):
        """Processor time, user and system, of all threads so far, in nanoseconds' resolution where /proc/PID/stat has
        hundredths. clock_getcpuclockid(3) makes this clock number of a process's number."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def marker(self, pattern):
        """Wait for a line. Returns (match, processor seconds, wall-clock seconds)."""
        match = self.expect(f"{pattern}|Kernel panic.*", MARKER_SECONDS)
        if match[0].startswith("Kernel panic"):
            raise Failure(f"the guest stopped: {match[0]}")
        return match, self.cpu_seconds(), time.monotonic()


def counts(rows, kind):
    """How many operations of each row an emulator of this kind does."""
    return {row: row.count(kind) for row in rows}


def arguments(wanted):
    """The kernel's arguments for the rows of one guest: after "--" they are those of the first process.
    wanted: operations by row."""
    return f"{QUIET} -- " + " ".join(f"{row.workload}:{count}" for row, count in wanted.items())


def workloads(command, wanted, log, at_begin=None, at_end=None):
    """One boot that does all the rows of one guest. Returns for each row's name a dict:
    count, check, ticks (by the guest's time-stamp counter), cpu and wall (seconds), speed (operations per second).
    at_begin, at_end: called with (session, row) at a row's markers, outside the time that is taken."""
    results = {}
    with Timed(command, log) as session:
        for row, count in wanted.items():
            session.marker(rf"BENCH {row.workload} BEGIN\n")
            if at_begin:
                at_begin(session, row)
            begin_cpu, begin_wall = session.cpu_seconds(), time.monotonic()
            match, cpu, wall = session.marker(
                rf"BENCH {row.workload} END check=(0x[0-9a-f]+) ticks=(0x[0-9a-f]+):(0x[0-9a-f]+)\n")
            if cpu <= begin_cpu:
                raise Failure(f"{row.name}: both markers came at once: too few operations to time")
            results[row.name] = {
                "count": count,
                "check": match[1],
                "ticks": int(match[2], 16) << 32 | int(match[3], 16),
                "cpu": cpu - begin_cpu,
                "wall": wall - begin_wall,
                "speed": count / (cpu - begin_cpu),
            }
            if at_end:
                at_end(session, row)
        session.marker("BENCH DONE")
        session.finish()  # a recording is whole only if its run ended by itself
    return results


def boot(command, log, quit_keys=None, at_end=None):
    """One boot to the shell's prompt. quit_keys: typed there to end the run in order, instead of killing it.
    at_end: called with the session at the prompt."""
    with Timed(command, log) as session:
        session.marker("RINGSIDE-READY")
        _, cpu, wall = session.marker("# ")
        if at_end:
            at_end(session)
        if quit_keys:
            session.type(quit_keys)
            session.finish()
        return {"cpu": cpu, "wall": wall - session.started, "speed": 1 / cpu}
