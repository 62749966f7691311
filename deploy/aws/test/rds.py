"""RDS as an instance sees it: a PostgreSQL server with a TLS certificate, and the URL of the certificate
authorities."""

import functools
import glob
import pwd
import shutil
import ssl
import tempfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from machine import Context, run

TRUST = "truststore.pki.rds.amazonaws.com"
ADDRESS = "127.0.0.43"  # not an address on which other programs of this machine listen


class Rds(Context):
    def __init__(self, host, password):
        self.host, self.password = host, password

    def set_up(self):
        self.folder = Path(self.exits.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        self.folder.chmod(0o755)
        self.sign()
        self.trust()
        self.serve()

    def sign(self):
        """Creates an authority, and one certificate for both servers."""
        new = (
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2",
        )
        authority = "-CA", "authority.pem", "-CAkey", "authority.key"
        extensions = f"subjectAltName=DNS:{TRUST},DNS:{self.host}", "basicConstraints=critical,CA:FALSE"
        run(*new, "-subj", "/CN=authority", "-keyout", "authority.key", "-out", "authority.pem", cwd=self.folder)
        run(
            *new, *authority, "-subj", "/CN=server", *(part for one in extensions for part in ("-addext", one)),
            "-keyout", "server.key", "-out", "server.pem", cwd=self.folder,
        )
        self.authority = (self.folder / "authority.pem").read_text()

    def trust(self):
        bundle = self.folder / "www/global/global-bundle.pem"
        bundle.parent.mkdir(parents=True)
        bundle.write_text(self.authority)
        handler = functools.partial(SimpleHTTPRequestHandler, directory=self.folder / "www")
        server = ThreadingHTTPServer((ADDRESS, 443), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.exits.callback(server.server_close)
        self.exits.callback(server.shutdown)

    def serve(self):
        """Starts PostgreSQL, which accepts only connections with TLS and the password."""
        tools = Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])
        user = pwd.getpwnam("postgres")
        data = self.folder / "data"
        data.mkdir()
        (self.folder / "password").write_text(self.password)
        for path in data, self.folder / "password", self.folder / "server.key":
            shutil.chown(path, user.pw_uid, user.pw_gid)
        (self.folder / "server.key").chmod(0o600)
        as_server = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": self.folder}
        run(tools / "initdb", "-D", data, "-U", "reelshelf", "--pwfile", self.folder / "password",
            "--encoding=UTF8", "--no-locale", "--no-sync", **as_server)
        (data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\nlocal all all peer map=all\n")
        (data / "pg_ident.conf").write_text("all postgres reelshelf\n")
        options = {
            "listen_addresses": ADDRESS, "port": 5432, "unix_socket_directories": self.folder / "data",
            "ssl": "on", "ssl_cert_file": self.folder / "server.pem", "ssl_key_file": self.folder / "server.key",
        }
        settings = " ".join(f"-c {name}={value}" for name, value in options.items())
        control = tools / "pg_ctl", "-D", data
        run(*control, "-w", "-l", data / "log", "-o", settings, "start", **as_server)
        self.exits.callback(run, *control, "-m", "immediate", "stop", **as_server)
        run(tools / "createdb", "-h", data, "-U", "reelshelf", "reelshelf", **as_server)

    @property
    def hosts(self):
        return f"127.0.0.1 localhost\n{ADDRESS} {TRUST} {self.host}\n"
