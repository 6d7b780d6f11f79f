# SPDX-License-Identifier: Apache-2.0
"""Medians, spreads, ratios, verdicts: for people and as JSON."""

from statistics import median


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values), "values": values}


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def cell(figures):
    return f"{number(figures['median'])} ({number(figures['min'])}..{number(figures['max'])})"


def target(value, of, unit, more):
    if value is None:
        return "-"
    sign = "≥" if more else "≤"
    return f"{sign} {value:g} ×" if of == "ratio" else f"{sign} {value:g} {unit}"


def judged(value, ratio, wanted, of, more):
    if wanted is None:
        return True
    reached = ratio if of == "ratio" else value
    if reached is None:
        return False
    return reached >= wanted if more else reached <= wanted


def verdict(comparison, must, aim):
    if comparison.must is None:
        return "for information"
    if comparison.bound:
        return "within reach" if must else "OUT OF REACH"
    if not must:
        return "MISSED"
    return "aim met" if aim and comparison.aim is not None else "must met"


def line_of(comparison, samples):
    """A line of the table as data."""
    sat = spread([comparison.figure(sample) for sample in samples[comparison.sat]])
    peer = None
    ratio = None
    if comparison.peer:
        figure = comparison.peer_figure or comparison.figure
        peer = spread([figure(sample) for sample in samples[comparison.peer]])
        ratio = sat["median"] / peer["median"]
    more = comparison.more_is_better
    must = judged(sat["median"], ratio, comparison.must, comparison.must_of, more)
    aim = judged(sat["median"], ratio, comparison.aim, comparison.aim_of, more)
    return {
        "job": comparison.job,
        "what": comparison.what,
        "unit": comparison.unit,
        "sat": {"name": comparison.sat, **sat},
        "peer": {"name": comparison.peer, **peer} if peer else None,
        "ratio": ratio,
        "must": target(comparison.must, comparison.must_of, comparison.unit, more),
        "aim": target(comparison.aim, comparison.aim_of, comparison.unit, more),
        "verdict": verdict(comparison, must, aim),
    }


def contender_line(name, samples):
    keys = ("seconds", "client_cpu", "server_cpu", "client_kib", "server_kib")
    return {"name": name, **{key: spread([getattr(sample, key) for sample in samples]) for key in keys}}


def print_table(rows, head):
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("  ".join(str(value).ljust(width) for value, width in zip(row, widths)).rstrip())


def print_lines(lines):
    head = ["job", "what", "SAT", "beside", "unit", "ratio", "must", "aim", "verdict"]
    rows = []
    for line in lines:
        peer = f"{cell(line['peer'])} {line['peer']['name']}" if line["peer"] else "-"
        ratio = f"{line['ratio']:.2f} ×" if line["ratio"] is not None else "-"
        rows.append([line["job"], line["what"], cell(line["sat"]), peer, line["unit"], ratio, line["must"], line["aim"],
                     line["verdict"]])  # fmt: skip
    print_table(rows, head)


def print_costs(suites):
    head = ["suite", "who", "seconds", "client CPU s", "server CPU s", "client peak MiB", "server peak MiB"]
    rows = []
    for suite in suites:
        for who in suite["contenders"]:
            rows.append([
                suite["name"], who["name"], cell(who["seconds"]), number(who["client_cpu"]["median"]),
                number(who["server_cpu"]["median"]), number(who["client_kib"]["max"] / 1024),
                number(who["server_kib"]["max"] / 1024),
            ])  # fmt: skip
    print_table(rows, head)
