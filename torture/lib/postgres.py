"""Separate PostgreSQL clusters that parts can freeze, kill and replace."""

import os
import pwd
import random
import secrets
import signal
import subprocess
from pathlib import Path

from .processes import Failure, kill, wait_until

SETTINGS = {
    "listen_addresses": "*", "max_connections": "100", "checkpoint_timeout": "1d", "max_wal_size": "8GB",
    "wal_level": "replica", "max_wal_senders": "10", "hot_standby": "on", "shared_buffers": "32MB",
}


def programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if not found:
        raise Failure("PostgreSQL is missing: scripts/need postgres")
    return found[-1]


def as_server():
    """The command that runs another one as a user that PostgreSQL accepts, and the ids of this user."""
    if os.geteuid() != 0:
        return ["env", "LC_ALL=C"], (-1, -1)
    names = [user.pw_name for user in pwd.getpwall()]
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    drop = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [*drop, "env", "LC_ALL=C"], (user.pw_uid, user.pw_gid)


class Cluster:
    """A PostgreSQL server. `command` runs it elsewhere (`nsenter`); `host` is its address for clients."""

    def __init__(self, scope, name="postgres", host="127.0.0.1", listen="127.0.0.1", command=(), folder=None):
        self.scope, self.name, self.host, self.listen, self.command = scope, name, host, listen, list(command)
        self.folder = folder or scope.make_folder(name)
        self.data = self.folder / "data"
        self.log = scope.folder / f"{name}.log"
        self.drop, owner = as_server()
        os.chown(self.folder, *owner)
        self.process = None
        self.password = secrets.token_hex(16)

    def run(self, *command, **more):
        done = subprocess.run([*self.command, *self.drop, *map(str, command)], capture_output=True, text=True,
                              cwd=self.folder, timeout=120, **more)
        if done.returncode != 0:
            raise Failure(f"{command[0]}: {done.stdout[-500:]}{done.stderr[-1000:]}")
        return done.stdout

    def create(self, *options):
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        self.run(programs() / "initdb", f"--pgdata={self.data}", "--username=postgres", f"--pwfile={secret}",
                 "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync", *options)
        secret.unlink()
        with (self.data / "pg_hba.conf").open("a") as file:
            file.write("host all,replication all 10.199.0.0/16 scram-sha-256\n")
        return self

    def copy_of(self, primary):
        """Turns this server into a standby of `primary`."""
        self.password = primary.password
        source = f"host={primary.host} port={primary.port} user=postgres application_name={self.name}"
        self.run("env", f"PGPASSWORD={primary.password}", programs() / "pg_basebackup", "-D", self.data,
                 "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        return self

    def start(self, settings=None, port=None):
        for _ in range(20):
            self.port = port or random.randrange(20000, 32000)
            options = SETTINGS | {"listen_addresses": self.listen} | (settings or {})
            flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
            with self.log.open("w") as log:
                server = [programs() / "postgres", "-D", self.data, "-k", self.folder, "-p", str(self.port), *flags]
                # A change of the user clears the death signal, so it is set afterwards.
                command = [*self.command, *self.drop, "setpriv", "--pdeathsig", "QUIT", *server]
                self.process = self.scope.spawn(command, log, log, cwd=self.folder)
            try:
                wait_until(60, self.ready, f"{self.name} starts")
                return self
            except Failure:
                if port or "Address already in use" not in self.log.read_text():
                    raise Failure(f"{self.name} did not start: {self.log.read_text()[-1500:]}") from None
        raise Failure("no free port")

    def ready(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended")
        pid = self.data / "postmaster.pid"
        return pid.exists() and pid.read_text().rstrip().endswith("ready")

    def address(self, database="postgres", host=None):
        return f"postgres://postgres:{self.password}@{host or f'{self.host}:{self.port}'}/{database}"

    def psql(self, sql, database="postgres", seconds=30):
        command = ["psql", "-h", self.folder, "-p", str(self.port), "-U", "postgres", "-d", database, "-XAtq",
                   "-v", "ON_ERROR_STOP=1", "-c", sql]
        done = subprocess.run(["timeout", str(seconds), *map(str, command)], capture_output=True, text=True,
                              env=os.environ | {"PGPASSWORD": self.password})
        if done.returncode != 0:
            raise Failure(f"psql: {done.stderr.strip()[-500:]}")
        return done.stdout.strip()

    def create_database(self, name):
        self.psql(f'CREATE DATABASE "{name}"')
        return self.address(name)

    def processes(self):
        """The postmaster first, then its children."""
        children = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid:
                children.append(int(stat.parent.name))
        return [self.process.pid, *children]

    def signal_all(self, number):
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def freeze(self):
        self.signal_all(signal.SIGSTOP)

    def thaw(self):
        self.signal_all(signal.SIGCONT)

    def kill(self):
        """Like a crash of the machine, but with a running kernel: connections are reset."""
        self.signal_all(signal.SIGKILL)
        kill(self.process)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # fast shutdown
            self.process.wait(60)
