#!/usr/bin/env python3
"""Wireshark's AoE dissector reads every frame our builders make as we meant it.

    tshark_fields.py WRITE_FRAMES

WRITE_FRAMES is the test program that writes the capture and what it put in. Exits with 77 (skipped)
when there is no tshark.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

FIELDS = """frame.number frame.len eth.dst eth.src _ws.malformed aoe.version aoe.response
    aoe.flags_error aoe.error aoe.major aoe.minor aoe.cmd aoe.tag aoe.aflags.e aoe.aflags.d
    aoe.aflags.a aoe.aflags.w aoe.err_feature aoe.sector_count aoe.ata.cmd aoe.ata.status aoe.lba
    aoe.response_to""".split()


def tshark(pcap, *arguments):
    """The lines that tshark prints for the capture."""
    command = ["tshark", "-n", "-2", "-r", str(pcap), *arguments]
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    return done.stdout.splitlines()


def canonical(value):
    """A number however it is written; booleans are numbers."""
    if value in ("True", "False"):
        return int(value == "True")
    try:
        return int(value, 0)
    except ValueError:
        return value


def read_expected(path):
    """One (fields, slices) pair a frame."""
    frames = []
    for line in path.read_text(encoding="ascii").splitlines():
        pairs = [pair.split("=", 1) for pair in line.split()]
        fields = {name: canonical(value) for name, value in pairs if name[0] != "@"}
        slices = {int(name[1:]): value for name, value in pairs if name[0] == "@"}
        frames.append((fields, slices))
    return frames


def compare_fields(pcap, frames):
    """Complaints about fields that differ, are missing, or should not be there."""
    arguments = ["-T", "fields", "-E", "separator=|"]
    for field in FIELDS:
        arguments += ["-e", field]
    lines = tshark(pcap, *arguments)
    complaints = []
    if len(lines) != len(frames):
        complaints.append(f"tshark shows {len(lines)} frames of {len(frames)}")
    for line, (expected, _) in zip(lines, frames):
        values = zip(FIELDS, line.split("|"))
        found = {name: canonical(value) for name, value in values if value != ""}
        number = found.pop("frame.number")
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != expected.get(name):
                complaints.append(f"frame {number}: {name}: put in {expected.get(name)}, "
                                  f"tshark reads {found.get(name)}")
    return complaints


def compare_slices(pcap, frames):
    """Complaints about the arguments that Wireshark has no fields for, and about padding."""
    shown = json.loads("\n".join(tshark(pcap, "-T", "jsonraw", "-J", "frame")))
    complaints = []
    for number, (packet, (fields, slices)) in enumerate(zip(shown, frames), 1):
        frame = bytes.fromhex(packet["_source"]["layers"]["frame_raw"][0])
        # The fields of an ATA argument reach up to byte 36, an argument's without up to 24.
        end = 36 if "aoe.lba" in fields else 24
        for offset, text in slices.items():
            start = 14 + offset
            value = bytes.fromhex(text)
            end = max(end, start + len(value))
            found = frame[start:start + len(value)]
            if found != value:
                complaints.append(f"frame {number}: byte {start}: put in {value.hex()}, "
                                  f"tshark shows {found.hex()}")
        if any(frame[end:]) or len(frame) != max(end, 60):
            complaints.append(f"frame {number}: padding is not zero up to byte 60")
    return complaints


def main():
    if shutil.which("tshark") is None:
        print("SKIPPED: tshark is not installed, so nobody checked our frames against Wireshark")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        pcap = pathlib.Path(folder, "frames.pcap")
        expected = pathlib.Path(folder, "expected")
        subprocess.run([sys.argv[1], str(pcap), str(expected)], check=True)
        frames = read_expected(expected)
        complaints = compare_fields(pcap, frames) + compare_slices(pcap, frames)
        for number in tshark(pcap, "-Y", "_ws.malformed || !aoe", "-T", "fields",
                             "-e", "frame.number"):
            complaints.append(f"frame {number}: malformed")
    for complaint in complaints:
        print(complaint)
    print(f"{len(frames)} frames, {len(complaints)} complaints")
    return 1 if complaints or len(frames) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
