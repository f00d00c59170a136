#!/usr/bin/env python3
"""Fails when clang-format would change a file. `check_format.py --fix` lets it."""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import repo  # noqa: E402


def main(arguments):
    paths = repo.files(suffixes=(".h", ".hpp", ".c", ".cpp"))
    mode = ["-i"] if arguments == ["--fix"] else ["--dry-run", "-Werror"]
    result = subprocess.run(["clang-format", *mode, *map(str, paths)], capture_output=True,
                            text=True, check=False)
    # One line a file: the first place where it differs.
    first = {}
    for line in result.stderr.splitlines():
        place = re.match(r"(.+?):(\d+):\d+: error", line)
        if place:
            first.setdefault(place.group(1), place.group(2))
    problems = [f"{name.removeprefix(str(repo.ROOT) + '/')}:{number}: tools/lint/check_format.py "
                f"--fix would change this" for name, number in first.items()]
    if result.returncode and not problems:
        problems = [result.stderr]
    return repo.finish(problems, len(paths))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
