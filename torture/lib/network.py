"""Another machine for the network: a network namespace behind a pair of virtual interfaces.

It needs root, and a separate network namespace for this process (`run` starts such parts by `unshare`), so that
everything disappears with the processes."""

import os
import subprocess

from .processes import Failure

HERE, THERE = "10.199.0.1", "10.199.0.2"
NOBODY = "02:00:00:00:00:99"  # no interface has this address, so packets to it are lost silently


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


class OtherMachine:
    def __init__(self, scope):
        if os.path.samefile("/proc/self/ns/net", f"/proc/{os.getppid()}/ns/net"):
            raise Failure("this is not a network namespace of its own")
        ip("link", "set", "lo", "up")
        self.process = scope.spawn(["unshare", "--net", "sleep", "infinity"])
        self.command = ["nsenter", f"--net=/proc/{self.process.pid}/ns/net"]
        ip("link", "add", "veth-here", "type", "veth", "peer", "name", "veth-there")
        scope.exits.callback(subprocess.run, ["ip", "link", "delete", "veth-here"])
        self.move("veth-there")
        ip("addr", "add", f"{HERE}/24", "dev", "veth-here")
        ip("link", "set", "veth-here", "up")
        for line in (["link", "set", "lo", "up"], ["addr", "add", f"{THERE}/24", "dev", "veth-there"],
                     ["link", "set", "veth-there", "up"]):
            self.ip(*line)

    def move(self, link):
        """Waits until the process has its own namespace."""
        for _ in range(50):
            here = subprocess.run(["readlink", "/proc/self/ns/net"], capture_output=True).stdout
            there = subprocess.run(["readlink", f"/proc/{self.process.pid}/ns/net"], capture_output=True).stdout
            if here != there:
                return ip("link", "set", link, "netns", str(self.process.pid))
            subprocess.run(["sleep", "0.1"])
        raise Failure("no network namespace was made")

    def ip(self, *arguments):
        done = subprocess.run([*self.command, "ip", *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"ip {' '.join(arguments)}: {done.stderr.strip()}")

    def cut_off(self):
        """From now on all packets in both directions are lost silently."""
        ip("neigh", "replace", THERE, "lladdr", NOBODY, "dev", "veth-here", "nud", "permanent")
        self.ip("neigh", "replace", HERE, "lladdr", NOBODY, "dev", "veth-there", "nud", "permanent")

    def reconnect(self):
        ip("neigh", "del", THERE, "dev", "veth-here")
        self.ip("neigh", "del", HERE, "dev", "veth-there")
