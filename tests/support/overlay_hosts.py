#!/usr/bin/env python3
"""Many initiators on one interface, each with a MAC address of its own, against one export.

    overlay_hosts.py IF MAC SHELF.SLOT IMAGE HOSTS write SEED    every host writes, discards and flushes
    overlay_hosts.py IF MAC SHELF.SLOT IMAGE HOSTS verify SEED   every host reads all of its disk

IMAGE is what all of them start from. What a host writes follows from SEED and its number, so that
`verify` knows the whole disk of each. SEED 0 means that nothing was written. All work at the same
time. Prints operations and their rate; fails at the first byte that is another one.
"""

import random
import select
import socket
import struct
import sys
import time

ETHERTYPE = 0x88A2
SECTOR = 512
READ_SECTORS = 16
WINDOW = 64


def open_port(interface):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
    port.bind((interface, ETHERTYPE))
    index = socket.if_nametoindex(interface)
    port.setsockopt(263, 1, struct.pack("iHH8s", index, 1, 0, b""))  # SOL_PACKET, PACKET_ADD_MEMBERSHIP
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    port.setblocking(False)
    return port


def host_mac(number):
    return bytes([0x02, 0xAA, 0, 0, number >> 8, number & 0xFF])


def pattern(seed, host, lba):
    return (struct.pack(">IIQ", seed, host, lba) * (SECTOR // 16))


def plan(seed, host, sectors):
    """What the host does: (kind, lba, count), no two overlapping."""
    if seed == 0:
        return []
    rng = random.Random(seed * 100003 + host)
    places = rng.sample(range(sectors // 8), min(24, sectors // 16))
    return [("trim" if i % 6 == 5 else "write", place * 8, rng.choice([1, 3, 8]))
            for i, place in enumerate(places)]


def disk_of(image, seed, host):
    disk = bytearray(image)
    for kind, lba, count in plan(seed, host, len(image) // SECTOR):
        for at in range(lba, lba + count):
            disk[at * SECTOR:(at + 1) * SECTOR] = (b"\0" * SECTOR if kind == "trim" else
                                                   pattern(seed, host, at))
    return bytes(disk)


def ata(flags, count, command, lba=0, data=b""):
    return struct.pack(">BBBB6sH", flags, 1 if command == 0x06 else 0, count, command,
                       struct.pack("<Q", lba)[:6], 0) + data


def run(port, target, device, jobs, done):
    """jobs: (host, what, arg); done(what, status, data) as each is answered."""
    shelf, slot = device
    waiting, open_jobs, retries = list(reversed(jobs)), {}, 0
    tag = random.getrandbits(30)
    deadline = time.monotonic() + 120
    while waiting or open_jobs:
        while waiting and len(open_jobs) < WINDOW:
            job = waiting.pop()
            tag += 1
            frame = (target + host_mac(job[0]) +
                     struct.pack(">HBBHBBI", ETHERTYPE, 0x10, 0, shelf, slot, 0, tag) + job[2])
            open_jobs[tag] = [job, frame, time.monotonic()]
            port.send(frame)
        select.select([port], [], [], 0.1)
        while True:
            try:
                reply, place = port.recvfrom(65536)
            except BlockingIOError:
                break
            if place[2] == socket.PACKET_OUTGOING or len(reply) < 36 or not reply[14] & 0x08:
                continue
            found = open_jobs.get(struct.unpack(">I", reply[20:24])[0])
            if found is None or reply[0:6] != host_mac(found[0][0]):
                continue
            del open_jobs[struct.unpack(">I", reply[20:24])[0]]
            if reply[14] & 0x04:
                sys.exit(f"host {found[0][0]}: {found[0][1]}: AoE error {reply[15]}")
            done(found[0], reply[27], reply[36:])
        now = time.monotonic()
        for entry in open_jobs.values():
            if now - entry[2] > 1:
                port.send(entry[1])
                entry[2] = now
                retries += 1
        if now > deadline:
            sys.exit(f"no answer to {len(open_jobs)} requests")
    return retries


def main():
    interface, target, where, image_path, hosts, verb, seed = sys.argv[1:8]
    port = open_port(interface)
    target = bytes.fromhex(target.replace(":", ""))
    device = tuple(int(part) for part in where.lstrip("e").split("."))
    with open(image_path, "rb") as file:
        image = file.read()
    hosts, seed = int(hosts), int(seed)
    sectors = len(image) // SECTOR
    began = time.monotonic()
    answers = [0]

    def check(job, status, _data):
        answers[0] += 1
        if status & 0x21:
            sys.exit(f"host {job[0]}: {job[1]}: status {status:02x}")

    if verb == "write":
        per_host = [[(host, step, ata(0x41, *arguments))
                     for step in plan(seed, host, sectors)
                     for arguments in [(step[2], 0x34, step[1],
                                        b"".join(pattern(seed, host, at)
                                                 for at in range(step[1], step[1] + step[2])))
                                       if step[0] == "write" else
                                       (1, 0x06, 0,
                                        struct.pack("<Q", step[1] | step[2] << 48).ljust(SECTOR, b"\0"))]]
                    for host in range(hosts)]
        jobs = [job for group in zip(*per_host) for job in group]
        retries = run(port, target, device, jobs, check)
        retries += run(port, target, device,
                       [(host, "flush", ata(0x40, 0, 0xEA)) for host in range(hosts)], check)
    else:
        expected = [disk_of(image, seed, host) for host in range(hosts)]

        def compare(job, status, data):
            check(job, status, data)
            lba, count = job[1]
            want = expected[job[0]][lba * SECTOR:(lba + count) * SECTOR]
            if data[:len(want)] != want:
                bad = next(i for i in range(len(want)) if data[i] != want[i])
                sys.exit(f"host {job[0]}: another byte at sector {lba + bad // SECTOR}")

        jobs = [(host, (lba, min(READ_SECTORS, sectors - lba)),
                 ata(0x40, min(READ_SECTORS, sectors - lba), 0x24, lba))
                for lba in range(0, sectors, READ_SECTORS) for host in range(hosts)]
        retries = run(port, target, device, jobs, compare)
    elapsed = time.monotonic() - began
    print(f"{hosts} hosts: {answers[0]} operations, {answers[0] / elapsed:.0f} a second, "
          f"{retries} sent again")


if __name__ == "__main__":
    main()
