# SPDX-License-Identifier: MIT
"""Read what strace -f wrote into its -o file."""
import re
from dataclasses import dataclass, field


@dataclass
class Call:
    name: str
    args: str
    result: str  # "" when strace never saw the call end


@dataclass
class Thread:
    """What strace says of one thread, in its order."""

    pid: int
    calls: list = field(default_factory=list)
    signals: list = field(default_factory=list)  # names, in the order of delivery
    end: str = ""  # "exited with 3", "killed by SIGSEGV"


WHOLE = re.compile(r"^(\w+)\((.*)\)\s+= (.+)$", re.S)
BEGUN = re.compile(r"^(\w+)\((.*?)\s*<unfinished \.\.\.>$", re.S)
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)\)\s+= (.+)$", re.S)
SIGNAL = re.compile(r"^--- (\w+) \{.*\} ---$")
END = re.compile(r"^\+\+\+ (exited with \d+|killed by \w+)(?: \(core dumped\))? \+\+\+$")


class Unreadable(Exception):
    """A line that this reader does not understand."""


def read(text):
    """Threads by their number. Raises Unreadable: nothing is passed over in silence."""
    threads, open_calls = {}, {}
    for line in text.splitlines():
        head, _, what = line.partition(" ")
        what = what.strip()
        if not head.isdigit():
            if re.match(r"^strace: \[ Process PID=\d+ runs in (32|64) bit mode\. \]$", line) or not line:
                continue
            raise Unreadable(line)
        pid = int(head)
        thread = threads.setdefault(pid, Thread(pid))
        if match := SIGNAL.match(what):
            thread.signals.append(match[1])
        elif match := END.match(what):
            thread.end = match[1]
        elif match := BEGUN.match(what):
            call = Call(match[1], match[2], "")
            open_calls[pid] = call
            thread.calls.append(call)
        elif match := RESUMED.match(what):
            call = open_calls.pop(pid, None)
            if call is None or call.name != match[1]:
                raise Unreadable(line)
            # strace breaks a line behind a comma and its space; both sides of the break are the arguments.
            rest = match[2].replace(" <unfinished ...>", "")
            call.args = f"{call.args} {rest}" if call.args.endswith(",") and rest else call.args + rest
            call.result = match[3]
        elif match := WHOLE.match(what):
            thread.calls.append(Call(match[1], match[2], match[3]))
        elif re.match(r"^\[ Process PID=\d+ runs in (32|64) bit mode\. \]$", what):
            continue
        else:
            raise Unreadable(line)
    return threads
