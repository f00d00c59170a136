#!/usr/bin/env python3
"""Fails when a module includes a module or a system header that its layer may not see.

check_layers.py [SRC]      SRC is the tree to check, the project's src/ by default
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import repo  # noqa: E402

# The folder of include/: what programs outside the project see of libaoe.
PUBLIC = "aoe"

# Module -> project modules that it may include besides itself. docs/ARCHITECTURE.md gives the
# reasons. frontends/* and compat are the outermost layer, beside tools. A line for a folder inside a
# module goes before that of the module.
ALLOWED = {
    "base": set(),
    "protocol": {"base"},
    "config": {"base"},  # reads files, but knows no daemon
    "target": {"base", "protocol"},
    "initiator": {"base", "protocol"},
    "os": {"base"},
    "net": {"base", "os"},
    "storage": {"base", "os"},
    "runtime": {"base", "os"},
    "control": {"base", "os", "runtime"},  # its server runs on the event loop
    "daemon": {"base", "config", "os", "net", "runtime", "control"},  # what daemons have in common
    "targetd": {"base", "protocol", "config", "target", "os", "net", "storage", "runtime",
                "control", "daemon"},
    "client": {"base", "protocol", "initiator", "os", "net", "runtime", "control"},
    "libaoe": {"base", "client", "os", PUBLIC},
    "frontends/nbdkit": {PUBLIC},
    "frontends/ublk": {"base", "os", "frontends", PUBLIC},
    "frontends": {"base", "client", "os"},
    "initiatord": {"base", "protocol", "config", "initiator", "os", "net", "runtime", "control",
                   "daemon", "client", "frontends"},
    # Its formats see base alone: aoe_labels links nothing else.
    "compat/labels": {"base", "client", "os"},
    "tools": {"base", "protocol", "client", "control", "os", "net", "compat/labels"},
    "compat": {"base", "protocol", "client", "control", "os", "net"},
}

# Pure modules get their time from base/time.h, their randomness from base/prng.h and everything
# else as an argument: only headers of pure vocabulary are left for them.
PURE = {"base", "protocol", "target", "initiator"}
PURE_HEADERS = {
    "algorithm", "array", "bit", "bitset", "cctype", "charconv", "climits", "cmath", "compare",
    "concepts", "cstddef", "cstdint", "cstring", "deque", "expected", "functional",
    "initializer_list", "iterator", "limits", "list", "map", "memory", "new", "numeric", "optional",
    "queue", "ranges", "set", "span", "string", "string_view", "tuple", "type_traits",
    "unordered_map", "unordered_set", "utility", "variant", "vector",
}
# check.cpp writes one line and aborts; crc32c.cpp uses instructions that compilers name there; result.h is an
# alias of tl::expected.
PURE_EXCEPTIONS = {
    "base/check.cpp": {"cstdio", "cstdlib"},
    "base/crc32c.cpp": {"immintrin.h"},
    "base/result.h": {"tl/expected.hpp"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def check(root):
    """Returns (problems, number of files)."""
    problems, checked = [], 0
    paths = [path for path in repo.files(root) if path.suffix in (".h", ".hpp", ".c", ".cpp")]
    for path in paths:
        relative = path.relative_to(root)
        module = "/".join(relative.parts[:2])
        if module not in ALLOWED:
            module = relative.parts[0]
        checked += 1
        if module not in ALLOWED:
            problems.append(f"{relative}: module {module} has no line in check_layers.py")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, name = match.groups()
            where = f"{relative}:{number}"
            if quote == '"':
                other = "/".join(name.split("/")[:2])
                if other not in ALLOWED:
                    other = name.split("/")[0]
                if "/" not in name or ".." in name:
                    problems.append(f'{where}: write "{name}" with its path from src/')
                elif name.startswith(module + "/") or other.startswith(module + "/"):
                    continue
                elif other not in ALLOWED and other != PUBLIC:
                    problems.append(f'{where}: "{name}" is of no known module')
                elif other not in ALLOWED[module]:
                    problems.append(f"{where}: {module} may not include {other}")
            elif module in PURE and name not in PURE_HEADERS:
                if name not in PURE_EXCEPTIONS.get(str(relative), set()):
                    problems.append(f"{where}: pure module {module} may not include <{name}>")
    return problems, checked


def main(arguments):
    root = pathlib.Path(arguments[0]) if arguments else repo.ROOT / "src"
    return repo.finish(*check(root.resolve()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
