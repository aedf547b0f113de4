# SPDX-License-Identifier: MIT
"""What other emulators are known to do otherwise than the manuals say: known/NAME.txt has each case, this file has what
shows in the cases of many rules, and the words."""
import collections
import dataclasses
import pathlib
import re

DIRECTORY = pathlib.Path(__file__).resolve().parent / "known"
NAMES = ("qemu", "bochs")


@dataclasses.dataclass(frozen=True)
class Everywhere:
    """A difference that is no fault of the rule in whose case it shows."""

    rule: str  # the one that is broken
    text: str
    what: str  # pattern for what differs: "rflags", "[10bf6]"
    bits: int  # the only bits of it that may differ
    at: int = -1  # of a byte in memory: its address modulo 4

    def explains(self, item):
        what, got, expected = item
        if not re.fullmatch(self.what, what) or (got ^ expected) & ~self.bits:
            return False
        return self.at < 0 or int(what[1:-1], 16) % 4 == self.at


MEMORY = r"\[[0-9a-f]+\]"
EVERYWHERE = {
    "qemu": (
        Everywhere("ID-14", "the flags that a fault pushes have RF clear; the manuals have it set.", MEMORY, 1, 2),
        Everywhere("IR-09", "IRET at CPL 0 leaves VIF and VIP as they were, so that they leak from case to case.", "rflags", 0x180000),
        Everywhere("IR-09", "and so into what is pushed.", MEMORY, 0x19, 2),
    ),
}
# (rule, words), for docs/conformance.md.
REMARKS = {"qemu": (), "bochs": ()}


def read(name):
    """The known cases: a set of (rule, title, "vendor mode")."""
    path = DIRECTORY / f"{name}.txt"
    keys = set()
    for line in path.read_text().splitlines() if path.is_file() else ():
        if line and not line.startswith("#"):
            rule, title, places = line.split("\t")
            keys |= {(rule, title, place) for place in places.split(", ")}
    return keys


def write(name, version, keys):
    lines = collections.defaultdict(list)
    for rule, title, place in keys:
        lines[rule, title].append(place)
    DIRECTORY.mkdir(exist_ok=True)
    (DIRECTORY / f"{name}.txt").write_text(
        f"# Cases that {version} does not do as the manuals say: rule, title, vendor of the model with mode.\n"
        "# Written by tools/matrix/run --write-known, and looked at.\n"
        + "".join(f"{rule}\t{title}\t{', '.join(sorted(places))}\n" for (rule, title), places in sorted(lines.items())))
