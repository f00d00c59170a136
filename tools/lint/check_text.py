#!/usr/bin/env python3
"""Fails when a file speaks of one machine: its paths, its package mirrors; or breaks plain form.

check_text.py [ROOT]       the project by default
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import repo  # noqa: E402

# Split, so that this file does not find itself.
MACHINE_PATH = re.compile("(?<![A-Za-z0-9_.}])/" + r"work/|/home/(?!USER)[a-z]+/")
TEMPORARY_PATH = re.compile("(?<![A-Za-z0-9_.}])/" + "tmp/")
HOSTS = ("deb.deb" + "ian.org", "archive.ubu" + "ntu.com", "py" + "pi.org", "python" + "hosted.org",
         "registry.npm" + "js.org", "crates" + ".io", "proxy.go" + "lang.org", "docker" + ".io",
         "gh" + "cr.io", "qu" + "ay.io", "artifac" + "tory", "repo.mav" + "en.apache.org")
HOST = re.compile("|".join(re.escape(host) for host in HOSTS), re.IGNORECASE)
DOCUMENTS = (".md", ".scd", ".txt")
MARKDOWN_LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)\s]*)?\)")


def check_file(path, name, text):
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}"
        if MACHINE_PATH.search(line):
            yield f"{where}: a path of one machine"
        if path.suffix in DOCUMENTS and TEMPORARY_PATH.search(line):
            yield f"{where}: a document names a temporary path: let the reader choose it"
        if HOST.search(line):
            yield f"{where}: the host of a package registry"
        if line != line.rstrip() and path.suffix != ".patch":
            yield f"{where}: white space at the end of the line"
        if path.suffix == ".md":
            for target in MARKDOWN_LINK.findall(line):
                if not (path.parent / target).exists():
                    yield f"{where}: dead link: {target}"
    if text and not text.endswith("\n"):
        yield f"{name}: no newline at the end"


def check(root):
    """Returns (problems, number of files)."""
    problems, checked = [], 0
    for path in repo.files(root):
        name = path.relative_to(root)
        if "corpus" in name.parts or name.name == "LICENSE":
            continue
        text = repo.text_of(path)
        if text is None:
            continue
        checked += 1
        problems += check_file(path, name, text)
    return problems, checked


def main(arguments):
    root = pathlib.Path(arguments[0]) if arguments else repo.ROOT
    return repo.finish(*check(root.resolve()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
