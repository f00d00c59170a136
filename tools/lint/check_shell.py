#!/usr/bin/env python3
"""Runs shellcheck over every shell script and bats file of the project."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import repo  # noqa: E402


def main():
    paths = [path for path in repo.files() if repo.is_shell(path)]
    # -x follows `source` lines; they name files relative to the script.
    result = subprocess.run(["shellcheck", "-x", "-P", "SCRIPTDIR", *map(str, paths)],
                            check=False, cwd=repo.ROOT)
    return repo.finish(["see above"] if result.returncode else [], len(paths))


if __name__ == "__main__":
    sys.exit(main())
