"""The requests under load: each case is a name and a list of requests (method, path, body) that wrk sends in turn."""

import collections
import csv
import json
import random
import re
from urllib.parse import quote

import films

FREQUENT_WORDS = 8
SAMPLE_TITLES = 20_000
REQUESTS = 20  # of each case that does not need more
MANY = 5_000


def get(path):
    return "GET", path, ""


def search(text, more=""):
    return get(f"/movie?limit=50&q={quote(text)}{more}")


def body(row):
    return json.dumps(dict(zip(films.HEADER.split(","), row)))


class Titles:
    """Search words, taken from the titles of the collection."""

    def __init__(self, path, count, rng):
        step = max(1, count // SAMPLE_TITLES)
        with open(path, newline="") as file:
            rows = csv.reader(file)
            next(rows)
            titles = [row[0] for number, row in enumerate(rows) if number % step == 0]
        words = [[word for word in re.findall(r"\w+", title.lower()) if len(word) > 2] for title in titles]
        counts = collections.Counter(word for title in words for word in title)
        self.frequent = [word for word, _ in counts.most_common(FREQUENT_WORDS)]
        # Only words of characters that Python considers letters: `\w` splits some scripts at their vowel signs.
        rare = [word for word, number in counts.items() if number == 1 and len(word) > 5 and word.isalpha()]
        self.rare = rng.sample(rare, min(REQUESTS, len(rare)))
        self.pairs = rng.sample([f"{title[0]} {title[1]}" for title in words if len(title) > 1], REQUESTS)
        latin = [word for word in counts if len(word) > 6 and word.isascii() and word.isalpha()]
        self.mistyped = []
        while len(self.mistyped) < REQUESTS:
            word, at = rng.choice(latin), rng.randrange(1, 5)
            typed = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            if not any(other.startswith(typed) for other in counts):
                self.mistyped.append(typed)
        self.unknown = ["".join(rng.choices("bcdfghjkqvwxz", k=10)) for _ in range(REQUESTS)]


def ranges(rng):
    """Values of filters, a different one in each request."""
    year, rating, length = rng.randrange(1950, 2005), rng.randrange(2, 5), rng.randrange(80, 120)
    format = rng.choice(["VHS", "DVD", "Streaming"])
    return f"&movieFormat={format}", f"&releaseYear={year}..{year + 19}", f"&rating={rating}..", f"&length=..{length}"


def filtered(rng, number, path="/movie?limit=50&sort=title"):
    return [get(path + "".join(rng.sample(ranges(rng), number))) for _ in range(REQUESTS)]



def reads(titles, count, deep, rng):
    """The cases that only read; `deep` are paths of pages deep in the collection."""
    page = "/movie?limit=50&sort="
    both = [get(f"{page}-rating,title{format}{years}") for format, years, _, _ in (ranges(rng) for _ in range(REQUESTS))]
    yield "get", [get(f"/movie/{rng.randint(1, count)}") for _ in range(MANY)]
    for sort in "title", "-rating,title", "releaseYear", "length", "movieFormat,-releaseYear", "-createdAt":
        yield f"page {sort}", [get(page + sort)]
    yield "page deep", [get(path) for path in deep]
    yield "page one filter", filtered(rng, 1)
    yield "page two filters", filtered(rng, 2)
    yield "page three filters", filtered(rng, 3)
    yield "page two filters, -rating,title", both
    yield "page two filters, total", [(method, path + "&total=true", "") for method, path, _ in filtered(rng, 2)]
    yield "search frequent word", [search(word) for word in titles.frequent]
    yield "search frequent word, title", [search(word, "&sort=title") for word in titles.frequent]
    yield "search rare word", [search(word) for word in titles.rare]
    yield "search two words", [search(pair) for pair in titles.pairs]
    yield "search one letter", [search(letter) for letter in "abcdefghijklmnoprstuvwz"]
    yield "search typing error", [search(word) for word in titles.mistyped]
    yield "search nothing found", [search(word) for word in titles.unknown]
    yield "stats", [get("/stats")]
    yield "stats two filters", filtered(rng, 2, "/stats?")
    yield "stats search", [get(f"/stats?q={quote(word)}") for word in titles.frequent]
    yield "random", [get("/movie/random")]
    yield "random two filters", filtered(rng, 2, "/movie/random?")


def creates(rng, number):
    return [("POST", "/movie", body(row)) for row in films.films(number, seed=rng.random())]


def patches(rng, count, number):
    return [("PATCH", f"/movie/{rng.randint(1, count)}", '{"length":%d}') for _ in range(number)]


def writes(titles, count, rng):
    """The cases that write. One in ten of the mixed requests writes."""
    gets = [get(f"/movie/{rng.randint(1, count)}") for _ in range(MANY * 6 // 10)]
    pages = (filtered(rng, 0) + filtered(rng, 2)) * (MANY // 10 // REQUESTS)
    searches = [search(rng.choice(titles.pairs)) for _ in range(MANY // 10)]
    mixed = gets + pages + searches + creates(rng, MANY // 20) + patches(rng, count, MANY // 20)
    rng.shuffle(mixed)
    yield "patch", patches(rng, count, MANY)
    yield "mixed", mixed
    yield "create", creates(rng, MANY)


def generator():
    return random.Random(7)
