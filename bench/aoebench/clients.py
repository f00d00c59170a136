"""The programs that ask. Each returns one dictionary: iops, mib_per_s, p50_us, p99_us, cpu_us (of the
client, a request), retransmissions."""

import json
import resource
import subprocess

CLIENT_CPU = "0"


def timed(command):
    """Standard output, and the CPU seconds of the command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[4:])}: {done.stderr.decode()[-300:]}{done.stdout.decode()[-300:]}")
    return done.stdout, (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


class Frames:
    """aoe-load: bare frames, the least that a client can do."""

    needs = ()

    def __init__(self, op, block_bytes, depth, sequential=False, spin=False, span_bytes=None, more=()):
        self.op, self.block_bytes, self.depth = op, block_bytes, depth
        self.sequential, self.spin = sequential, spin
        self.span_bytes, self.more = span_bytes, more

    def run(self, context, pair, seconds):
        out, _ = timed(context.network.in_clients(
            "taskset", "-c", CLIENT_CPU, str(context.build / "bench" / "bin" / "aoe-load"), "-i", f"bi{pair}",
            "--to", context.network.server_mac(pair), "--op", self.op, "--bs", str(self.block_bytes),
            "--depth", str(self.depth), "--span", str(self.span_bytes or context.image_bytes), "--time",
            str(seconds), *self.more, *(["--sequential"] if self.sequential else []), *(["--spin"] if self.spin else [])))
        got = json.loads(out)
        return {"iops": got["iops"], "mib_per_s": got["mib_per_s"], "p50_us": got["p50_us"],
                "p99_us": got["p99_us"], "requests": got["requests"],
                "client_cpu_us": got["cpu_us_per_request"], "retransmissions": got["retransmissions"]}


class Initiator:
    """aoe bench: our initiator."""

    needs = ()

    def __init__(self, op, block, depth, sequential=False, port="auto"):
        self.op, self.block, self.depth, self.sequential, self.port = op, block, depth, sequential, port

    def run(self, context, pair, seconds):
        out, cpu = timed(context.network.in_clients(
            str(context.build / "bin" / "aoe"), "bench", f"aoe://bi{pair}/e7.1?port={self.port}", "--op", self.op, "--bs",
            self.block, "--depth", str(self.depth), "--time", str(max(1, round(seconds))), "-o", "json",
            *(["--pattern", "sequential"] if self.sequential else [])))
        got = json.loads(out)
        mine = got[self.op]
        return {"iops": mine["iops"], "mib_per_s": mine["bytes_per_second"] / 1048576.0,
                "p50_us": mine["latency_ns"]["p50"] / 1e3, "p99_us": mine["latency_ns"]["p99"] / 1e3,
                "requests": mine["requests"], "client_cpu_us": cpu / mine["requests"] * 1e6,
                "retransmissions": got["retransmissions"]}


class Fio:
    """fio with one job; derived classes say on what."""

    needs = ("fio",)

    def __init__(self, op, block, depth, sequential=False):
        self.op, self.block, self.depth, self.sequential = op, block, depth, sequential

    def on_what(self, context, pair):
        raise NotImplementedError

    def run(self, context, pair, seconds):
        kind = self.op if self.sequential else f"rand{self.op}"
        out, cpu = timed(context.network.in_clients(
            "fio", "--name=b", *self.on_what(context, pair), f"--rw={kind}", "--norandommap",
            f"--bs={self.block}", f"--iodepth={self.depth}", f"--runtime={max(1, round(seconds))}",
            "--time_based", f"--size={context.image_bytes}", "--output-format=json", "--thread"))
        text = out.decode()
        mine = json.loads(text[text.index("{"):])["jobs"][0][self.op]
        percentiles = mine["clat_ns"].get("percentile", {})
        return {"iops": mine["iops"], "mib_per_s": mine["bw_bytes"] / 1048576.0,
                "p50_us": percentiles.get("50.000000", 0) / 1e3,
                "p99_us": percentiles.get("99.000000", 0) / 1e3, "requests": mine["total_ios"],
                "client_cpu_us": cpu / max(1, mine["total_ios"]) * 1e6, "retransmissions": 0}


class FioNbd(Fio):
    def on_what(self, context, pair):
        return ["--ioengine=nbd", f"--uri=nbd://10.99.{pair}.2/"]


class FioFile(Fio):
    """On the file itself, with no network."""

    def __init__(self, op, block, depth, direct):
        super().__init__(op, block, depth)
        self.direct = direct

    def on_what(self, context, pair):
        return ["--ioengine=io_uring", f"--filename={context.disk_image}", f"--direct={int(self.direct)}",
                "--invalidate=0"]


class FioDurableFile(Fio):
    """On the file itself, with no network: `threads` of them, each of which writes `batch` blocks at once and then has
    them flushed, so that all that is reported was made durable."""

    def __init__(self, block, threads, batch):
        super().__init__("write", block, batch)
        self.threads, self.batch = threads, batch

    def on_what(self, context, pair):
        return ["--ioengine=io_uring", f"--filename={context.disk_image}", "--invalidate=0", f"--numjobs={self.threads}",
                "--group_reporting", f"--iodepth_batch={self.batch}", f"--iodepth_batch_complete_min={self.batch}",
                f"--fdatasync={self.batch}"]


class FioDevice(Fio):
    """On the block device that the server of the case has made (its `device`)."""

    def __init__(self, op, block, depth, server):
        super().__init__(op, block, depth)
        self.server = server

    def on_what(self, context, pair):
        return ["--ioengine=io_uring", f"--filename={self.server.device}", "--direct=1"]


class IscsiPerf:
    needs = ("iscsi-perf",)

    def __init__(self, blocks, depth, sequential=False):
        self.blocks, self.depth, self.sequential = blocks, depth, sequential

    def run(self, context, pair, seconds):
        out, cpu = timed(context.network.in_clients(
            "iscsi-perf", "-m", str(self.depth), "-b", str(self.blocks), "-t", str(max(1, round(seconds))),
            *([] if self.sequential else ["-r"]), f"iscsi://10.99.{pair}.2/iqn.2026-01.bench:t/1"))
        line = [text for text in out.decode().replace("\r", "\n").splitlines() if "iops average" in text][-1]
        iops = float(line.split("iops average")[1].split()[0].strip("()"))
        return {"iops": iops, "mib_per_s": iops * self.blocks * 512 / 1048576.0, "p50_us": 0, "p99_us": 0,
                "requests": int(iops * max(1, round(seconds))),
                "client_cpu_us": cpu / max(1.0, iops * max(1, round(seconds))) * 1e6, "retransmissions": 0}
