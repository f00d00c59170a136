#!/usr/bin/env python3
"""Which sources of one target can be compiled as one file.

join_groups.py [--size N] FILE..

Prints one line `GROUP;FILE` a file, in the order given. Two files of a group have no name in common in
their unnamed namespaces, where each file is alone as long as it is compiled alone. What this does not see
(it knows the layout that clang-format leaves, not the language) fails to compile, it is never wrong silently.
"""
import argparse
import pathlib
import re

UNNAMED = re.compile(r"^namespace \{$(.*?)^\}  // namespace$", re.S | re.M)
# The first that fits a line of the outermost level says which name it declares.
NAMES = [re.compile(pattern) for pattern in (
    r"(?:class|struct|enum class|enum|union) (?:\[\[\w+\]\] )?(\w+)",
    r"using (\w+) =",
    r"(?:TEST|TEST_F|TEST_P|INSTANTIATE_\w+)\(()",
    r"MATCHER\w*\((\w+)",
    r"[^\s#}/][^={(]*?(\w+)\s*(?:\[[^\]]*\])?\s*(?:[={;]|$)",  # a variable
    r"[^\s#}/][^={(]*?\b(\w+)\(",  # a function
)]


def own_names(path):
    text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    names = set(re.findall(r"^#define (\w+)", text, re.M))
    for part in UNNAMED.finditer(text):
        for line in part.group(1).splitlines():
            match = next(filter(None, (pattern.match(line) for pattern in NAMES)), None)
            if match:
                names.add(match.group(1))
    return names - {""}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=8, help="files in a group, at most")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    groups = []  # [count, names]
    for path in arguments.files:
        names = own_names(path)
        for number, group in enumerate(groups):
            if group[0] < arguments.size and not group[1] & names:
                break
        else:
            number, group = len(groups), [0, set()]
            groups.append(group)
        group[0] += 1
        group[1] |= names
        print(f"{number};{path}")


if __name__ == "__main__":
    main()
