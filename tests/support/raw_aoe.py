#!/usr/bin/env python3
"""Raw AoE frames from a script, for tests that need what no program of ours would send.

    raw_aoe.py IF trim MAC SHELF.SLOT LBA COUNT     one TRIM range; prints the status register
    raw_aoe.py IF write MAC SHELF.SLOT LBA SECONDS  one plain sector; the status, or silence
    raw_aoe.py IF flood MAC SHELF.SLOT COUNT SEED   hostile frames: random, cut, lying, from bad sources
    raw_aoe.py IF send MAC HEX                      one frame; HEX is what stands behind the source
"""

import random
import socket
import struct
import sys
import time

ETHERTYPE = 0x88A2


def open_port(interface):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
    port.bind((interface, ETHERTYPE))
    return port


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def address(text):
    shelf, slot = text.lstrip("e").split(".")
    return int(shelf), int(slot)


def header(destination, source, device, command, tag, version_flags=0x10, error=0):
    shelf, slot = device
    return (destination + source + struct.pack(">HBBHBBI", ETHERTYPE, version_flags, error, shelf,
                                               slot, command, tag))


def ask(port, target, device, arg, seconds):
    """Sends an ATA request and prints what is answered to it, if anything is."""
    own = port.getsockname()[4]
    tag = 0x80000000 | random.getrandbits(24)
    port.send(header(target, own, device, 0, tag) + arg)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        port.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            reply = port.recv(2048)
        except TimeoutError:
            break
        if reply[20:24] == struct.pack(">I", tag) and reply[14] & 0x08:
            print(f"status {reply[27]:02x} flags {reply[14]:02x}")
            return
    print("silence")


def trim(port, target, device, lba, count):
    entry = struct.pack("<Q", lba | count << 48).ljust(512, b"\0")
    ask(port, target, device, struct.pack(">BBBB6sH", 0x41, 0x01, 1, 0x06, b"\0" * 6, 0) + entry, 10)


def write(port, target, device, lba, seconds):
    place = struct.pack("<Q", lba)[:6]
    ask(port, target, device, struct.pack(">BBBB6sH", 0x41, 0, 1, 0x34, place, 0) + b"W" * 512,
        seconds)


def hostile_frame(rng, target, own, device):
    source = rng.choice([own, own, own, b"\xff" * 6, b"\0" * 6, b"\x01\0\x5e\0\0\1", target])
    where = rng.choice([device, device, device, (0xFFFF, 0xFF), (device[0], 0xFF), (1, 2)])
    flags = rng.choice([0x10, 0x10, 0x10, 0x00, 0x20, 0xF0, 0x18, 0x1C, 0x14, rng.randrange(256)])
    # No command that a well-formed frame could change data or lock the test out with.
    command = rng.choice([0, 0, 1, 2, 3, 4, 0x7F, 0xF0, 0xFF])
    destination = rng.choice([target, target, b"\xff" * 6])
    frame = header(destination, source, where, command, rng.getrandbits(32), flags,
                   rng.randrange(256))
    if command == 0:
        opcode = rng.choice([0x20, 0x24, 0x25, 0x30, 0x34, 0xEC, 0xE7, 0xB0, 0x06, 0x40, 0xA0])
        wants_data = opcode in (0x30, 0x34, 0x06)
        arg = struct.pack(">BBBB6sH", rng.choice([0, 0x40, 0x41, 0x01, 0xFF]) & ~wants_data,
                          rng.randrange(256), rng.choice([0, 1, 2, 17, 255]), opcode,
                          rng.randbytes(6), 0)
        frame += arg + rng.randbytes(rng.choice([0, 0, 10, 512]))
    elif command == 1:
        frame += struct.pack(">HHBBH", 0, 0, 0, rng.choice([0, 1, 2, 5, 0xF]),
                             rng.choice([0, 5, 1024, 1025, 65535])) + rng.randbytes(8)
    elif command == 2:
        frame += struct.pack(">BBBB", 0, rng.choice([0, 2, 255]), 0, rng.choice([0, 5, 255]))
    elif command == 3:
        frame += struct.pack(">BB", rng.choice([0, 3, 255]), rng.choice([0, 5, 255]))
    if rng.random() < 0.3:
        frame = frame[:rng.randrange(14, len(frame) + 1)]
    return frame


def flood(port, target, device, count, seed):
    own = port.getsockname()[4]
    rng = random.Random(seed)
    for _ in range(count):
        port.send(hostile_frame(rng, target, own, device))


def main():
    port = open_port(sys.argv[1])
    verb = sys.argv[2]
    if verb == "trim":
        trim(port, mac(sys.argv[3]), address(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
    elif verb == "write":
        write(port, mac(sys.argv[3]), address(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
    elif verb == "flood":
        flood(port, mac(sys.argv[3]), address(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
    elif verb == "send":
        port.send(mac(sys.argv[3]) + port.getsockname()[4] + bytes.fromhex(sys.argv[4]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
