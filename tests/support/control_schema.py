"""Compares the answers of the initiator daemon with docs/CONTROL.md.

control_schema.py DOCUMENT SOCKET METHOD [PARAMS]

Asks METHOD and prints what the page has and the answer has not (-), and the other way round (+). The
members of an answer are written as the page has them: devices[].address, devices.*.errors.aborted.
"""

import json
import re
import socket
import sys

ADDRESS = re.compile(r"e\d+\.\d+$")


def documented(page, method):
    """The members of a result: those of every group of the method, with the group before them."""
    groups, group = {}, None
    for line in page.splitlines():
        if head := re.match(r"    (initiator\.\w+): ?(\S*)$", line):
            group = groups.setdefault(head.groups(), [])
        elif group is not None and line.startswith("      "):
            if other := re.match(r"      as (initiator\.\w+): (\S+)$", line):
                group += groups[other.groups()]
            else:
                group += line.split()
        else:
            group = None
    return {f"{prefix}.{member}" if prefix else member
            for (name, prefix), members in groups.items() if name == method for member in members}


def members(value, path=""):
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            name = "*" if ADDRESS.match(key) else key
            yield from members(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        if value and all(isinstance(inner, dict) for inner in value):
            for inner in value:
                yield from members(inner, path + "[]")
        else:
            yield path + "[]"
    else:
        yield path


def ask(path, method, params):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    request = {"version": 1, "id": "schema", "method": method, "params": params}
    connection.sendall(json.dumps(request).encode() + b"\n")
    answer = json.loads(connection.makefile().readline())
    if answer["version"] != 1 or answer["id"] != "schema":
        sys.exit(f"{method}: another envelope: {answer}")
    if "result" not in answer:
        sys.exit(f"{method}: {answer['error']}")
    return answer["result"]


def main():
    with open(sys.argv[1], encoding="utf-8") as page:
        wanted = documented(page.read(), sys.argv[3])
    found = set(members(ask(sys.argv[2], sys.argv[3], json.loads(sys.argv[4] if len(sys.argv) > 4 else "{}"))))
    found.discard("")
    for name in sorted(wanted - found):
        print(f"-{sys.argv[3]} {name}")
    for name in sorted(found - wanted):
        print(f"+{sys.argv[3]} {name}")
    sys.exit(1 if wanted != found or not wanted else 0)


main()
