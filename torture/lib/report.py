"""The table of results: a line for each case, on standard output and in `target/torture/results.txt`."""

import time

from .processes import ROOT

FOLDER = ROOT / "target" / "torture"
SHOWN_PROBLEMS = 5


class Report:
    """The results of a part. `row` records a case; a case with a problem fails the part."""

    def __init__(self, part):
        self.part, self.failures, self.cases = part, 0, 0
        self.begun = time.monotonic()

    def row(self, database, case, figures, problems):
        seconds, self.begun = time.monotonic() - self.begun, time.monotonic()
        outcome = "held" if not problems else f"FAILED ({len(problems)})"
        self.cases += 1
        self.failures += bool(problems)
        line = f"{self.part:<14} {database:<9} {case:<34} {outcome:<12} {seconds:5.0f} s  {figures}"
        self.write("\n".join([line, *(f"    {p}"[:1500] for p in problems[:SHOWN_PROBLEMS])]))

    def skipped(self, database, case, why):
        """Skipped is not passed: `run` ends with status 3 unless it was told to skip it."""
        self.write(f"{self.part:<14} {database:<9} {case:<34} {'NOT RUN':<12}          {why}")

    def write(self, text):
        print(text, flush=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        with (FOLDER / "results.txt").open("a") as file:
            file.write(text + "\n")


def count(counter):
    """Statuses with their numbers, such as `201×40 503×2`."""
    return " ".join(f"{status}×{n}" for status, n in sorted(counter.items(), key=str))


