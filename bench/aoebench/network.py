"""Two namespaces joined by veth pairs, named after this process and gone when the block ends."""

import json
import os
import subprocess


def run(*command):
    subprocess.run(command, check=True)


class Network:
    """Pair i joins bti (servers) and bii (clients)."""

    def __init__(self, mtu, pairs=2):
        self.mtu = mtu
        self.pairs = pairs
        self.servers = f"aoekit-{os.getpid()}-bt"
        self.clients = f"aoekit-{os.getpid()}-bi"

    def __enter__(self):
        for name in (self.servers, self.clients):
            run("ip", "netns", "add", name)
        for pair in range(self.pairs):
            run("ip", "link", "add", f"bt{pair}", "netns", self.servers, "type", "veth",
                "peer", "name", f"bi{pair}", "netns", self.clients)
            for name, link, last in ((self.servers, f"bt{pair}", 2), (self.clients, f"bi{pair}", 1)):
                run("ip", "-n", name, "addr", "add", f"10.99.{pair}.{last}/24", "dev", link)
                run("ip", "-n", name, "link", "set", link, "mtu", str(self.mtu), "up")
        return self

    def __exit__(self, *_):
        for name in (self.servers, self.clients):
            subprocess.run(["ip", "netns", "del", name], check=False)

    def server_mac(self, pair):
        out = subprocess.run(["ip", "-n", self.servers, "-j", "link", "show", f"bt{pair}"], check=True,
                             stdout=subprocess.PIPE).stdout
        return json.loads(out)[0]["address"]

    def in_servers(self, *command):
        return ["ip", "netns", "exec", self.servers, *command]

    def in_clients(self, *command):
        return ["ip", "netns", "exec", self.clients, *command]
