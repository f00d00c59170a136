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


def read_into_page_cache(path, pages):
    """What cases before this one left there goes. "large": from front to back, and as the kernel reads ahead
    pages of the cache get as large as they can. "single": in pieces, as random requests bring a disk in;
    ext4 looks at every 4 KiB of a page for each write to it, so that writes to large ones take six to ten
    times as long."""
    with open(path, "rb", buffering=0) as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if pages == "single":
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        while file.read(8 << 10 if pages == "single" else 1 << 20):
            pass


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

    def __init__(self, name, store, keys="", options=(), address="7.1", pages="large"):
        super().__init__(name)
        self.pages = pages
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
        elif "direct=on" not in self.keys and "image}" in self.store:
            read_into_page_cache(self.store.format(image=context.image, disk_image=context.disk_image), self.pages)


class Exports(Target):
    """aoe-targetd with `count` exports that hold nothing, 16 a shelf from e7.0 on."""

    def __init__(self, count, size="1G"):
        super().__init__("exports", f"null:{size}")
        self.count, self.size = count, size

    def command(self, context, pair):
        config = context.scratch / f"exports-{pair}.toml"
        config.write_text(f'interfaces = ["bt{pair}"]\n' + "".join(
            f'[[export]]\naddress = "e{7 + i // 16}.{i % 16}"\nstore = "{self.store_of(context, i)}"\nbuffers = 256\n'
            'allow = "any"\n' for i in range(self.count)))
        return [str(context.build / "bin" / "aoe-targetd"), "--config", str(config),
                "--state-dir", str(context.scratch / f"state-exports-{pair}"),
                "--control", str(context.scratch / f"exports-{pair}.socket")]

    def store_of(self, context, number):
        return f"null:{self.size}"

    def ready_text(self):
        return f"e{7 + (self.count - 1) // 16}.{(self.count - 1) % 16} ready: "


class FileExports(Exports):
    """The same with a small file for each."""

    def store_of(self, context, number):
        path = context.scratch / f"export-{number}"
        with open(path, "wb") as file:
            file.truncate(1 << 20)
        return f"file:{path}"


class NoServer(Server):
    """For clients that need none."""

    def start(self, context, pair):
        pass

    def cpu_ns(self):
        return 0


class Attached(Server):
    """A memory export of ours as a block device of this machine: network, initiator, FUSE and loop."""

    needs = ("losetup",)

    def __init__(self):
        super().__init__("attached")
        self.target = Target("attached-target", "memory:256M")
        self.device = None

    def command(self, context, pair):
        self.mount = context.scratch / f"etherd-{pair}"
        self.mount.mkdir(exist_ok=True)
        self.control = context.scratch / f"initiator-{pair}.socket"
        return ["aoe-initiatord", "-i", f"bi{pair}", "--mount", str(self.mount), "--links",
                str(context.scratch / f"links-{pair}"), "--control", str(self.control)]

    def start(self, context, pair):
        self.target.start(context, pair)
        # Mounts are to be seen by this process, too: nsenter, which keeps the mount namespace.
        self.log = context.scratch / f"attached-{pair}.log"
        program, *arguments = self.command(context, pair)
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{context.network.clients}", str(context.build / "bin" / program),
                 *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        control = ("--control", str(self.control))
        aoe = str(context.build / "bin" / "aoe")
        deadline = time.monotonic() + READY_SECONDS
        while not self.control.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"aoe-initiatord does not serve: {self.log.read_text()[-400:]}")
            time.sleep(0.02)
        for words in (("wait", "e7.1", "--timeout", "20"), ("attach", "e7.1", "--via", "loop")):
            done = subprocess.run([aoe, *words, *control], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  check=False)
            if done.returncode != 0:
                raise RuntimeError(f"aoe {words[0]}: {done.stderr.decode()[-300:]}{self.log.read_text()[-300:]}")
        self.device = done.stdout.decode().strip()
        self.detach = [aoe, "detach", "e7.1", *control]

    def stop(self):
        if self.device:
            subprocess.run(self.detach, check=True, stdout=subprocess.DEVNULL)
            self.device = None
        super().stop()
        self.target.stop()

    def cpu_ns(self):
        return super().cpu_ns() + self.target.cpu_ns()


class NbdFuse(Server):
    """Loop over FUSE over memory of this machine: nbdkit's, by nbdfuse."""

    needs = ("nbdkit", "nbdfuse", "losetup")

    def __init__(self):
        super().__init__("nbdfuse")
        self.device = None

    def start(self, context, pair):
        self.file = context.scratch / f"nbdfuse-{pair}"
        self.file.touch()
        self.log = context.scratch / f"nbdfuse-{pair}.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["nbdfuse", str(self.file), "--command", "nbdkit", "-s", "memory",
                 f"{context.image_bytes >> 20}M"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_SECONDS
        while self.file.stat().st_size == 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nbdfuse does not serve: {self.log.read_text()[-400:]}")
            time.sleep(0.02)
        done = subprocess.run(["losetup", "--find", "--show", "--direct-io=on", str(self.file)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"losetup: {done.stderr.decode()[-300:]}")
        self.device = done.stdout.decode().strip()

    def stop(self):
        if self.device:
            subprocess.run(["losetup", "--detach", self.device], check=False)
            self.device = None
        if self.process is not None:
            subprocess.run(["umount", str(self.file)], check=False)
        super().stop()


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
