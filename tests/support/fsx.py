"""Exercises a file with random operations and compares every read with a model in memory.

fsx.py [--seed N] [--ops N] [--size BYTES] [--device] PATH

As the fsx of file system tests: reads, writes, reads and writes through a mapping, holes, zeroed ranges,
syncs, closing and opening again, and changes of size. --device: PATH keeps its size (a block device or
the file of one); then a mapping is not used either. The last operations are printed when something
differs, with the seed that replays them.
"""

import argparse
import collections
import ctypes
import mmap
import os
import random
import sys

KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 0x01, 0x02, 0x10
SECTOR = 512

libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_longlong, ctypes.c_longlong]


def fallocate(fd, mode, offset, length):
    if libc.fallocate(fd, mode, offset, length) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


class Exerciser:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.path = options.path
        self.fd = os.open(self.path, os.O_RDWR | (0 if options.device else os.O_CREAT | os.O_TRUNC))
        self.model = bytearray(options.size if options.device else 0)
        self.log = collections.deque(maxlen=20)
        if options.device:
            os.pwrite(self.fd, self.model, 0)

    def span(self, limit):
        """A part of the first `limit` bytes: half of them whole sectors."""
        begin = self.random.randrange(limit)
        end = min(limit, begin + self.random.randrange(1, 65536))
        if self.random.random() < 0.5:
            begin, end = begin // SECTOR * SECTOR, end // SECTOR * SECTOR
        return begin, end

    def compare(self, name, begin, data):
        if data == self.model[begin:begin + len(data)]:
            return
        at = next(i for i, byte in enumerate(data) if byte != self.model[begin + i])
        raise AssertionError(f"{name}: byte {begin + at} is {data[at]}, "
                             f"expected {self.model[begin + at]}")

    def read(self):
        begin, end = self.span(len(self.model))
        self.log.append(f"read {begin} {end - begin}")
        data = os.pread(self.fd, end - begin, begin)
        assert len(data) == max(0, end - begin), f"{len(data)} bytes read"
        self.compare("read", begin, data)

    def put(self, begin, data):
        if begin + len(data) > len(self.model):
            self.model.extend(bytes(begin + len(data) - len(self.model)))
        self.model[begin:begin + len(data)] = data

    def write(self):
        begin, end = self.span(self.options.size)
        self.log.append(f"write {begin} {end - begin}")
        data = self.random.randbytes(max(0, end - begin))
        assert os.pwrite(self.fd, data, begin) == len(data)
        if data:
            self.put(begin, data)

    def mapped(self):
        begin, end = self.span(len(self.model))
        self.log.append(f"map {begin} {end - begin}")
        with mmap.mmap(self.fd, len(self.model)) as view:
            self.compare("mapped read", begin, view[begin:end])
            data = self.random.randbytes(max(0, end - begin))
            view[begin:begin + len(data)] = data
        self.put(begin, data)

    def clear(self, mode, name):
        begin, end = self.span(len(self.model))
        if self.options.device:
            begin, end = begin // SECTOR * SECTOR, end // SECTOR * SECTOR
        if end <= begin:
            return
        self.log.append(f"{name} {begin} {end - begin}")
        fallocate(self.fd, mode | KEEP_SIZE, begin, end - begin)
        self.model[begin:end] = bytes(end - begin)

    def truncate(self):
        size = self.random.randrange(self.options.size)
        self.log.append(f"truncate {size}")
        os.ftruncate(self.fd, size)
        if size < len(self.model):
            del self.model[size:]
        else:
            self.model.extend(bytes(size - len(self.model)))

    def sync(self):
        self.log.append("sync")
        os.fsync(self.fd)

    def reopen(self):
        self.log.append("reopen")
        os.fsync(self.fd)
        os.posix_fadvise(self.fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(self.fd)
        self.fd = os.open(self.path, os.O_RDWR)

    def step(self):
        kinds = [(30, self.read), (30, self.write), (5, lambda: self.clear(PUNCH_HOLE, "punch")),
                 (5, lambda: self.clear(ZERO_RANGE, "zero")), (1, self.sync), (1, self.reopen)]
        if not self.options.device:
            kinds += [(15, self.mapped), (5, self.truncate)]
        if not self.model:
            kinds = [(1, self.write)]
        self.random.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]()

    def run(self):
        try:
            for _ in range(self.options.ops):
                self.step()
            self.reopen()
            self.compare("last read", 0, os.pread(self.fd, len(self.model), 0))
        except (AssertionError, OSError) as error:
            print(f"{self.path}: seed {self.options.seed}: {error}", "after:", *self.log, sep="\n  ")
            sys.exit(1)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--ops", type=int, default=50000)
parser.add_argument("--size", type=int, default=1 << 20)
parser.add_argument("--device", action="store_true")
parser.add_argument("path")
Exerciser(parser.parse_args()).run()
