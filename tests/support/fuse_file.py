#!/usr/bin/env python3
"""A file system with one file, disk.img, whose process may be stopped: then the backend hangs.

fuse_file.py DIRECTORY SIZE     mounts on DIRECTORY, prints "ready", and serves until it is ended

It speaks the kernel's FUSE protocol itself (include/uapi/linux/fuse.h, version 7.31): a test needs no
library for it. Reads and writes bypass the page cache, so that they hang when this process stands.
"""
import ctypes
import errno
import os
import signal
import stat
import struct
import sys

ROOT, FILE = 1, 2
NAME = b"disk.img"
WRITE_MAX = 128 * 1024
IN_HEADER = struct.Struct("<IIQQIIII")
OUT_HEADER = struct.Struct("<IiQ")
FOPEN_DIRECT_IO = 1

LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS = 1, 2, 3, 4, 14, 15, 16, 17
RELEASE, FSYNC, INIT, OPENDIR, RELEASEDIR, ACCESS = 18, 20, 26, 27, 29, 34


def mount(directory):
    fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fd},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
    if libc.mount(b"fuse_file", directory.encode(), b"fuse", 0, options.encode()) != 0:
        sys.exit(f"fuse_file: {directory}: mount: {os.strerror(ctypes.get_errno())}")
    return fd


class FileSystem:
    def __init__(self, size):
        self.data = bytearray(size)

    def attributes(self, node):
        mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o600
        size = 0 if node == ROOT else len(self.data)
        # ino size blocks, three times, their nanoseconds, mode nlink uid gid rdev blksize flags
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1,
                           os.getuid(), os.getgid(), 0, 4096, 0)

    def answer(self, op, node, body):
        """The bytes of the answer, or an errno."""
        if op == INIT:
            return struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 12, 9, WRITE_MAX, 1, 0, 0, 0)
        if op == LOOKUP:
            if node != ROOT or body.rstrip(b"\0") != NAME:
                return errno.ENOENT
            return struct.pack("<QQQQII", FILE, 0, 3600, 3600, 0, 0) + self.attributes(FILE)
        if op in (GETATTR, SETATTR):
            return struct.pack("<QII", 3600, 0, 0) + self.attributes(node)
        if op in (OPEN, OPENDIR):
            return struct.pack("<QII", 0, FOPEN_DIRECT_IO if op == OPEN else 0, 0)
        if op == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return bytes(self.data[offset:offset + size])
        if op == WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            if offset + size > len(self.data):
                return errno.ENOSPC
            self.data[offset:offset + size] = body[40:40 + size]
            return struct.pack("<II", size, 0)
        if op == STATFS:
            return struct.pack("<QQQQQIII28x", 1 << 20, 1 << 19, 1 << 19, 2, 0, 4096, 255, 4096)
        if op in (RELEASE, RELEASEDIR, FSYNC, ACCESS):
            return b""
        # Also to FLUSH, which the kernel then sends no more. It waits for the answer to that at every
        # close, even that of a killed process, and no program can do anything about it.
        return errno.ENOSYS

    def serve(self, fd):
        while True:
            try:
                request = os.read(fd, WRITE_MAX + 4096)
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    return
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                raise
            _, op, unique, node, *_ = IN_HEADER.unpack_from(request)
            if op == FORGET:
                continue
            answer = self.answer(op, node, request[IN_HEADER.size:])
            if isinstance(answer, int):
                os.write(fd, OUT_HEADER.pack(OUT_HEADER.size, -answer, unique))
            else:
                os.write(fd, OUT_HEADER.pack(OUT_HEADER.size + len(answer), 0, unique) + answer)


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    directory, size = arguments[0], int(arguments[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    fd = mount(directory)
    print("ready", flush=True)
    FileSystem(size).serve(fd)


if __name__ == "__main__":
    main(sys.argv[1:])
