# SPDX-License-Identifier: MIT
"""What the walk of a crossing must show: the functions on the way, the marks of the transition, the words of pt_regs, and
counts that add up. The calls are those of tests/guest/walk.c."""
import re

SLOTS64 = ["ss", "rsp", "rflags", "cs", "rip", "orig_rax", "rdi", "rsi", "rdx", "rcx", "rax", "r8", "r9", "r10", "r11", "rbx", "rbp",
           "r12", "r13", "r14", "r15"]
SLOTS32 = ["ss", "sp", "flags", "cs", "ip", "orig_ax", "gs", "fs", "es", "ds", "ax", "bp", "di", "si", "dx", "cx", "bx"]
NO_SUCH_CALL, ENOSYS = 4660, 38
NUMBERS64 = {"sendto": 44, "getpid": 39, "kill": 62}
NUMBERS32 = {"sendto": 369, "getpid": 20, "kill": 37}

# The way into the kernel: what the stub and the C code before the dispatch are called, by (mechanism, 64-bit caller).
SYSCALL = ("syscall", True)
INT80, SYSENTER, SYSCALL32 = ("int_n", False), ("sysenter", False), ("syscall", False)
STUBS64 = {SYSCALL: ["entry_SYSCALL_64", "do_syscall_64"],
           INT80: [r"entry_INT80_compat|asm_int80_emulation", r"do_int80_\w+"],
           SYSENTER: ["entry_SYSENTER_compat", "do_SYSENTER_32", "do_fast_syscall_32"],
           SYSCALL32: ["entry_SYSCALL_compat", "do_fast_syscall_32"]}
STUBS32 = {INT80: ["entry_INT80_32", "do_int80_syscall_32"],
           SYSENTER: ["entry_SYSENTER_32", "do_SYSENTER_32", "do_fast_syscall_32"]}


class Wrong(Exception):
    """A walk does not show what it must."""


def check(condition, message):
    if not condition:
        raise Wrong(message)


class Walk:
    """One walk as `ringside path --format json` gives it, in the order in which things happened."""

    def __init__(self, data):
        self.call, self.walk = data["call"], data["walk"]
        self.nodes = []
        pending = [self.walk["tree"]]
        while pending:
            node = pending.pop()
            self.nodes.append(node)
            pending.extend(reversed(node.get("children", ())))

    def of(self, *kinds):
        return [n for n in self.nodes if n["kind"] in kinds]

    def names(self):
        return [n.get("name", "?") for n in self.of("function")]

    def passes(self, *patterns):
        """Functions whose names match these come in this order."""
        names = iter(self.names())
        for pattern in patterns:
            check(any(re.fullmatch(pattern, name) for name in names),
                  f"#{self.call['id']}: no {pattern} in its place; there are {self.names()}")

    def lacks(self, pattern):
        found = [name for name in self.names() if re.fullmatch(pattern, name)]
        check(not found, f"#{self.call['id']}: {found} is called")


def check_counts(walk):
    """Every node's own count, and each total, add up to the instructions between the two events."""
    def total(node):
        count = node.get("self", 0) + sum(total(child) for child in node.get("children", ()))
        check(count == node.get("total", 0), f"the total of {node.get('name', node['kind'])} is {node.get('total')}, not {count}")
        return count

    check(total(walk.walk["tree"]) == walk.walk["insns"] == walk.walk["sum"], f"the counts do not add up: {walk.walk['insns']}")
    check(walk.walk["insns"] == walk.call["insns"] + walk.walk["others"] or walk.call["switched"],
          f"{walk.walk['insns']} instructions, the recording says {walk.call['insns']}")


def check_slots(walk, way, is64, number):
    """pt_regs is built whole, from its highest word down, and holds the call's number."""
    expected = SLOTS64 if is64 else SLOTS32
    slots = walk.of("slot")
    names = [s["slot"] for s in slots]
    if way == INT80 and is64:  # the stub moves the return address through the word of rdi
        check(sorted(names) == sorted(expected), f"slots {names}")
    else:
        check(names == expected, f"slots {names}, not {expected}")
    values = {s["slot"]: int(s["value"], 16) for s in slots}
    number_at = "orig_rax" if is64 else "orig_ax"
    if values[number_at] in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF):  # an interrupt's stub: the number is in RAX's word
        number_at = "rax"
    check(values[number_at] == number, f"{number_at} is {values[number_at]}, not {number}")
    hardware = [s for s in slots if "insn" not in s]
    check(len(hardware) == (5 if way == INT80 else 0), f"the processor pushed {len(hardware)} words")


