"""Processes, temporary folders and their cleanup: none survives its part, even if that is interrupted."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWNER = "olivia"
PASSWORD = "a shelf of torture tapes"
START_SECONDS = 60
END_SECONDS = 45  # the service promises 30


class Failure(Exception):
    """A promise was broken, and the case cannot continue."""


class Scope:
    """Owns what a part starts. `with Scope() as scope` ends everything in reverse order."""

    def __enter__(self):
        self.exits = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="reelshelf-torture-", dir="/var/tmp"))
        self.folder.chmod(0o755)  # PostgreSQL runs as another user
        self.exits.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    def __exit__(self, *_):
        self.exits.close()

    def make_folder(self, name):
        path = self.folder / name
        path.mkdir(parents=True)
        return path

    def spawn(self, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=None, cwd=None):
        """Starts a process that ends with this one, even if this one gets SIGKILL. Call it on the main thread: the
        kernel takes the end of the calling thread for the end of the parent."""
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=env, cwd=cwd,
        )
        self.exits.callback(kill, process)
        return process


def kill(process):
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
    process.wait()


def wait_until(seconds, condition, what):
    """Polls `condition` until it is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.1)
    return result


class Service:
    """A `reelshelf serve` on a separate port."""

    def __init__(self, scope, binary, database, name="service", env=None, arguments=(), command=()):
        self.scope, self.binary, self.database, self.name = scope, binary, database, name
        self.command = command  # runs the program, such as nsenter
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("REELSHELF_")}
        self.env |= {"REELSHELF_DATABASE": database, "RUST_LOG": "info", "TMPDIR": str(scope.folder)}
        self.extra = env or {}
        self.owner = {"REELSHELF_OWNER": OWNER, "REELSHELF_OWNER_PASSWORD": PASSWORD}
        self.arguments = arguments
        self.log = scope.folder / f"{name}.log"
        self.process = None
        self.port = None

    def start(self, seconds=START_SECONDS):
        self.launch()
        self.await_ready(seconds)
        return self

    def launch(self):
        self.stdout = self.scope.folder / f"{self.name}.stdout"
        with self.stdout.open("w") as out, self.log.open("a") as log:
            command = [*self.command, self.binary, "serve", "--listen", "127.0.0.1:0", *self.arguments]
            self.process = self.scope.spawn(command, out, log, env=self.env | self.owner | self.extra)

    def await_ready(self, seconds=START_SECONDS):
        def ready():
            if self.process.poll() is not None:
                raise Failure(f"serve ended with status {self.process.returncode}: {self.said()}")
            return re.search(r"listening on http://127\.0\.0\.1:(\d+)", self.stdout.read_text())

        self.port = int(wait_until(seconds, ready, f"serve is ready ({self.said()})")[1])

    def said(self, characters=600):
        return self.log.read_text()[-characters:] if self.log.exists() else ""

    def cli(self, *arguments, input=None, env=None, seconds=60, check=True):
        """Runs an administrative command, without the shim of the service."""
        done = subprocess.run(
            ["timeout", str(seconds), *self.command, str(self.binary), *map(str, arguments)],
            input=input, capture_output=True, text=True, env=self.env | (env or {}),
        )
        if check and done.returncode != 0:
            raise Failure(f"{' '.join(map(str, arguments))}: status {done.returncode}: {done.stderr[-500:]}")
        return done

    def make_token(self, user=OWNER, name="torture"):
        return self.cli("token", "create", user, name).stdout.strip()

    def kill(self):
        kill(self.process)

    def stop(self):
        """Stops the service like a supervisor; returns what was wrong with its end."""
        if self.process.poll() is not None:
            return [f"the service had ended by itself, status {self.process.returncode}: {self.said()}"]
        self.process.terminate()
        try:
            status = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            kill(self.process)
            return [f"did not end within {END_SECONDS} s of SIGTERM"]
        return [] if status == 0 else [f"ended with status {status}: {self.said()}"]

    def restart(self):
        problems = self.stop()
        self.start()
        return problems

    def resources(self):
        """Resident KiB, file descriptors and threads."""
        proc = Path(f"/proc/{self.process.pid}")
        status = (proc / "status").read_text()
        number = lambda field: int(re.search(rf"{field}:\s+(\d+)", status)[1])
        return number("VmRSS"), len(os.listdir(proc / "fd")), number("Threads")
