#!/usr/bin/env python3
"""Fails on words that the code must not use, and says what to use instead.

check_banned.py [ROOT]     ROOT holds src/, include/, tests/, bench/; the project by default

Comments and string literals don't count, except for the rules marked `raw`; neither does a line with
`// NOLINT(check): reason`, which the rule `NOLINT without reason` keeps honest. A rule's allowance is
how often the word stands in the tree for now: it may only go down (a ratchet), and the lint says so
when it can.
"""
import dataclasses
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import repo  # noqa: E402

EVERYWHERE = ("src/", "include/", "tests/", "bench/")
EDGES = ("src/os/", "src/net/", "src/storage/", "src/runtime/")


@dataclasses.dataclass(frozen=True)
class Rule:
    name: str
    pattern: str
    instead: str
    inside: tuple = ("src/", "include/")
    outside: tuple = ()  # prefixes where the word is at home
    raw: bool = False  # look at comments and strings too
    allowance: int = 0


RULES = (
    Rule("clock", r"\b(system|steady|high_resolution)_clock\b|\bclock_gettime\b|\bgettimeofday\b",
         "the clock of os/, handed on as an Instant", outside=("src/os/",)),
    Rule("rand", r"\bs?rand(om)?(_r)?\s*\(|\bstd::(mt19937|random_device)\b",
         "base/prng.h with a given seed (os/ for entropy)", outside=("src/os/",)),
    Rule("strerror", r"\bstrerror\s*\(|\bperror\s*\(", "os/errno text, which knows the thread"),
    Rule("sleep", r"\b(usleep|nanosleep|sleep|sleep_for|sleep_until)\s*\(",
         "a timer of the loop, or a poll of the condition with a deadline",
         inside=("src/", "include/", "tests/unit/", "tests/sim/"), outside=("src/os/",)),
    Rule("volatile", r"\bvolatile\b", "std::atomic", inside=EVERYWHERE),
    Rule("reinterpret_cast", r"\breinterpret_cast\b", "base/bytes.h, or a wrapper in os/ or net/",
         outside=("src/os/", "src/net/", "src/base/bytes.h")),
    Rule("memcpy", r"\bmem(cpy|move|set)\s*\(", "copy_bytes or fill_zero of base/bytes.h",
         outside=("src/base/bytes.h", "src/os/", "src/net/")),
    # A factory that makes an object with a private constructor hands it to its owner at once.
    Rule("new/delete",
         r"^(?!.*\bunique_ptr<).*(?<![\w.])(?<!operator )new\s+[A-Za-z_:(]"
         r"|(?<!=)(?<!operator)\s\bdelete(\[\])?\s+\w",
         "std::make_unique or a container", inside=EVERYWHERE),
    Rule("std::cout", r"\bstd::(cout|cerr|clog)\b|#\s*include\s*<iostream>",
         "fmt::print, or the log of the program"),
    Rule("using namespace", r"\busing\s+namespace\b(?!\s+std::(string_view_)?literals)",
         "the names that are meant", inside=EVERYWHERE),
    Rule("FIXME", r"\bFIXME\b|\bXXX\b", "mend it now, or TODO(kind) with what is missing",
         inside=EVERYWHERE, raw=True),
    Rule("TODO without kind", r"\bTODO\b(?!\((perf|security|cleanup|compat|test)\))",
         "TODO(perf|security|cleanup|compat|test)", inside=EVERYWHERE, raw=True),
    Rule("NOLINT without reason", r"\bNOLINT(NEXTLINE|BEGIN)?\b(?!\([a-z][\w.,*-]+\)[ :]+\S)",
         "NOLINT(check-name): why", inside=EVERYWHERE, raw=True),
    Rule("C++23 or clang 14 gap",
         r"\bstd::(format|source_location|byteswap|move_only_function|views)\b",
         "fmt, __builtin_FILE, base/bytes.h, plain loops: both compilers must take it",
         inside=EVERYWHERE),
)

# A line whose NOLINT names a check and a reason has been thought about.
EXCUSE = re.compile(r"// NOLINT\([a-z][\w.,*-]+\): \S")
TOKEN = re.compile(
    r'R"(?P<delimiter>[^()\s]{0,16})\(.*?\)(?P=delimiter)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'|//[^\n]*|/\*.*?\*/", re.DOTALL)


def code_only(text):
    """The text with comments and literals blanked and every line where it was."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return TOKEN.sub(blank, text)


def check(root):
    """Returns (problems, number of files)."""
    texts = {}
    for path in repo.files(root, (".h", ".hpp", ".c", ".cpp")):
        name = str(path.relative_to(root))
        if name.startswith(EVERYWHERE):
            raw = path.read_text(encoding="utf-8", errors="replace")
            texts[name] = (raw, code_only(raw))
    problems = []
    for rule in RULES:
        hits = []
        for name, (raw, code) in texts.items():
            if not name.startswith(rule.inside) or name.startswith(rule.outside or "\0"):
                continue
            raw_lines = raw.splitlines()
            for number, line in enumerate((raw if rule.raw else code).splitlines(), 1):
                excused = not rule.raw and EXCUSE.search(raw_lines[number - 1])
                if re.search(rule.pattern, line) and not excused:
                    hits.append(f"{name}:{number}: {rule.name}: use {rule.instead}")
        if len(hits) > rule.allowance:
            problems += hits
        elif len(hits) < rule.allowance:
            problems.append(f"check_banned.py: {rule.name} stands only {len(hits)} times now: "
                            f"lower its allowance of {rule.allowance}")
    return problems, len(texts)


def main(arguments):
    root = pathlib.Path(arguments[0]) if arguments else repo.ROOT
    return repo.finish(*check(root.resolve()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
