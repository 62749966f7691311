"""The databases without the service: the limits of an import, a select and a commit."""

import csv
import os
import random
import re
import sqlite3
import subprocess
import time
from urllib.parse import urlsplit

PLAIN = "CREATE TABLE plain (title TEXT, movie_format TEXT, length INTEGER, release_year INTEGER, rating INTEGER)"
INSERT = "INSERT INTO plain VALUES"
NAME = "reelshelf_bench"


class Sqlite:
    title = "SQLite"
    loader = "`sqlite3 .import`"
    committer = "durable commits in a loop"
    has_selects = False

    def __init__(self, folder):
        self.folder = folder
        self.file, self.plain, self.commits_file = folder / "films.db", folder / "plain.db", folder / "commits.db"
        self.address = f"sqlite:{self.file}"

    def version(self):
        """The SQLite of the limits; the service contains its own."""
        return f"SQLite {sqlite3.sqlite_version} for the limits"

    def recreate(self):
        for file in self.folder.glob("films.db*"):
            file.unlink()

    def drop(self):
        self.recreate()

    def size(self):
        return sum(file.stat().st_size for file in self.folder.glob("films.db*"))

    def load_plain(self, source):
        """Seconds and bytes for the same rows in a plain table."""
        self.plain.unlink(missing_ok=True)
        start = time.monotonic()
        subprocess.run(["sqlite3", self.plain, PLAIN, ".mode csv", f".import --skip 1 {source} plain"], check=True)
        seconds = time.monotonic() - start
        return seconds, self.plain.stat().st_size

    def commits(self, rows, _connections, seconds):
        """Commits per second, one after another, each with one row and one fsync."""
        for file in self.folder.glob("commits.db*"):
            file.unlink()
        connection = sqlite3.connect(self.commits_file, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(PLAIN)
        start, number = time.monotonic(), 0
        while time.monotonic() < start + seconds:
            connection.execute(f"{INSERT} (?, ?, ?, ?, ?)", rows[number % len(rows)])  # a transaction of its own
            number += 1
        taken = time.monotonic() - start
        connection.close()
        return number / taken


class Postgres:
    title = "PostgreSQL"
    loader = "`psql \\copy`"
    committer = "`pgbench`, single-row inserts"
    has_selects = True

    def __init__(self, folder):
        server = os.environ.get("REELSHELF_TEST_POSTGRES")
        if not server:
            raise SystemExit("bench: run it by scripts/with-postgres, or set REELSHELF_TEST_POSTGRES")
        parts = urlsplit(server)
        self.address = parts._replace(path=f"/{NAME}").geturl()
        self.folder = folder
        # Not an argument: all users of the machine can see arguments.
        self.environment = os.environ | {
            "PGHOST": parts.hostname, "PGPORT": str(parts.port), "PGUSER": parts.username, "PGPASSWORD": parts.password,
        }

    def run(self, *command):
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def psql(self, sql, database=NAME):
        return self.run("psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", database, "--command", sql).strip()

    def version(self):
        return "PostgreSQL " + self.psql("SHOW server_version", "postgres").split()[0]

    def drop(self):
        self.psql(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)", "postgres")

    def recreate(self):
        self.drop()
        self.psql(f"CREATE DATABASE {NAME}", "postgres")
        self.empty = self.database_size()

    def database_size(self):
        return int(self.psql(f"SELECT pg_database_size('{NAME}')", "postgres"))

    def size(self):
        return self.database_size() - self.empty

    def load_plain(self, source):
        """Seconds and bytes for the same rows in a plain table, in a new database."""
        self.recreate()
        self.psql(PLAIN)
        start = time.monotonic()
        self.psql(f"\\copy plain FROM '{source}' WITH (FORMAT csv, HEADER)")
        seconds = time.monotonic() - start
        return seconds, int(self.psql("SELECT pg_total_relation_size('plain')"))

    def prepare_selects(self, source):
        """A plain table beside the collection, with a key to select by."""
        self.psql(f"DROP TABLE IF EXISTS plain; {PLAIN}")
        self.psql(f"\\copy plain FROM '{source}' WITH (FORMAT csv, HEADER)")
        self.psql("ALTER TABLE plain ADD id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
        self.psql("VACUUM ANALYZE plain")
        self.count = int(self.psql("SELECT count(*) FROM plain"))

    def forget_plain(self):
        self.psql("DROP TABLE IF EXISTS plain")

    def pgbench(self, script, connections, seconds):
        """Transactions per second of a script."""
        path = self.folder / "pgbench.sql"
        path.write_text(script)
        command = ["pgbench", "--no-vacuum", "--protocol=prepared", f"--file={path}", f"--client={connections}"]
        command += [f"--jobs={min(2, connections)}", f"--time={seconds}", NAME]
        return float(re.search(r"tps = ([\d.]+)", self.run(*command))[1])

    def selects(self, connections, seconds):
        script = f"\\set id random(1, {self.count})\nSELECT * FROM plain WHERE id = :id;\n"
        return self.pgbench(script, connections, seconds)

    def commits(self, rows, connections, seconds):
        title, *rest = random.Random(1).choice(rows)
        title = title.replace("'", "''")
        self.psql(PLAIN.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"))
        values = ", ".join([f"'{title}'", f"'{rest[0]}'", *map(str, rest[1:])])
        columns = "title, movie_format, length, release_year, rating"
        return self.pgbench(f"INSERT INTO plain ({columns}) VALUES ({values});\n", connections, seconds)


def rows_of(source, number):
    """The first rows of a file of films."""
    with open(source, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return [row for row, _ in zip(rows, range(number))]


BY_NAME = {"sqlite": Sqlite, "postgres": Postgres}
