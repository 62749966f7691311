"""Keeps a run of schemathesis from breaking itself.

The token and the owner in use must survive the run, and the limit of failed sign-ins must not answer instead of
the operation under test. Run as a program, it checks that token and owner still exist; without them every
response would be a valid 401.
"""

import ipaddress
import itertools
import json
import os
import re
import threading
import unicodedata
import urllib.parse
import urllib.request

import schemathesis

URL = os.environ["REELSHELF_URL"]
TOKEN = os.environ["REELSHELF_TOKEN"]
OWNER = os.environ["REELSHELF_OWNER"]

ADDRESSES = map(ipaddress.IPv4Address, itertools.count(int(ipaddress.IPv4Address("10.0.0.1"))))


def get(path):
    """The response of the service to the token in use."""
    request = urllib.request.Request(URL + path, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def folded(name):
    """A name as the service compares it: without case and accents."""
    decomposed = unicodedata.normalize("NFKD", name.strip())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def number(text):
    """The text as an integer, or None."""
    try:
        return int(text)
    except ValueError:
        return None


def add_film():
    """Creates a film, which every event stream shows."""
    film = {"title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5}
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{URL}/movie", json.dumps(film).encode(), headers)).close()


TOKENS = {token["id"] for token in get("/token")}  # before the run creates others


@schemathesis.hook
def before_call(context, case, kwargs):
    """Redirects requests that would change the token or the owner in use to ids and names that do not exist."""
    match = re.fullmatch(r"/(token|user)/([^/]*)(/.*)?", case.formatted_path)
    if match and case.method not in ("GET", "HEAD", "OPTIONS"):
        kind, value = match[1], urllib.parse.unquote(match[2])
        if kind == "token" and number(value) in TOKENS:
            case.path_parameters = dict.fromkeys(case.path_parameters, 987654321)
        if kind == "user" and folded(value) == folded(OWNER):
            case.path_parameters = dict.fromkeys(case.path_parameters, "nobody")

    if case.formatted_path == "/events" and case.method == "GET":
        threading.Timer(0.2, add_film).start()  # a stream is read until its first event

    # Each request has another client address: the service counts failed sign-ins by address.
    case.headers["X-Forwarded-For"] = str(next(ADDRESSES))


if __name__ == "__main__":
    get("/user")  # only for owners; fails unless the status is 200
