"""The table of what is measured: who answers, who asks, against whom, and what is aimed at."""

from dataclasses import dataclass, field
from typing import Callable, Optional

from . import clients, servers

SIZES = {1500: 1024, 9000: 8192, 65535: 64512}


@dataclass
class Side:
    """Who answers and who asks, made anew for each case."""

    server: Callable[[], servers.Server]
    client: Callable[[], object]


@dataclass
class Case:
    name: str
    what: str
    mtu: int
    ours: Side
    peer: Side
    goal: Optional[float] = None  # of ours / peer
    figure: str = "iops"          # which figure the ratio is of
    lower_is_better: bool = False
    cpu_goal: Optional[float] = None  # of the servers' CPU a request, ours / peer
    both_cpu: bool = False            # CPU of client and server together
    image: str = ""                   # "ram" or "disk": the file that must exist
    short: bool = False               # part of the short form
    tags: tuple = field(default_factory=tuple)


def frames(op, mtu, depth, **more):
    return lambda: clients.Frames(op, SIZES[mtu], depth, **more)


def memory(keys="", options=()):
    return lambda: servers.Target("memory", "memory:256M", keys, options)


def ram_file(keys=",mode=write-back", options=()):
    return lambda: servers.Target("file", "{image}", keys, options)


def disk_file(keys=",mode=write-back", pages="large"):
    return lambda: servers.Target("disk-file", "{disk_image}", keys, pages=pages)


def reflector(spin=False):
    return lambda: servers.Reflector(spin=spin)


def wire_cases():
    """The target against the yardstick."""
    for mtu in (1500, 9000):
        kib = SIZES[mtu] // 1024
        for op, goal in (("read", 0.90), ("write", 0.85)):
            yield Case(f"memory-{op}-{mtu}", f"memory store, {kib} KiB random {op}s, depth 64", mtu,
                       Side(memory(), frames(op, mtu, 64)), Side(reflector(), frames(op, mtu, 64)),
                       goal, short=True, tags=("wire",))
            if mtu == 1500:
                yield Case(f"memory-{op}-xdp", f"the same with port=xdp, {kib} KiB random {op}s", mtu,
                           Side(memory(options=("--port", "xdp")), frames(op, mtu, 64)),
                           Side(reflector(), frames(op, mtu, 64)), goal, tags=("wire",))
        yield Case(f"cache-read-{mtu}", f"own block cache, warm, {kib} KiB random reads, depth 64", mtu,
                   Side(lambda: servers.Target("cached", "{disk_image}", ",cache=320M,mode=write-back"),
                        frames("read", mtu, 64)), Side(reflector(), frames("read", mtu, 64)),
                   0.85, image="disk", tags=("wire",))
        yield Case(f"page-cache-read-{mtu}", f"file in the page cache, {kib} KiB random reads, depth 64", mtu,
                   Side(disk_file(), frames("read", mtu, 64)), Side(reflector(), frames("read", mtu, 64)),
                   0.70, image="disk", tags=("wire",))
        for op, goal in (("read", 0.70), ("write", 0.65)):
            yield Case(f"tmpfs-{op}-{mtu}", f"file on tmpfs, write-back, {kib} KiB random {op}s, depth 64", mtu,
                       Side(ram_file(), frames(op, mtu, 64)), Side(reflector(), frames(op, mtu, 64)),
                       goal, image="ram", tags=("wire",))
        for pages, goal in (("single", 0.65), ("large", None)):
            yield Case(f"disk-file-write-{mtu}-{pages}", f"file on a disk, write-back, in the page cache in {pages} "
                       f"pages, {kib} KiB random writes, depth 64", mtu,
                       Side(disk_file(pages=pages), frames("write", mtu, 64)),
                       Side(reflector(), frames("write", mtu, 64)), goal, image="disk", tags=("wire",))


