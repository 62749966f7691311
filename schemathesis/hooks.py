"""What keeps a run of schemathesis from sawing off the branch it sits on.

The token and the owner in use must last to the end, and the limit on failed sign-ins must not answer
in place of the operation under test. Run as a program, this tells whether token and owner have lasted;
a run that has lost them takes every 401 for a fine answer.
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
    """What the service answers to the token in use."""
    request = urllib.request.Request(URL + path, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def folded(name):
    """A name as the service compares it: case and accents do not count."""
    decomposed = unicodedata.normalize("NFKD", name.strip())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def number(text):
    """The whole number that the text is, or None."""
    try:
        return int(text)
    except ValueError:
        return None


def add_film():
    """Makes a change, which every stream of events shows."""
    film = {"title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5}
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{URL}/movie", json.dumps(film).encode(), headers)).close()


TOKENS = {token["id"] for token in get("/token")}  # before the run has made any


@schemathesis.hook
def before_call(context, case, kwargs):
    """Aims what would hit the token or the owner in use at some other one, which is not there."""
    match = re.fullmatch(r"/(token|user)/([^/]*)(/.*)?", case.formatted_path)
    if match and case.method not in ("GET", "HEAD", "OPTIONS"):
        kind, value = match[1], urllib.parse.unquote(match[2])
        if kind == "token" and number(value) in TOKENS:
            case.path_parameters = dict.fromkeys(case.path_parameters, 987654321)
        if kind == "user" and folded(value) == folded(OWNER):
            case.path_parameters = dict.fromkeys(case.path_parameters, "nobody")

    if case.formatted_path == "/events" and case.method == "GET":
        threading.Timer(0.2, add_film).start()  # a stream is read until its first event

    # As if each request came from elsewhere, since failed sign-ins are counted by address.
    case.headers["X-Forwarded-For"] = str(next(ADDRESSES))


if __name__ == "__main__":
    get("/user")  # an owner's alone; fails unless the answer is 200
