# SPDX-License-Identifier: MIT
"""From the samples of the runs to medians, ratios and verdicts, as a table and as data."""
import statistics


def spread(values):
    return (max(values) - min(values)) / statistics.median(values)


def summarise(row, samples):
    """The samples of one emulator, in the order of the pairs."""
    cpu, speed = [s["cpu"] for s in samples], [s["speed"] for s in samples]
    result = {
        "cpu_seconds": cpu,
        "wall_seconds": [s["wall"] for s in samples],
        "operations_per_second": statistics.median(speed),
        "seconds": statistics.median(cpu),
        "spread": spread(speed),
    }
    if not row.is_boot:
        result["count"] = samples[0]["count"]
        result["check"] = samples[0]["check"]
        result["ticks_per_operation"] = samples[0]["ticks"] / samples[0]["count"]
    return result


def compare(row, subject, reference):
    """One emulator's samples against another's of the same run. Ratios of speed: above 1, the subject is faster; a boot's
    time_ratio is the inverse, the way its target is given."""
    pairs = [a["speed"] / b["speed"] for a, b in zip(subject, reference)]
    ratio = statistics.median(s["speed"] for s in subject) / statistics.median(s["speed"] for s in reference)
    result = {"ratio": ratio, "ratio_of_pairs": [min(pairs), max(pairs)]}
    if row.is_boot:
        result["time_ratio"] = 1 / ratio
    return result


def judge(row, comparison):
    """True or False against the row's target, None when it has none."""
    if row.target is None:
        return None
    return comparison["time_ratio"] <= row.target if row.is_boot else comparison["ratio"] >= row.target


def disagreements(row, samples):
    """Emulators that did the same count of operations and computed something else: the names, in groups by the result."""
    groups = {}
    if row.is_boot:  # which computes nothing
        return []
    for name, runs in samples.items():
        for run in runs:
            groups.setdefault(run["count"], {}).setdefault(run["check"], set()).add(name)
    return [checks for checks in groups.values() if len(checks) > 1]


def evaluate(rows, samples, emulators):
    """samples: by row name and emulator name. Returns the data of all rows that were measured, by name.

    Every Ringside is compared with every other kind of emulator, and with the first Ringside."""
    report = {}
    ringsides = [e for e in emulators if e.kind == "ringside"]
    for row in rows:
        taken = samples.get(row.name)
        if not taken:
            continue
        entry = {"text": row.text, "target": row.target, "comparisons": []}
        entry["emulators"] = {name: summarise(row, runs) for name, runs in taken.items()}
        for subject in ringsides:
            for reference in [e for e in emulators if e.kind != "ringside" or e is ringsides[0] is not subject]:
                if subject.name not in taken or reference.name not in taken:
                    continue
                comparison = compare(row, taken[subject.name], taken[reference.name])
                if reference.kind == "qemu":
                    comparison["passed"] = judge(row, comparison)
                entry["comparisons"].append({"subject": subject.name, "reference": reference.name, **comparison})
        wrong = disagreements(row, taken)
        if wrong:
            entry["disagreement"] = [{check: sorted(names) for check, names in checks.items()} for checks in wrong]
        report[row.name] = entry
    return report


def magnitude(value):
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} "


def speed_text(row, entry):
    text = f"{entry['seconds']:.2f} s" if row.is_boot else f"{magnitude(entry['operations_per_second'])}/s"
    return f"{text:>10} ±{entry['spread'] / 2:3.0%}"


def print_table(rows, report, emulators):
    """A block of lines for each comparison of emulators. An operation's instructions are what Ringside's clock counted."""
    lines = []
    for row in rows:
        for c in report.get(row.name, {}).get("comparisons", []):
            entry = report[row.name]["emulators"]
            subject, reference = entry[c["subject"]], entry[c["reference"]]
            ratio, low, high = c["ratio"], *c["ratio_of_pairs"]
            if row.is_boot:
                ratio, low, high = c["time_ratio"], 1 / high, 1 / low
            target, verdict = "", ""
            if c.get("passed") is not None:
                target = f"{'<=' if row.is_boot else '>='} {row.target:g}"
                verdict = "pass" if c["passed"] else "MISS"
            per_op = "" if row.is_boot else f"{subject['ticks_per_operation']:,.0f}"
            lines.append((c["subject"], c["reference"],
                          f"{row.name:28} {per_op:>11} {speed_text(row, subject)} {speed_text(row, reference)}  "
                          f"{ratio:6.2f}x ({low:.2f} to {high:.2f})  {target:>7} {verdict}".rstrip()))
    for a in emulators:
        for b in emulators:
            block = [text for subject, reference, text in lines if (subject, reference) == (a.name, b.name)]
            if block:
                print(f"\n{'row':28} {'insns/op':>11} {a.name:>15} {b.name:>15}   speed of {a.name} / {b.name}"
                      " (boots: time / time)")
                print("\n".join(block))
    for row in rows:
        for checks in report.get(row.name, {}).get("disagreement", []):
            print(f"{row.name}: DIFFERENT RESULTS: {checks}")