def check_marks(walk, way, is64, isolated):
    swaps, tables, stacks = walk.of("swapgs"), walk.of("cr3"), walk.of("stack")
    if walk.walk["switched"]:  # with FSGSBASE a change of tasks reads the inactive base between two of them
        check(len(swaps) % 2 == 0 and (len(swaps) >= 2) == is64, f"{len(swaps)} SWAPGS")
    else:
        check(len(swaps) == (2 if is64 else 0), f"{len(swaps)} SWAPGS")
    check(len(tables) >= 2 if isolated else not tables or walk.walk["switched"], f"{len(tables)} writes of CR3")
    if isolated:
        first, last = tables[0], tables[-1]
        check(int(first["old"], 16) & 0x1000 and not int(first["new"], 16) & 0x1000, f"the first write of CR3 is {first}")
        check(int(last["new"], 16) & 0x1000 and not int(last["old"], 16) & 0x1000, f"the last write of CR3 is {last}")
    check(stacks, "no stack switch")
    kinds = [n["kind"] for n in walk.nodes]
    check(kinds.index("entry") < kinds.index("stack") < len(kinds) - 1 - kinds[::-1].index("exit"), f"the order is {kinds}")
    check(walk.of("entry")[0]["mech"] == way[0], f"entered by {walk.of('entry')}")


def check_crossing(walk, way, is64, isolated, number):
    """What is true of every walk that returns to its caller."""
    check(walk.walk["end"] == "returned" and walk.walk["exit"] == walk.call["exit"], f"it ended as {walk.walk['end']}")
    check_counts(walk)
    check_slots(walk, way, is64, number)
    check_marks(walk, way, is64, isolated)
    walk.passes(*(STUBS64 if is64 else STUBS32)[way])
    names = walk.names()
    check(names[0] == re.fullmatch(r"(.*)", names[0])[1] and "?" not in names, f"functions without names: {names}")


def select(calls, comm, way):
    """The calls of one program by one way: by what they are, the entries of the tests."""
    numbers = NUMBERS64 if way == SYSCALL else NUMBERS32
    mine = [c for c in calls if c.get("comm") == comm and c["mech"] == way[0] and "number" in c]
    by = {name: [c for c in mine if c["number"] == number] for name, number in numbers.items()}
    check(len(by["sendto"]) == 2, f"{comm} by {way[0]}: {len(by['sendto'])} calls of sendto")
    return {"udp": by["sendto"][0], "unix": by["sendto"][1],
            "wrong": next(c for c in mine if c["number"] == NO_SUCH_CALL),
            "signal": next(c for c in by["kill"] if c["end"] == "signal"),
            "traced": max(by["getpid"], key=lambda c: c.get("insns", 0))}


def check_all(walk_of, calls, comm, way, is64, isolated):
    """walk_of: from an event number to a Walk. returns: a line that says what was seen"""
    numbers = NUMBERS64 if way == SYSCALL else NUMBERS32
    chosen = select(calls, comm, way)
    service = "__x64_sys_" if way == SYSCALL else "__ia32_sys_" if is64 else "__ia32_sys_|__se_sys_|sys_"
    walks = {name: walk_of(call["id"]) for name, call in chosen.items()}
    for name, number in (("udp", numbers["sendto"]), ("unix", numbers["sendto"]), ("wrong", NO_SUCH_CALL),
                         ("signal", numbers["kill"]), ("traced", numbers["getpid"])):
        try:
            check_crossing(walks[name], way, is64, isolated, number)
        except Wrong as wrong:
            raise Wrong(f"{comm} by {way[0]}, {name} (#{chosen[name]['id']}): {wrong}") from wrong
    walks["udp"].passes(rf"(?:{service})sendto", "__sys_sendto", "__sock_sendmsg|sock_sendmsg", "udp_sendmsg", r"udp_send_skb.*")
    walks["unix"].passes(rf"(?:{service})sendto", "__sys_sendto", "__sock_sendmsg|sock_sendmsg", "unix_dgram_sendmsg")
    walks["wrong"].lacks(rf"(?:{service})\w+")
    check(chosen["wrong"]["result"].startswith("-1 ENOSYS") or chosen["wrong"]["result"] == str(-ENOSYS), f"{chosen['wrong']}")
    check(walks["wrong"].walk["insns"] < 1000, "a number that does not exist takes a long way")
    walks["signal"].passes(rf"(?:{service})kill", r"exit_to_user_mode_(prepare|loop)", r"arch_do_signal_or_restart", "get_signal")
    walks["traced"].passes(r"syscall_trace_enter.*", "ptrace_notify", "__schedule")
    check(walks["traced"].of("others"), "a traced call whose tracer never ran")
    if way in (SYSENTER, SYSCALL32):
        around = [n.get("name") for n in walks["udp"].of("user", "entry", "exit")]
        entry = around.index(None)  # neither the entry nor the exit is a function
        leave = around.index(None, entry + 1)
        check(set(around[:entry] + around[leave + 1:leave + 2]) == {"__kernel_vsyscall"}, f"around the entry stands {around}")
    return (f"{comm} by {way[0]}: sendto {walks['udp'].walk['insns']} instructions in {len(walks['udp'].names())} calls, "
            f"wrong number {walks['wrong'].walk['insns']}, traced {walks['traced'].walk['insns']}")
