"""A bare Debian, booted by systemd-nspawn; its changes are discarded."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "target"
BASE = TARGET / "debian-13"
ARCHITECTURE = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout.strip()


def base():
    """Creates the root file system once."""
    if not (BASE / "whole").exists():
        shutil.rmtree(BASE, ignore_errors=True)
        run("debootstrap", "--variant=minbase", "--include=ca-certificates,dbus,systemd-sysv", "trixie", BASE)
        (BASE / "whole").touch()
    return BASE


class Context:
    """Ends what `set_up` started after the `with`, by `exits`, even if `set_up` failed halfway."""

    def __enter__(self):
        with ExitStack() as exits:
            self.exits = exits
            self.set_up()
            self.exits = exits.pop_all()
        return self

    def __exit__(self, *_):
        self.exits.close()


class Machine(Context):
    """One boot."""

    options = ()  # for systemd-nspawn

    def set_up(self):
        self.root = self.file_system()
        self.write("/etc/dpkg/dpkg.cfg.d/hasty", "force-unsafe-io\n")  # the test discards the file system
        self.prepare()
        self.boot()

    def prepare(self):
        """Adds files before the boot."""

    def file_system(self):
        """The base with a temporary layer above it."""
        work = Path(self.exits.enter_context(tempfile.TemporaryDirectory(dir=TARGET)))
        for name in "root", "upper", "work":
            (work / name).mkdir()
        layers = f"lowerdir={base()},upperdir={work}/upper,workdir={work}/work"
        run("mount", "-t", "overlay", "overlay", "-o", layers, work / "root")
        self.exits.callback(run, "umount", work / "root")
        return work / "root"

    def boot(self):
        command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe"]
        self.console = TARGET / "machine.log"
        machine = subprocess.Popen(
            [*command, f"--directory={self.root}", *self.options],
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            stdin=subprocess.DEVNULL,
            stdout=self.console.open("w"),
            stderr=subprocess.STDOUT,
        )

        def end():  # the end of init ends all processes inside
            for leader in self.leaders():
                os.kill(leader, signal.SIGKILL)
            machine.wait(60)

        self.exits.callback(end)
        self.machine = machine

    def write(self, path, text, mode=0o644):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def read(self, path):
        return (self.root / path.lstrip("/")).read_text()

    def mode(self, path):
        return (self.root / path.lstrip("/")).stat().st_mode & 0o7777

    def wait(self, seconds, what):
        """Waits until it is true; fails with the output of the machine."""
        end = time.monotonic() + seconds
        while not what():
            if time.monotonic() > end or self.machine.poll() is not None:
                raise AssertionError(f"not within {seconds} s; the machine said:\n{self.said()[-4000:]}")
            time.sleep(0.2)

    def said(self):
        return self.console.read_text()

    def inside(self, *command, **more):
        """Runs a command in the machine and returns its output."""
        return run(*self.enter("--all"), *command, **more)

    def enter(self, *namespaces):
        """The command that runs another one in namespaces of the machine."""
        [leader] = self.leaders()
        return "nsenter", "--target", str(leader), *namespaces

    def leaders(self):
        """The process id of the machine's init on the host, while it runs."""
        children = Path(f"/proc/{self.machine.pid}/task/{self.machine.pid}/children")
        return [int(child) for child in children.read_text().split()] if children.exists() else []
