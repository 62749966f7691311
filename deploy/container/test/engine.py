"""Runs containers of the image by podman, and sends requests to them."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

IMAGE = "localhost/reelshelf:test"
PASSWORD = "a shelf full of tapes"
FILM = {"title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5}
# The fewest rights that a container can have, without podman's tmpfs mounts, which docker does not have.
HARDENED = (
    "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges",
)


def run(*command, **more):
    ran = subprocess.run(command, capture_output=True, text=True, **more)
    assert ran.returncode == 0, f"{' '.join(map(str, command))}\n{ran.stdout}{ran.stderr}"
    return ran.stdout.strip()


def until(what, seconds=30):
    """Calls a function until it returns something true."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)
    return answer


class Container:
    def __init__(self, name):
        self.name = name

    def inspect(self, what):
        return json.loads(run("podman", "inspect", "--format", "{{json %s}}" % what, self.name))

    def log(self):
        ran = subprocess.run(
            ["podman", "logs", self.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return ran.stdout

    def address(self, port):
        """The host address of a port of the container."""
        return run("podman", "port", self.name, f"{port}/tcp")

    def reelshelf(self, *command, said=None):
        return run("podman", "exec", "--interactive", self.name, "/reelshelf", *command, input=said)

    def healthy(self):
        """Waits until the health check passes; fails with the log."""
        ask = ["podman", "healthcheck", "run", self.name]
        try:
            until(lambda: subprocess.run(ask, capture_output=True).returncode == 0)
        except AssertionError:
            raise AssertionError(f"never healthy: {self.log()}") from None
        return self

    def owner(self):
        """Creates the first owner, olivia, by the command line, and returns a token of hers."""
        self.reelshelf("user", "add", "olivia", "--role", "owner", "--password-stdin", said=f"{PASSWORD}\n")
        return self.reelshelf("token", "create", "olivia", "test")


@contextmanager
def container(*options, command=()):
    """Runs a container of the image, on a free port of the host."""
    name = run("podman", "run", "--detach", "--publish=127.0.0.1::8080", *options, IMAGE, *command)
    try:
        yield Container(name)
    finally:
        run("podman", "rm", "--force", "--volumes", name)


def fetch(url, body=None, token=None, kind="application/json", context=None):
    """Status, headers and body of a response."""
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, body and body.encode(), headers)
    try:
        answer = urllib.request.urlopen(request, timeout=30, context=context)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()