def vblade_cases():
    for mtu in (1500, 9000):
        for op in ("read", "write"):
            for depth in (16, 64, 256):
                yield Case(f"vblade-{op}-{mtu}-{depth}",
                           f"against vblade -b 256 on the same tmpfs file, {op}s, depth {depth}", mtu,
                           Side(ram_file(), frames(op, mtu, depth)),
                           Side(servers.Vblade, frames(op, mtu, depth)), 2.0, cpu_goal=0.5, image="ram",
                           short=depth == 64 and mtu == 1500, tags=("vblade",))


def durable_cases():
    for pages, goals in (("single", (5.0, 0.7)), ("large", (None, None))):
        durable = Side(disk_file(",mode=write-through", pages), frames("write", 9000, 64))
        yield Case(f"durable-vblade-{pages}", f"write-through on a disk file against vblade -s, {pages} pages, depth "
                   "64", 9000, durable, Side(lambda: servers.Vblade("vblade-s", "{disk_image}", ("-b", "256", "-s")),
                                             frames("write", 9000, 64)), goals[0], image="disk", tags=("durable",))
        yield Case(f"durable-write-back-{pages}", f"write-through against write-back on a disk file, {pages} pages, "
                   "depth 64", 9000, durable, Side(disk_file(pages=pages), frames("write", 9000, 64)), goals[1],
                   image="disk", tags=("durable",))
    # What the disk gives to who has no network: as many under way, in as many flushes at once as ours has.
    yield Case("durable-local", "write-through on a disk file, single pages, depth 64, against fio on that file: four "
               "threads, a flush for each 16 writes", 9000,
               Side(disk_file(",mode=write-through", "single"), frames("write", 9000, 64)),
               Side(lambda: servers.NoServer("local"), lambda: clients.FioDurableFile("8K", 4, 16)), None, image="disk",
               tags=("durable",))


def latency_cases():
    yield Case("latency-spin", "depth 1, 1 KiB reads, both spin: p50", 1500,
               Side(memory(options=("--busy-poll", "1s")), frames("read", 1500, 1, spin=True)),
               Side(reflector(spin=True), frames("read", 1500, 1, spin=True)),
               1.5, figure="p50_us", lower_is_better=True, tags=("latency",))
    yield Case("latency-default", "depth 1, 1 KiB reads, default polling: p50", 1500,
               Side(memory(), frames("read", 1500, 1)), Side(reflector(), frames("read", 1500, 1)),
               None, figure="p50_us", lower_is_better=True, tags=("latency",))


def end_to_end_cases():
    def ours(op, block, depth, sequential=False):
        return Side(memory(), lambda: clients.Initiator(op, block, depth, sequential))

    def nbd(op, block, depth, sequential=False):
        return Side(servers.Nbdkit, lambda: clients.FioNbd(op, block, depth, sequential))

    for op in ("read", "write"):
        yield Case(f"nbdkit-4k-{op}", f"both our ends against nbdkit and fio, 4 KiB random {op}s, depth 64",
                   9000, ours(op, "4K", 64), nbd(op, "4K", 64), 3.0, both_cpu=True, cpu_goal=1.0,
                   short=op == "read", tags=("ends",))
    yield Case("tgt-4k-read", "both our ends against tgt and iscsi-perf, 4 KiB random reads, depth 64", 9000,
               ours("read", "4K", 64), Side(servers.Tgt, lambda: clients.IscsiPerf(8, 64)), 6.0,
               both_cpu=True, cpu_goal=1.0, image="ram", tags=("ends",))
    for op, goal in (("read", 1.2), ("write", 0.7)):
        yield Case(f"nbdkit-1m-{op}", f"both our ends against nbdkit and fio, sequential 1 MiB {op}s, depth 4",
                   9000, ours(op, "1M", 4, True), nbd(op, "1M", 4, True), goal, figure="mib_per_s",
                   tags=("ends",))


