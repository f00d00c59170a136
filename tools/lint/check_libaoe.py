#!/usr/bin/env python3
"""Fails when libaoe's header, symbols, manual pages and C++ wrapper disagree.

check_libaoe.py LIBRARY PAGES     LIBRARY is the built libaoe.so, PAGES the folder of its built pages

The header include/aoe/aoe.h says which calls there are. Each must be in src/libaoe/libaoe.map and be
exported by the library under the version that the map gives it; nothing else may be. Each must have a
page NAME.3 with everything that such a page needs, and be used by include/aoe/aoe.hpp.
"""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import repo  # noqa: E402

DECLARATION = re.compile(r"^AOE_PUBLIC\s+[^;]*?\b(aoe_\w+)\([^;]*\);", re.MULTILINE)
VERSION = re.compile(r"^([\w.]+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
# The wrapper has no use for these: whoever wants them calls them.
NOT_WRAPPED = {"aoe_version"}
WORDS_MIN = 8


def declared_calls(header):
    return set(DECLARATION.findall(header))


def mapped_calls(text):
    """Call -> version of a linker's version script."""
    text = re.sub(r"#[^\n]*", "", text)
    return {name: version for version, body in VERSION.findall(text)
            for name in re.findall(r"\b(\w+);", body)}


def exported_calls(library):
    """Call -> version of what a shared library defines."""
    lines = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", str(library)],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    symbols = {}
    for line in lines:
        kind, name = line.split()[-2:]
        if kind != "A":  # the versions themselves
            name, _, version = name.partition("@@")
            symbols[name] = version
    return symbols


def page_problems(call, pages):
    """What a reader would miss. A page that only refers to another is judged by that one."""
    text = pages.get(call)
    if text is None:
        return [f"{call}: no manual page"]
    reference = re.match(r"\.so man3/(\w+)\.3\s*$", text)
    if reference:
        text = pages.get(reference.group(1), "")
    problems = []
    plain = re.sub(r"\\f[BIRP]|\\(?=[_.-])", "", text)
    sections = dict(re.findall(r"^\.SH ([A-Z ]+)\n(.*?)(?=^\.SH |\Z)", plain,
                               re.MULTILINE | re.DOTALL))
    if call not in sections.get("NAME", ""):
        problems.append(f"{call}: its page does not name it")
    if f"{call}(" not in sections.get("SYNOPSIS", ""):
        problems.append(f"{call}: its page does not show its prototype")
    for name in ("NAME", "RETURN VALUE"):
        if name not in sections:
            problems.append(f"{call}: its page has no {name}")
    words = " ".join(sections.get(name, "") for name in ("DESCRIPTION", "RETURN VALUE")).split()
    if len(words) < WORDS_MIN:
        problems.append(f"{call}: its page says nothing")
    return problems


def wrapper_problems(calls, wrapper):
    used = set(re.findall(r"\b(aoe_\w+)\s*\(", wrapper))
    return [f"{call}: aoe.hpp does not use it" for call in sorted(calls - used - NOT_WRAPPED)]


def check(header, version_script, exported, pages, wrapper):
    calls, mapped = declared_calls(header), mapped_calls(version_script)
    problems = [] if calls else ["aoe.h: no call found"]
    for call in sorted(calls - mapped.keys()):
        problems.append(f"{call}: declared, but not in libaoe.map")
    for call in sorted(mapped.keys() - calls):
        problems.append(f"{call}: in libaoe.map, but not declared")
    for call in sorted(calls | exported.keys()):
        if exported.get(call) != mapped.get(call):
            problems.append(f"{call}: exported as {exported.get(call)}, "
                            f"libaoe.map says {mapped.get(call)}")
        if call in calls:
            problems += page_problems(call, pages)
    for page in sorted(pages.keys() - calls):
        problems.append(f"{page}: has a manual page, but is no call")
    return problems + wrapper_problems(calls, wrapper), len(calls)


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    library, directory = map(pathlib.Path, arguments)
    if not library.exists() or not directory.exists():
        print("skipped: libaoe or its pages are not built yet")
        return 77
    pages = {path.stem: path.read_text(encoding="utf-8") for path in directory.glob("*.3")}

    def read(name):
        return (repo.ROOT / name).read_text(encoding="utf-8")

    return repo.finish(*check(read("include/aoe/aoe.h"), read("src/libaoe/libaoe.map"),
                              exported_calls(library), pages, read("include/aoe/aoe.hpp")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
