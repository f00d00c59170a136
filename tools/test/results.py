#!/usr/bin/env python3
"""Keeps the results of one run of ./test: one tab-separated line a test, and the summary of them.

results.py collect FILE STAGE JUNIT TAPS   add what ctest wrote; a .bats file counts its own tests
results.py add FILE STAGE STATUS NAME [REASON]     add one result; STATUS: passed, failed, skipped
results.py report FILE                     print the summary; exit 1 when something failed
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

STATUSES = ("passed", "failed", "skipped")
REASON_MAX = 200


def one_line(text):
    return " ".join((text or "").split())[:REASON_MAX]


def append(file, stage, status, name, reason=""):
    assert status in STATUSES, status
    with open(file, "a", encoding="utf-8") as out:
        out.write("\t".join((stage, status, one_line(name), one_line(reason))) + "\n")


def tap_results(path):
    """Yields (status, name, reason) of each test of a bats run, also of those that never ran."""
    planned, seen = 0, 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        plan = re.match(r"1\.\.(\d+)", line)
        if plan:
            planned = int(plan.group(1))
        result = re.match(r"(not )?ok \d+ (.*?)(?: # skip ?(.*))?$", line)
        if not result:
            continue
        seen += 1
        failed, name, reason = result.groups()
        if failed:
            yield "failed", name, ""
        elif reason is not None:
            yield "skipped", name, reason or "no reason given"
        else:
            yield "passed", name, ""
    for number in range(seen, planned):
        yield "failed", f"test {number + 1} of {planned}", "never ran"
    if planned == 0:
        yield "failed", "no tests", "bats stopped before the first test"


def skip_reason(case):
    """The reason of a skipped test: what GTest printed after its 'Skipped', else the last line."""
    lines = [line.strip() for line in (case.findtext("system-out") or "").splitlines()]
    lines = [line for line in lines if line and not line.startswith("[")]
    if "Skipped" in lines and lines.index("Skipped") + 1 < len(lines):
        return lines[lines.index("Skipped") + 1]
    if lines:
        return lines[-1].removeprefix("skipped: ")
    skipped = case.find("skipped")
    return skipped.get("message", "") if skipped is not None else "disabled"


def collect(file, stage, junit, taps):
    cases = xml.parse(junit).getroot().iter("testcase")
    for case in cases:
        name = case.get("name", "?")
        tap = pathlib.Path(taps) / f"{name}.tap"
        if tap.exists():
            for status, test, reason in tap_results(tap):
                append(file, stage, status, f"{name}: {test}", reason)
            if case.find("failure") is not None and "not ok" not in tap.read_text("utf-8", "replace"):
                append(file, stage, "failed", name, case.find("failure").get("message", ""))
            continue
        status = case.get("status", "")
        if case.find("failure") is not None or status == "fail":
            failure = case.find("failure")
            append(file, stage, "failed", name,
                   failure.get("message", "") if failure is not None else "")
        elif case.find("skipped") is not None or status in ("notrun", "disabled"):
            message = skip_reason(case)
            # A program that was not built is not a skip that somebody chose.
            broken = "NOT_BUILT" in name or "Unable to find executable" in message
            append(file, stage, "failed" if broken else "skipped", name, message)
        else:
            append(file, stage, "passed", name)


def report(file):
    rows = [line.rstrip("\n").split("\t")
            for line in open(file, encoding="utf-8")] if pathlib.Path(file).exists() else []
    stages = list(dict.fromkeys(row[0] for row in rows))
    total = dict.fromkeys(STATUSES, 0)
    width = max([len(stage) for stage in stages] + [5])
    print(f"\n{'stage':<{width}}  passed  failed  skipped")
    for stage in stages:
        count = {status: sum(1 for row in rows if row[0] == stage and row[1] == status)
                 for status in STATUSES}
        for status in STATUSES:
            total[status] += count[status]
        print(f"{stage:<{width}}  {count['passed']:6}  {count['failed']:6}  {count['skipped']:7}")
    for status, title in (("skipped", "NOT RUN"), ("failed", "FAILED")):
        if total[status]:
            print(f"\n{title} ({total[status]}):")
            for stage, kind, name, reason in rows:
                if kind == status:
                    print(f"  {stage}: {name}" + (f"  [{reason}]" if reason else ""))
    if total["passed"] == 0 and total["failed"] == 0:
        print("\nno test ran at all: that is a failure")
        total["failed"] = 1
    print(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] else 0


def main(arguments):
    if len(arguments) == 5 and arguments[0] == "collect":
        collect(*arguments[1:])
        return 0
    if len(arguments) in (5, 6) and arguments[0] == "add":
        append(*arguments[1:])
        return 0
    if len(arguments) == 2 and arguments[0] == "report":
        return report(arguments[1])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
