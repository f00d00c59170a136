"""Runs a daemon as a service manager with a descriptor store does, and starts it again when it ends.

fd_store.py NOTIFY_SOCKET COMMAND..

Prints "store NAME", "remove NAME", "ended STATUS" as they happen. SIGUSR1: the next end is the last.
SIGUSR2: from the next start on the daemon takes the kernel for one that cannot ask again (before Linux 6.9),
because its record of the mount says so.
"""

import array
import os
import select
import signal
import socket
import sys

store = {}
last = False


def end_after_this(*_):
    global last
    last = True


def forget_resend(*_):
    os.pwrite(store["etherd-record"], b'{"kernel_asks_again":false}'.ljust(255) + b"\n", 0)
    print("record changed", flush=True)


def receive(listener):
    data, ancillary, _, _ = listener.recvmsg(4096, socket.CMSG_SPACE(64))
    fds = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    fields = dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
    name = fields.get("FDNAME", "stored")
    if fields.get("FDSTORE") == "1" and fds:
        if name in store:
            os.close(store[name])
        store[name] = fds[0]
        print("store", name, flush=True)
    if fields.get("FDSTOREREMOVE") == "1" and name in store:
        os.close(store.pop(name))
        print("remove", name, flush=True)


def run(path, command):
    pid = os.fork()
    if pid:
        return pid
    os.environ.update(NOTIFY_SOCKET=path, FDSTORE="8")
    if store:
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(store)),
                          LISTEN_FDNAMES=":".join(store))
        for number, fd in enumerate([os.dup(fd) for fd in store.values()]):
            os.dup2(fd, 60 + number)
        for number in range(len(store)):
            os.dup2(60 + number, 3 + number, inheritable=True)
        os.closerange(3 + len(store), 100)
    os.execvp(command[0], command)


def main():
    path, command = sys.argv[1], sys.argv[2:]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    signal.signal(signal.SIGUSR1, end_after_this)
    signal.signal(signal.SIGUSR2, forget_resend)
    while True:
        pid = run(path, command)
        print("started", pid, flush=True)
        ended = 0
        while not ended:
            if select.select([listener], [], [], 0.05)[0]:
                receive(listener)
            ended, status = os.waitpid(pid, os.WNOHANG)
        while select.select([listener], [], [], 0)[0]:
            receive(listener)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)
        if last:
            break


main()
