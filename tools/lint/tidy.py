#!/usr/bin/env python3
"""Runs clang-tidy over the files of a compilation database, and skips what it has seen clean before.

tidy.py --build DIR [--jobs N] [--budget SECONDS] [--results FILE] [--cache DIR] [PATH..]

A file is clean again without a run when its flags, its own text, the text of every project header
it includes, .clang-tidy and the version of clang-tidy are what they were. PATHs (files or folders
of the project) restrict the run. With --budget no file is started after so many seconds: src/ comes
first, the newest changes first within it; what was left out counts as one skipped test that says how many files it stands for.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test"))
import repo  # noqa: E402
import results  # noqa: E402

FILE_SECONDS_MAX = 600


def default_cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "aoekit" / "tidy"


class Unit:
    """One entry of the compilation database."""

    def __init__(self, entry):
        self.path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        self.name = str(self.path.relative_to(repo.ROOT))
        self.directory = entry["directory"]
        words = entry.get("arguments") or shlex.split(entry["command"])
        if pathlib.Path(words[0]).name == "ccache":
            words = words[1:]
        self.words = words

    def key(self, version):
        """What the verdict on this file depends on, as one digest."""
        command, skip = [], False
        for word in self.words:
            if skip:
                skip = False
            elif word == "-o":
                skip = True
            elif word != "-c":
                command.append(word)
        listing = subprocess.run([*command, "-MM"], cwd=self.directory, capture_output=True,
                                 text=True, check=False)
        if listing.returncode != 0:
            return None
        names = shlex.split(listing.stdout.replace("\\\n", " ").split(":", 1)[1])
        digest = hashlib.sha256(version)
        digest.update(" ".join(command).replace(str(repo.ROOT), "").encode())
        for name in names:
            path = pathlib.Path(self.directory, name).resolve()
            digest.update(str(path).replace(str(repo.ROOT), "").encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()


def project_units(build, paths):
    database = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    chosen = [path.resolve() for path in paths]
    units = {}
    for entry in database:
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if build in path.parents or repo.ROOT not in path.parents:
            continue  # generated, or not ours
        if chosen and not any(path == one or one in path.parents for one in chosen):
            continue
        units[path] = Unit(entry)
    # The youngest file first: where a budget ends the run, the oldest code goes without.
    return sorted(units.values(), key=lambda unit: (
        not unit.name.startswith("src/"), not unit.name.startswith("tests/sim"),
        -unit.path.stat().st_mtime))


def findings(output):
    """Each finding with its line of code, without the long trail of notes that some leave."""
    lines = output.replace(f"{repo.ROOT}/", "").splitlines()
    kept = []
    for number, line in enumerate(lines):
        if ": error: " in line or ": warning: " in line or line.startswith("error:"):
            kept += lines[number:number + 3]
    return "\n".join(kept or lines)


class Runner:
    def __init__(self, options):
        self.options = options
        self.started = time.monotonic()
        self.cache = options.cache
        self.cache.mkdir(parents=True, exist_ok=True)
        version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
        self.version = version + (repo.ROOT / ".clang-tidy").read_bytes()

    def run(self, unit):
        """Returns (status, reason or output)."""
        key = unit.key(self.version)
        mark = self.cache / key if key else None
        if mark and mark.exists():
            mark.touch()
            return "passed", "seen before"
        if self.options.budget and time.monotonic() - self.started > self.options.budget:
            return "skipped", "out of budget"
        try:
            result = subprocess.run(
                ["clang-tidy", "--quiet", "-p", str(self.options.build), str(unit.path)],
                capture_output=True, text=True, timeout=FILE_SECONDS_MAX, check=False)
        except subprocess.TimeoutExpired:
            return "failed", f"clang-tidy took more than {FILE_SECONDS_MAX} s"
        if result.returncode != 0:
            return "failed", findings(result.stdout + result.stderr)
        if mark:
            mark.touch()
        return "passed", "checked"


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--budget", type=int, default=0)
    parser.add_argument("--results", default="")
    parser.add_argument("--cache", type=pathlib.Path, default=default_cache())
    parser.add_argument("paths", nargs="*", type=pathlib.Path)
    options = parser.parse_args(arguments)
    options.build = options.build.resolve()
    units = project_units(options.build, options.paths)
    runner = Runner(options)
    count = dict.fromkeys(results.STATUSES, 0)
    seen_before = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for unit, (status, text) in zip(units, pool.map(runner.run, units)):
            count[status] += 1
            seen_before += text == "seen before"
            if status == "failed":
                print(f"{unit.name}:\n{text}", flush=True)
            if options.results and status != "skipped":
                results.append(options.results, "tidy", status, unit.name,
                               "clang-tidy complains" if status == "failed" else text)
    if options.results and count["skipped"]:
        results.append(options.results, "tidy", "skipped",
                       f"{count['skipped']} of {len(units)} files",
                       f"the budget of {options.budget} s was over; AOE_TIDY_BUDGET, ./test --long")
    print(f"clang-tidy: {count['passed']} files clean ({seen_before} of them seen before), "
          f"{count['failed']} with findings, {count['skipped']} left out, "
          f"{time.monotonic() - runner.started:.0f} s")
    if not units:
        print("clang-tidy: no file to check")
    return 1 if count["failed"] or not units else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
