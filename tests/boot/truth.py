# SPDX-License-Identifier: MIT
"""What a recording says of processes, compared with what strace said inside the same guest, call by call.

Both watched one run, so everything is compared as text. What differs by nature is brought together here, and nowhere else:

  order      strace's lines of different threads come as its own process was woken: each thread is compared by itself
  start      the traced program begins with its execve; what strace's child did before that was not traced
  restarts   strace sees the kernel's inner codes (ERESTARTSYS and the like), which no program ever sees; a recording says
             what the program sees: that the call is made again, or EINTR
  sigreturn  strace shows the mask that it finds in the signal's frame; a recording shows no arguments
  no end     exit, exit_group and the call that a thread was killed in never come back to the program. strace may have seen a
             result of the latter, or may not have printed the arguments that are shown at the return
"""
import re
from dataclasses import dataclass

from session import Failure

TOUCH_PAGES, TOUCH_STRIDE = 24, 0x100000  # tests/guest/exercise/exercise.h
INTERRUPTED = re.compile(r"^\? (ERESTART\w*|RESTART)")
NO_END = ("never", "open")


@dataclass
class Difference:
    pid: int
    place: int
    strace: str
    recording: str

    def __str__(self):
        return f"{self.pid} call {self.place}:\n    strace:    {self.strace}\n    recording: {self.recording}"


def result_of_strace(call):
    if not call.result or call.result == "?":
        return "?"
    return "interrupted" if INTERRUPTED.match(call.result) else call.result


def result_of_recording(call):
    if call["end"] in NO_END:
        return "?"
    if call["end"] == "restarted" or INTERRUPTED.match(call.get("result", "")):
        return "interrupted"
    return call.get("result", "?")


def line_of_strace(call):
    return f"{call.name}({call.args}) = {result_of_strace(call)}"


def line_of_recording(call):
    return f"{call['name']}({call['args']}) = {result_of_recording(call)}"


def are_equal(theirs, ours):
    if line_of_strace(theirs) == line_of_recording(ours):
        return True
    if theirs.name in ("rt_sigreturn", "sigreturn"):
        return theirs.name == ours["name"] and result_of_strace(theirs) == result_of_recording(ours)
    if result_of_strace(theirs) == "interrupted":
        return (theirs.name == ours["name"] and theirs.args == ours["args"] and ours["end"] in ("signal", "restarted")
                and ours["result"].startswith("-1 EINTR"))
    if ours["end"] not in NO_END or theirs.name != ours["name"]:
        return False
    if theirs.args.endswith(","):
        return ours["args"].startswith(theirs.args)
    return theirs.args == ours["args"]


def compare_threads(threads, calls):
    """threads: of strace_log.read(); calls: the recording's objects that are system calls, in order of their entries.
    Returns the differences and how many calls are equal."""
    differences, equal = [], 0
    for pid, thread in threads.items():
        mine = [c for c in calls if c.get("pid") == pid]
        if thread.calls and thread.calls[0].name == "execve":
            begin = next((i for i, c in enumerate(mine) if are_equal(thread.calls[0], c)), 0)
            mine = mine[begin:]
        for place in range(max(len(thread.calls), len(mine))):
            theirs = thread.calls[place] if place < len(thread.calls) else None
            ours = mine[place] if place < len(mine) else None
            if theirs and ours and are_equal(theirs, ours):
                equal += 1
                continue
            differences.append(Difference(pid, place, line_of_strace(theirs) if theirs else "(no more calls)",
                                          line_of_recording(ours) if ours else "(no more calls)"))
            if not theirs or not ours or theirs.name != ours["name"]:
                break  # out of step: what follows would only repeat this
    return differences, equal


def check_ends(threads, entries):
    """How each thread ended is told by its last entry from ring 3: exit or exit_group with the status that strace says; the page fault
    that SIGSEGV came from; something else when another process killed it."""
    for pid, thread in threads.items():
        last = [e for e in entries if e.get("pid") == pid and e["from.cpl"] == 3][-1]
        words = line_of_recording(last) if "name" in last else f"{last['mech']} {last.get('vector')}"
        if thread.end.startswith("exited with"):
            # A thread may also be ended by another's exit_group; here none is.
            right = last.get("name") in ("exit", "exit_group") and last["args"] == thread.end.split()[-1]
        elif thread.end == "killed by SIGSEGV":
            right = last.get("vector") == 14
        else:
            right = last.get("name") not in ("exit", "exit_group")
        if not right or last["end"] != "never":
            raise Failure(f"{pid} {thread.end}, but its last recorded entry is {words}, end: {last['end']}")


def check_signals(threads, entries):
    """Every handler that ran was begun by leaving the kernel for it, and ended by one (rt_)sigreturn."""
    for pid, thread in threads.items():
        returns = sum(c.name in ("rt_sigreturn", "sigreturn") for c in thread.calls)
        begun = sum(e.get("pid") == pid and e["end"] in ("signal", "restarted") for e in entries)
        if begun != returns:
            raise Failure(f"{pid}: strace saw {returns} returns from signal handlers, the recording {begun} handlers begin")


def check_page_faults(threads, entries, base):
    """Each touched page faulted in the process that touched it, and in no other."""
    owner, checked = {}, 0
    for pid, thread in threads.items():
        for call in thread.calls:
            match = re.match(r"0x([0-9a-f]+), (\d+), ", call.args)
            if call.name in ("mmap", "mmap2") and match and int(match[2]) == TOUCH_PAGES * 4096:
                owner.setdefault(int(match[1], 16), []).append(pid)
    faults = [e for e in entries if e.get("vector") == 14 and "cr2" in e]
    for area, pids in owner.items():
        if len(pids) != 1 or area < base or area >= base + 0x4000000 or (area - base) % TOUCH_STRIDE:
            continue
        for page in range(area, area + TOUCH_PAGES * 4096, 4096):
            here = {e.get("pid") for e in faults if page <= int(e["cr2"], 16) < page + 4096}
            if here != {pids[0]}:
                raise Failure(f"page {page:#x} was touched by {pids[0]}, but its page faults are of {sorted(map(str, here))}")
            checked += 1
    return checked


def check_address_spaces(threads, events):
    """Everything that left ring 3 while a thread ran, IRQs too, left from that thread's address space. events: transitions from
    ring 3, in order. An address space holds from one execve to the next."""
    spaces = {}
    unknown = [e["id"] for e in events if "pid" not in e and e["from.cpl"] == 3]
    if unknown:
        raise Failure(f"{len(unknown)} entries from ring 3 are of no known process, the first is #{unknown[0]}")
    for e in events:
        pid = e.get("pid")
        if pid not in threads or e["from.cpl"] != 3:
            continue
        spaces.setdefault(pid, {}).setdefault(int(e["from.cr3"], 16) & ~0xFFF, []).append(e["id"])
    for pid, of_thread in spaces.items():
        programs = 1 + sum(c.name == "execve" and c.result == "0" for c in threads[pid].calls)
        if len(of_thread) > programs:
            raise Failure(f"{pid} ran {programs} programs, but events of it come from the address spaces "
                          f"{', '.join(f'{cr3:#x} ({len(ids)} events)' for cr3, ids in of_thread.items())}")
    return sum(len(ids) for of_thread in spaces.values() for ids in of_thread.values())
