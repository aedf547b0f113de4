# SPDX-License-Identifier: MIT
"""What guest_watch said of a booting kernel, compared with what the guest's shell printed of itself."""
import re

# On i386 few events happen in kernel threads: no SWAPGS, no load of CR3.
LEAST_TASKS = {"cloud-amd64": 15, "amd64": 15, "686": 6, "686-pae": 6}


class Difference(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Difference(message)


COMMANDS = ["grep -w _stext /proc/kallsyms", "ps -o pid,comm"]
MODULE_COMMANDS = ["insmod /bin/crc7.ko", "insmod /bin/dummy.ko", "cat /proc/modules", "grep crc7 /proc/kallsyms",
                   "ps -o pid,comm"]
# Callers of the WRMSR that sets an entry up, innermost first; others may stand between.
CHAINS = {
    "cloud-amd64": {"c0000082": ["native_write_msr", "syscall_init", "cpu_init", "trap_init", "start_kernel"],
                    "277": ["native_write_msr", "pat_init", "generic_set_all", "mtrr_rendezvous_handler", "multi_cpu_stop",
                            "cpu_stopper_thread", "smpboot_thread_fn", "kthread", "ret_from_fork"]},
    "686": {"176": ["enable_sep_cpu", "identify_boot_cpu", "start_kernel", "i386_start_kernel"]},
}
CHAINS["amd64"] = CHAINS["cloud-amd64"]
CHAINS["686-pae"] = CHAINS["686"]


def news_of(text, kind):
    return [line.split(" ", 2)[2] for line in text.splitlines() if line.split(" ", 2)[1:2] == [kind]]


def check_slide(text, news, stext):
    """The kernel's own table of symbols, as it runs, against the one of its file."""
    printed = re.search(r"^([0-9a-f]+) T _stext$", text, re.M)
    check(printed, "the guest printed no _stext")
    told = [re.match(r"slide ([0-9a-f]+):", line) for line in news_of(news, "slide")]
    check(told and all(told), f"the slide was not told, or lost: {news_of(news, 'slide')}")
    slides = {int(match[1], 16) for match in told}
    check(slides == {int(printed[1], 16) - stext}, f"slide {slides}, but _stext is at {printed[1]}, linked at {stext:x}")
    check("IDT" in news_of(news, "slide")[-1], f"the IDT is no anchor of {news_of(news, 'slide')[-1]}")
    return slides.pop()


def check_tasks(text, news, least):
    """Each process of ps, by number and name. ps adds to a kernel worker's name what it works on, behind a '-'."""
    named = {}
    for line in news_of(news, "task"):
        match = re.match(r"[0-9a-f]+ pid=(\d+) tgid=(\d+) comm=(.*)$", line)
        check(match, f"not a task: {line!r}")
        named.setdefault(int(match[1]), set()).add(match[3])
    seen = 0
    for pid, name in re.findall(r"^ *(\d+) (\S+) *$", text, re.M):
        names = {n[:15] for n in named.get(int(pid), ())}
        if names:  # a task that no event ever found running is not told
            name = name.strip("[]{}")
            check(name[:15] in names or name.split("-")[0] in names, f"process {pid} is {name}, told was {names}")
            seen += 1
    check(seen >= least, f"only {seen} of the guest's processes were told of")
    check("swapper" in "".join(named.get(0, ())), f"the idle task is {named.get(0)}")
    check("init" in named.get(1, ()), f"process 1 is {named.get(1)}")
    return seen


def check_modules(text, news):
    bases = {name: int(base, 16) for name, base in re.findall(r"^(\w+) \d+ \d+ \S+ \w+ (0x[0-9a-f]+)", text, re.M)}
    told = {}
    for line in news_of(news, "module"):
        name, base, size, *symbols = line.split()
        told[name] = (int(base, 16), dict(s.rsplit("=", 1) for s in symbols if s.count("=") == 1 and ":" in s))
    check(bases and {name: base for name, (base, _) in told.items()} == bases, f"modules {bases}, told was {told}")
    printed = {name: address for address, name in re.findall(r"^([0-9a-f]+) \w (\S+)\s\[crc7\]$", text, re.M)}
    symbols = {name.split(":", 1)[1]: address for name, address in told["crc7"][1].items()}
    check(len(printed) > 5 and printed == symbols, f"symbols of crc7: {printed}, told was {symbols}")
    return len(bases)


def check_chains(news, flavour):
    for msr, callers in CHAINS[flavour].items():
        chains = [line.split(": ", 1)[1] for line in news_of(news, "wrmsr") if line.startswith(msr + " ")]
        found = [[frame.split("+")[0].split(".")[0] for frame in chain.split(" <- ")] for chain in chains]
        check(any(is_within(callers, chain) for chain in found), f"no WRMSR of {msr} was called by {callers}: {chains}")


def is_within(wanted, chain):
    rest = iter(chain)
    return all(name in rest for name in wanted)


def check_end(news):
    """getpid() and gettid() gave programs the numbers that were told, in every call."""
    end = dict(word.split("=") for word in news.splitlines()[-1].split() if "=" in word)
    check(end.get("wrong") == "0" and int(end.get("agreed", 0)) >= 1000, f"numbers of tasks: {news.splitlines()[-1]}")
    return end["agreed"]


def compare(text, news, stext, flavour, modules):
    slide = check_slide(text, news, stext)
    tasks = check_tasks(text, news, LEAST_TASKS[flavour])
    check_chains(news, flavour)
    agreed = check_end(news)
    count = check_modules(text, news) if modules else 0
    return f"slide {slide:x}, {tasks} processes of ps, {agreed} calls of getpid, {count} modules"
