"""The service under test, and the bare route beside it."""

import http.client
import os
import pathlib
import re
import secrets
import subprocess
import time

ROOT = pathlib.Path(__file__).parent.parent
PROGRAM = os.environ.get("PROGRAM", str(ROOT / "target/release/reelshelf"))
BARE = pathlib.Path(PROGRAM).parent / "examples/bare"
POLL_SECONDS = 0.002
START_SECONDS = 300
IDLE_SECONDS = 10
KIB = 1024


class Process:
    """A server that prints its address when it listens."""

    def __init__(self, command, log, environment=None):
        self.began = time.monotonic()
        with open(log, "a") as file:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=file, text=True, env=os.environ | (environment or {})
            )
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise SystemExit(f"bench: {command[0]} did not start:\n{pathlib.Path(log).read_text()[-2000:]}")
        self.base = line.removeprefix("listening on ").strip()
        self.host = self.base.removeprefix("http://")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.process.pid}/{name}")

    def memory(self, field="VmRSS"):
        """Bytes: `VmRSS` now, `VmHWM` at the peak."""
        return int(re.search(rf"{field}:\s+(\d+)", self.proc("status").read_text())[1]) * KIB

    def forget_peak(self):
        self.proc("clear_refs").write_text("5")

    def processor(self):
        """Ticks of processor time so far."""
        fields = self.proc("stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def wait_idle(self):
        """Waits for running requests: those whose client has left must not disturb the next measurement."""
        end = time.monotonic() + IDLE_SECONDS
        before = self.processor()
        while time.monotonic() < end:
            time.sleep(0.05)
            now = self.processor()
            if now - before <= 1:
                return
            before = now


class Service(Process):
    """Reelshelf on a database, ready, with a token of its owner."""

    def __init__(self, database, folder, token=None):
        environment = {
            "REELSHELF_DATABASE": database,
            "REELSHELF_OWNER": "bench",
            "REELSHELF_OWNER_PASSWORD": secrets.token_hex(16),
        }
        super().__init__([PROGRAM, "serve", "--listen", "127.0.0.1:0"], folder / "service.log", environment)
        try:
            self.wait_ready()
            self.seconds_to_ready = time.monotonic() - self.began
            token = token or self.create_token(environment)
        except BaseException:
            self.stop()
            raise
        self.token = token
        self.headers = {"Authorization": f"Bearer {token}"}

    @staticmethod
    def create_token(environment):
        command = [PROGRAM, "token", "create", "bench", "load"]
        done = subprocess.run(command, env=os.environ | environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def wait_ready(self):
        while time.monotonic() < self.began + START_SECONDS:
            connection = http.client.HTTPConnection(self.host)
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return
            connection.close()
            time.sleep(POLL_SECONDS)
        raise SystemExit("bench: the service is not ready")

    def request(self, method, path, body="", timeout=60):
        """The response and its body."""
        connection = http.client.HTTPConnection(self.host, timeout=timeout)
        headers = self.headers | ({"Content-Type": "application/json"} if body else {})
        connection.request(method, path, body.encode() or None, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"bench: {method} {path} was answered {answer.status}: {text[:300]!r}")
        return answer, text


class Bare(Process):
    """A bare axum route that answers `/SIZE` with SIZE bytes."""

    def __init__(self, largest, folder):
        self.token, self.headers = "none", {}
        super().__init__([str(BARE), str(largest)], folder / "bare.log")
