"""A separate database for each case, on SQLite or PostgreSQL."""

import sqlite3
from contextlib import closing

from .postgres import Cluster
from .processes import Failure


class Databases:
    """Creates databases in a scope; the first one that needs the PostgreSQL server starts it."""

    def __init__(self, scope):
        self.scope, self.cluster, self.count = scope, None, 0

    def make(self, kind):
        self.count += 1
        if kind == "sqlite":
            return f"sqlite:{self.scope.make_folder(f'sqlite{self.count}')}/films.db"
        if self.cluster is None:
            self.cluster = Cluster(self.scope).create().start({"fsync": "on"})
        return self.cluster.create_database(f"films{self.count}")

    def check_file(self, database):
        """The errors that SQLite or PostgreSQL find in a database that is not in use."""
        if database.startswith("sqlite:"):
            return check_sqlite(database.removeprefix("sqlite:"))
        try:
            self.cluster.psql("CREATE EXTENSION IF NOT EXISTS amcheck", database.rpartition("/")[2])
            self.cluster.psql("SELECT bt_index_check(c.oid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                              "JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relpersistence = 'p'",
                              database.rpartition("/")[2])
        except Failure as failure:
            return [str(failure)]
        return []


def check_sqlite(path):
    try:
        with closing(sqlite3.connect(path)) as connection:
            whole = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            foreign = list(connection.execute("PRAGMA foreign_key_check"))
    except sqlite3.DatabaseError as error:
        return [f"{path.rpartition('/')[2] if isinstance(path, str) else path.name}: {error}"]
    problems = [] if whole == ["ok"] else [f"integrity_check: {line}" for line in whole]
    return problems + [f"foreign_key_check: {row}" for row in foreign]