def local_cases():
    """Over the wire against the same file with no wire."""
    def ours(keys, op="read"):
        return Side(disk_file(",mode=write-back" + keys), lambda: clients.Initiator(op, "4K", 64))

    def local(direct):
        return Side(lambda: servers.NoServer("local"), lambda: clients.FioFile("read", "4K", 64, direct))

    yield Case("local-page-cache", "both our ends, file in the page cache, against fio on that file, 4 KiB random "
               "reads, depth 64", 9000, ours(""), local(False), None, image="disk", tags=("local",))
    yield Case("local-disk", "both our ends, file on a disk past the page cache, against fio on that file, 4 KiB "
               "random reads, depth 64", 9000, ours(",direct=on"), local(True), 0.8, image="disk", tags=("local",))


def port_cases():
    """AF_XDP against packet sockets, at one end and at both."""
    def target(port):
        return memory(options=("--port", port))

    def initiator(port):
        return lambda: clients.Initiator("read", "1K", 64, port=port)

    yield Case("port-target", "target: port=xdp against port=packet, 1 KiB random reads, depth 64, bare client", 1500,
               Side(target("xdp"), frames("read", 1500, 64)), Side(target("packet"), frames("read", 1500, 64)),
               tags=("port",))
    yield Case("port-initiator", "initiator: port=xdp against port=packet, 1 KiB random reads, depth 64, target on "
               "packet", 1500, Side(target("packet"), initiator("xdp")), Side(target("packet"), initiator("packet")),
               both_cpu=True, tags=("port",))
    yield Case("port-both", "both ends: port=xdp against port=packet, 1 KiB random reads, depth 64", 1500,
               Side(target("xdp"), initiator("xdp")), Side(target("packet"), initiator("packet")), both_cpu=True,
               tags=("port",))


def attached_cases():
    def device(make_server, op):
        server = make_server()
        return Side(lambda: server, lambda: clients.FioDevice(op, "4K", 32, server))

    for op in ("read", "write"):
        yield Case(f"attached-4k-{op}", "block device: loop over FUSE over the network, against loop over FUSE "
                   f"(nbdfuse) over memory, 4 KiB random {op}s, depth 32", 9000, device(servers.Attached, op),
                   device(servers.NbdFuse, op), 0.6, tags=("attached",))


def scaling_cases():
    """The same work, much of something against little of it: flat is 1."""
    def load(**more):
        return lambda: clients.Frames("read", 1024, 64, span_bytes=1 << 20, **more)

    one = Side(lambda: servers.Exports(1), load(more=("--device", "e7.0")))
    yield Case("scale-exports", "4,096 exports against one, 1 KiB random reads of all, depth 64", 1500,
               Side(lambda: servers.Exports(4096), load(more=("--device", "e7.0", "--devices", "4096"))), one, 0.9,
               tags=("scale",))
    yield Case("scale-initiators", "1,024 initiators against one, 1 KiB random reads, depth 64", 1500,
               Side(lambda: servers.Exports(1), load(more=("--device", "e7.0", "--initiators", "1024"))), one, 0.9,
               tags=("scale",))
    yield Case("scale-size", "a disk of 1 PiB, all over it, against 1 MiB, 1 KiB random reads, depth 64", 1500,
               Side(lambda: servers.Exports(1, "1P"),
                    lambda: clients.Frames("read", 1024, 64, span_bytes=1 << 50, more=("--device", "e7.0"))), one,
               0.9, tags=("scale",))


def shard_cases():
    """What it costs to divide: one export, which one of two shards serves, on the same processor."""
    load = frames("read", 1500, 64)

    def target(shards):
        return lambda: servers.Target("shards", "memory:256M", options=("--shards", str(shards)))

    yield Case("shards-cost", "shards=2 against shards=1, one export on the same processor, 1 KiB random reads, "
               "depth 64", 1500, Side(target(2), load), Side(target(1), load), tags=("shards",))
    yield Case("shards-cost-8", "shards=8 against shards=1, one export on the same processor, 1 KiB random reads, "
               "depth 64", 1500, Side(target(8), load), Side(target(1), load), tags=("shards",))


def all_cases():
    return [*wire_cases(), *vblade_cases(), *durable_cases(), *latency_cases(), *end_to_end_cases(),
            *local_cases(), *port_cases(), *attached_cases(), *scaling_cases(), *shard_cases()]
