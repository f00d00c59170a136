"""What a daemon costs whether it works or not: its memory after load, its CPU when nobody asks."""

import time

from . import clients, servers

IDLE_SECONDS = 5
MANY_EXPORTS = 512


def standing_figures(context, seconds):
    """Rows of what was measured: name, what, value, unit, goal (at most). `seconds` of load for memory."""
    target = servers.Target("memory-of", "{image}", ",mode=write-back")
    target.start(context, 0)
    try:
        yield row("memory-target-begin", "aoe-targetd with one export, before any load", mib(target), "MiB", None)
        for op in ("read", "write"):
            clients.Frames(op, 8192, 64).run(context, 0, seconds / 4)
        yield row("memory-target-half", f"the same after {seconds / 2:g} s of load", mib(target), "MiB", 24)
        for op in ("read", "write"):
            clients.Frames(op, 8192, 64).run(context, 0, seconds / 4)
        yield row("memory-target", f"the same after {seconds:g} s of load", mib(target), "MiB", 24)
        clients.Frames("read", 1024, 1).run(context, 0, 1)
        yield row("idle-target", f"aoe-targetd, default polling, CPU in {IDLE_SECONDS} s after a load of depth 1",
                  idle(target), "% of a core", 0.5)
    finally:
        target.stop()
    many = servers.FileExports(MANY_EXPORTS)
    many.start(context, 0)
    try:
        yield row("memory-exports", f"aoe-targetd with {MANY_EXPORTS} exports of files, before any load", mib(many), "MiB",
                  None)
    finally:
        many.stop()
    attached = servers.Attached()
    attached.start(context, 0)
    try:
        yield row("memory-initiator-begin", "aoe-initiatord with one device, before any load", mib(attached), "MiB",
                  None)
        for op in ("read", "write"):
            clients.FioDevice(op, "64K", 32, attached).run(context, 0, seconds / 2)
        yield row("memory-initiator", f"the same after {seconds:g} s of load", mib(attached), "MiB", 40)
        time.sleep(1)
        yield row("idle-initiator", f"aoe-initiatord, default polling, CPU in {IDLE_SECONDS} s after that load",
                  idle(attached, servers.Server.cpu_ns), "% of a core", 0.5)
    finally:
        attached.stop()


def row(name, what, value, unit, goal):
    return {"name": name, "what": what, "value": value, "unit": unit, "goal": goal}


def mib(server):
    return server.memory_kib() / 1024


def idle(server, cpu_ns=None):
    cpu_ns = cpu_ns or type(server).cpu_ns
    time.sleep(1)
    before = cpu_ns(server)
    time.sleep(IDLE_SECONDS)
    return (cpu_ns(server) - before) / 1e9 / IDLE_SECONDS * 100
