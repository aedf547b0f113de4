# SPDX-License-Identifier: MIT
"""Warnings and errors in a guest kernel's log, and which of them the machine cannot be blamed for."""
import pathlib
import re

WARNING = 4  # syslog priorities: emergency 0 to debug 7


def allowed():
    """Rows of kernel_log.allow: (pattern, reason)."""
    rows = []
    for line in pathlib.Path(__file__).with_name("kernel_log.allow").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, separator, reason = line.partition("  # ")
            if not separator:
                raise ValueError(f"kernel_log.allow: no reason given: {line}")
            rows.append((re.compile(pattern.strip()), reason.strip()))
    return rows


def complaints(raw):
    """The messages of priority warning and worse in the output of `dmesg -r`: (unexplained, explained with a reason)."""
    rows = allowed()
    unexplained, explained = [], []
    for line in raw.splitlines():
        match = re.match(r"<(\d+)>(?:\[ *[\d.]+\] )?(.*)", line)
        if not match or int(match[1]) & 7 > WARNING:
            continue
        reason = next((reason for pattern, reason in rows if pattern.search(match[2])), None)
        if reason is None:
            unexplained.append(match[2])
        else:
            explained.append((match[2], reason))
    return unexplained, explained
