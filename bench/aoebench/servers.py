"""The programs that answer: ours, the yardstick, and the peers from Debian's packages."""

import os
import pathlib
import shutil
import subprocess
import time

READY_SECONDS = 30
SERVER_CPU = "1" if (os.cpu_count() or 1) > 1 else "0"


def cpu_ns(pid):
    """What all threads of a process have run, those of the kernel's that work for it included."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (OSError, IndexError):
            pass
    return total


class Server:
    """One program on one pair of a network. `spins`: it takes a CPU even when nobody asks."""

    needs = ()
    spins = False

    def __init__(self, name):
        self.name = name
        self.process = None
        self.log = None

    def missing(self):
        return [program for program in self.needs if shutil.which(program) is None]

    def command(self, context, pair):
        raise NotImplementedError

    def ready_text(self):
        """What the program says when it serves; None: give it a moment."""
        return None

    def prepare(self, context, pair):
        """After it serves."""

    def start(self, context, pair):
        self.log = context.scratch / f"{self.name}-{pair}.log"
        command = context.network.in_servers("taskset", "-c", SERVER_CPU, *self.command(context, pair))
        with open(self.log, "w", encoding="utf-8") as log:
            # The daemon itself and not the shell that runs it: ip and taskset are replaced by it.
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_SECONDS
        while self.ready_text() is not None and self.ready_text() not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not serve: {self.log.read_text()[-400:]}")
            time.sleep(0.02)
        if self.ready_text() is None:
            time.sleep(0.7)
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} does not serve: {self.log.read_text()[-400:]}")
        self.prepare(context, pair)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def cpu_ns(self):
        return cpu_ns(self.process.pid)

    def memory_kib(self):
        """Resident memory but for what is shared with files and the kernel (rings are)."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))


class Target(Server):
    """aoe-targetd with one export; `store` may hold {image}."""

    def __init__(self, name, store, keys="", options=(), address="7.1"):
        super().__init__(name)
        self.store = store
        self.keys = keys
        self.options = options
        self.address = address

    def command(self, context, pair):
        store = self.store.format(image=context.image, disk_image=context.disk_image)
        return [str(context.build / "bin" / "aoe-targetd"), "-i", f"bt{pair}", "-e",
                f"{self.address}={store},buffers=256,allow=any{self.keys}", *self.options,
                "--state-dir", str(context.scratch / f"state-{self.name}-{pair}"),
                "--control", str(context.scratch / f"{self.name}-{pair}.socket")]

    def ready_text(self):
        return " ready: "

    def prepare(self, context, pair):
        if self.store.startswith("memory:") or "cache=" in self.keys:
            context.fill(pair)


class Reflector(Server):
    def __init__(self, name="reflector", spin=False):
        super().__init__(name)
        self.spins = spin

    def command(self, context, pair):
        return [str(context.build / "bench" / "bin" / "aoe-reflector"), "-i", f"bt{pair}", "--size-mib",
                str(context.image_bytes >> 20), *(["--spin"] if self.spins else [])]

    def ready_text(self):
        return "ready on"

    def prepare(self, context, pair):
        context.fill(pair)


class Vblade(Server):
    needs = ("vblade",)

    def __init__(self, name="vblade", image="{image}", options=("-b", "256")):
        super().__init__(name)
        self.image = image
        self.options = options

    def command(self, context, pair):
        image = self.image.format(image=context.image, disk_image=context.disk_image)
        return ["vblade", *self.options, "7", "1", f"bt{pair}", image]


class Nbdkit(Server):
    needs = ("nbdkit", "fio")

    def __init__(self):
        super().__init__("nbdkit")

    def command(self, context, pair):
        return ["nbdkit", "-f", "-p", "10809", "memory", f"{context.image_bytes >> 20}M"]


class Tgt(Server):
    needs = ("tgtd", "tgtadm", "iscsi-perf")

    def __init__(self):
        super().__init__("tgt")

    def command(self, context, pair):
        return ["tgtd", "-f", "-C", str(os.getpid() % 30000), "--iscsi", f"portal=10.99.{pair}.2:3260"]

    def prepare(self, context, pair):
        control = ["tgtadm", "-C", str(os.getpid() % 30000), "--lld", "iscsi"]
        for arguments in (["--mode", "target", "--op", "new", "--tid", "1", "-T", "iqn.2026-01.bench:t"],
                          ["--mode", "logicalunit", "--op", "new", "--tid", "1", "--lun", "1", "-b",
                           str(context.image)],
                          ["--mode", "target", "--op", "bind", "--tid", "1", "-I", "ALL"]):
            subprocess.run(context.network.in_servers(*control, *arguments), check=True)
