#!/usr/bin/env python3
"""The files of a folder by TFTP (RFC 1350, no options), read only, for one machine at a time.

    tftpd.py ADDRESS FOLDER
"""

import os
import socket
import struct
import sys

BLOCK_BYTES = 512
READ, DATA, ACK, ERROR = 1, 3, 4, 5


def send_file(address, peer, content):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind((address, 0))
        port.settimeout(1)
        for number in range(len(content) // BLOCK_BYTES + 1):
            block = content[number * BLOCK_BYTES:(number + 1) * BLOCK_BYTES]
            header = struct.pack(">HH", DATA, number + 1 & 0xFFFF)
            for _ in range(20):
                port.sendto(header + block, peer)
                try:
                    answer, sender = port.recvfrom(2048)
                except TimeoutError:
                    continue
                if sender == peer and answer[:4] == struct.pack(">HH", ACK, number + 1 & 0xFFFF):
                    break
            else:
                return


def main():
    address, folder = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind((address, 69))
        while True:
            request, peer = port.recvfrom(2048)
            if request[:2] != struct.pack(">H", READ):
                continue
            name = os.path.basename(request[2:].split(b"\0")[0].decode())
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                port.sendto(struct.pack(">HH", ERROR, 1) + b"no such file\0", peer)
                continue
            with open(path, "rb") as file:
                send_file(address, peer, file.read())


if __name__ == "__main__":
    main()
