#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the initial RAM disk of a test guest: /init, busybox, the guest programs given, and trees laid over its root. Linux
documentation, "initramfs buffer format" (newc). The same inputs give the same bytes."""
import argparse
import gzip
import pathlib

DIRECTORY, REGULAR, CHARACTER = 0o040000, 0o100000, 0o020000


def member(number, name, mode, data=b"", device=(0, 0)):
    """One newc member: a header of hexadecimal fields, the name and the data, each padded to four bytes."""
    encoded = name.encode() + b"\0"
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4)


def tree_members(tree):
    """The directories and files of a host's directory, which becomes the guest's root."""
    root = pathlib.Path(tree)
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_dir():
            yield name, DIRECTORY | 0o755, b"", (0, 0)
        else:
            yield name, REGULAR | (path.stat().st_mode & 0o777), path.read_bytes(), (0, 0)


def archive(busybox, programs, trees=()):
    init = pathlib.Path(__file__).with_name("init").read_bytes()
    members = [(name, DIRECTORY | 0o755, b"", (0, 0)) for name in ("bin", "dev")]
    members.append(("dev/console", CHARACTER | 0o600, b"", (5, 1)))
    members.append(("init", REGULAR | 0o755, init, (0, 0)))
    members.append(("bin/busybox", REGULAR | 0o755, pathlib.Path(busybox).read_bytes(), (0, 0)))
    for program in programs:
        path = pathlib.Path(program)
        members.append(("bin/" + path.name, REGULAR | 0o755, path.read_bytes(), (0, 0)))
    there = {name for name, *_ in members}
    for tree in trees:
        for name, *rest in tree_members(tree):
            if name not in there:  # of two with one name the first stays
                there.add(name)
                members.append((name, *rest))
    out = b"".join(member(number, *m) for number, m in enumerate(members, 1))
    return out + member(0, "TRAILER!!!", 0)


def write(path, busybox, programs, trees=()):
    pathlib.Path(path).write_bytes(gzip.compress(archive(busybox, programs, trees), 6, mtime=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", required=True, metavar="FILE", help="the RAM disk to write")
    parser.add_argument("--busybox", required=True, metavar="FILE", help="a static busybox for the guest")
    parser.add_argument("--tree", action="append", default=[], metavar="DIR", help="laid over the guest's root")
    parser.add_argument("programs", nargs="*", help="put into /bin")
    options = parser.parse_args()
    write(options.o, options.busybox, options.programs, options.tree)


if __name__ == "__main__":
    main()
