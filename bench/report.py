"""The resulting tables: requests under load, and everything else."""

import re
import statistics

KIB = 1024
DIGITS = 2
LOAD_COLUMNS = ["requests", "bytes", "1: p50", "p99", "16: a second", "p50", "p99", "to bare", "64: a second", "p50", "p99", "to bare"]
OTHER_COLUMNS = ["measure", "Reelshelf", "limit", "ratio"]


def rounded(number):
    """With two significant digits, or as a whole number."""
    if number >= 10:
        return f"{number:,.0f}"
    if number <= 0:
        return "–"
    return f"{number:.{DIGITS}g}" if number >= 0.001 else f"{number:.4f}"


def shown(number, unit):
    if unit == "MiB":
        number /= KIB * KIB
    return f"{rounded(number)} {unit}" if unit != "/s" else f"{rounded(number)}/s"


def median(values):
    return statistics.median(values)


def table(columns, rows):
    if not rows:
        return ""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


class Report:
    def __init__(self, title):
        self.title = title
        self.cases = {}
        self.others = []
        self.failed = 0

    def load(self, name, size, connections, bare, ours):
        """A case under load: medians over the rounds, and of the ratios within each round."""
        self.failed += sum(load.failed for load in ours + bare)
        times = [rounded(median(values)) for values in ([load.p50 for load in ours], [load.p99 for load in ours])]
        cells = self.cases.setdefault(name, [name, f"{size:,.0f}"])
        if connections == 1:
            cells += times
        else:
            ratio = median([our.rate / their.rate for our, their in zip(ours, bare)])
            cells += [rounded(median([load.rate for load in ours])), *times, rounded(ratio)]

    def compare(self, name, ours, limit_name, limits, unit):
        """The service beside a limit that was measured in the same rounds."""
        ratio = median([our / limit for our, limit in zip(ours, limits)])
        limit = f"{shown(median(limits), unit)}, {limit_name}"
        self.others.append([name, shown(median(ours), unit), limit, rounded(ratio)])

    def single(self, name, figure, unit):
        self.others.append([name, shown(figure, unit), "", ""])

    def markdown(self, machine):
        tables = table(LOAD_COLUMNS, list(self.cases.values())) + table(OTHER_COLUMNS, self.others)
        failed = f"**{self.failed:.0f} requests failed.**\n\n" if self.failed else ""
        return f"### {self.title}\n\n{failed}{tables}{machine}\n"


SUMMARY_HEADING = "## What a collection needs"
SUMMARY = "start until ready", "memory, idle after the start", "memory, peak of the reads", "memory, peak of the import", "disk", "import"


def put_into(page, section):
    """The page with this section instead of the one with the same heading, or at the end, and with a new summary."""
    heading = section.split("\n", 1)[0]
    parts = re.split(r"^(?=##+ )", page, flags=re.M)
    place = next((n for n, part in enumerate(parts) if part.startswith(heading + "\n")), len(parts))
    parts[place : place + 1] = [section]
    rows = []
    for part in parts:
        if part.startswith("### "):
            cells = [re.search(rf"^\| {re.escape(name)} \| ([^|]*) \|", part, re.M) for name in SUMMARY]
            rows.append([part[4:].split("\n", 1)[0], *(cell[1] if cell else "" for cell in cells)])
    for n, part in enumerate(parts):
        if part.startswith(SUMMARY_HEADING):
            text = part.split("\n|", 1)[0].rstrip() + "\n\n"
            parts[n] = text + table(["collection", *SUMMARY], rows)
    return "\n\n".join(part.strip() for part in parts) + "\n"
