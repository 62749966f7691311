"""A booted bare Debian that runs the user data of an instance, as cloud-init does.

Debian, systemd, nginx, certbot and the package are real. Simulated are AWS (by moto, with empty packages as
agents for logs and sessions, and a file behind a loop device as volume), cloud-init, and Let's Encrypt (by
pebble, its own test server).
"""

import json
import os
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from machine import ARCHITECTURE, TARGET, Machine, run
from simulation import REGION

AGENTS = {
    f"amazoncloudwatch-agent-{REGION}": f"debian/{ARCHITECTURE}/latest/amazon-cloudwatch-agent.deb",
    f"amazon-ssm-{REGION}": f"latest/debian_{ARCHITECTURE}/amazon-ssm-agent.deb",
}
CONTROL = """\
#!/bin/sh
printf '%s\\n' "$@" >/opt/aws/arguments
"""
# Runs the user data once and keeps its output, as cloud-init does. The environment has what AWS's tools read
# from the metadata service on AWS.
UNIT = """\
[Unit]
After=network.target
[Service]
Type=oneshot
EnvironmentFile=/etc/simulation
ExecStart=/var/lib/cloud/user-data
StandardOutput=file:/user-data.log
StandardError=inherit
ExecStopPost=sh -c 'echo $EXIT_STATUS >/user-data.status'
[Install]
WantedBy=multi-user.target
"""


def agents(aws):
    """Uploads empty packages to the buckets where AWS publishes its agents."""
    for bucket, key in AGENTS.items():
        name = Path(key).stem
        with tempfile.TemporaryDirectory() as folder:
            root, package = Path(folder, "root"), Path(folder, "package.deb")
            tools = root / "opt/aws" / name / "bin"
            tools.mkdir(parents=True)
            tool = tools / f"{name}-ctl"
            tool.write_text(CONTROL)
            tool.chmod(0o755)
            (root / "DEBIAN").mkdir()
            (root / "DEBIAN/control").write_text(
                f"Package: {name}\nVersion: 1\nArchitecture: all\n"
                "Maintainer: nobody <nobody@example.com>\nDescription: empty\n"
            )
            run("dpkg-deb", "--build", "--root-owner-group", root, package)
            aws.s3.create_bucket(Bucket=bucket)
            aws.s3.upload_file(str(package), bucket, key)


def get(url, **headers):
    """Status, headers and body, without following redirects."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=anyone))
    try:
        answer = opener.open(urllib.request.Request(url, headers=headers), timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


class Instance(Machine):
    """An EC2 instance on its first boot."""

    def __init__(self, environment, identifier, user_data, volume=None, files=()):
        self.environment, self.identifier = environment, identifier
        self.user_data, self.volume, self.files = user_data, volume, dict(files)

    def prepare(self):
        self.write("/var/lib/cloud/data/instance-id", self.identifier)
        self.write("/var/lib/cloud/user-data", self.user_data, 0o700)
        variables = "".join(f"{name}={value}\n" for name, value in self.environment.items())
        self.write("/etc/simulation", variables, 0o600)
        self.write("/etc/systemd/system/user-data.service", UNIT)
        wanted = self.root / "etc/systemd/system/multi-user.target.wants"
        wanted.mkdir(parents=True, exist_ok=True)
        (wanted / "user-data.service").symlink_to("/etc/systemd/system/user-data.service")
        for path, text in self.files.items():
            self.write(path, text)
        run("chroot", self.root, "update-ca-certificates")
        if self.volume:
            device = run("losetup", "--find", "--show", self.volume.path)
            self.exits.callback(run, "losetup", "--detach", device)
            self.options = [f"--bind={device}"]
            name = "nvme-Amazon_Elastic_Block_Store_" + self.volume.identifier.replace("-", "")
            self.write("/etc/tmpfiles.d/volume.conf", f"L /dev/disk/by-id/{name} - - - - {device}\n")

    def said(self):
        log = self.root / "user-data.log"
        if not log.exists():
            return super().said()
        journal = "journalctl", "--no-pager", "--lines=30", "--unit=certificate"
        return log.read_text() + (self.inside(*journal) if self.leaders() else "")

    def status(self):
        """The exit status of the user data."""
        self.wait(600, (self.root / "user-data.status").exists)
        return self.read("/user-data.status").strip()


class Volume:
    """An empty EBS volume."""

    def __init__(self, identifier, path):
        self.identifier, self.path = identifier, path
        with path.open("wb") as file:
            file.truncate(1 << 30)


class Pebble:
    """Let's Encrypt's test server. Here every name resolves to this machine."""

    DIRECTORY = "https://localhost:14000/dir"

    def __init__(self, folder):
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", key, "-out", certificate,
        )
        configuration = folder / "pebble.json"
        configuration.write_text(json.dumps({"pebble": {
            "listenAddress": "127.0.0.1:14000",
            "managementListenAddress": "127.0.0.1:15000",
            "certificate": str(certificate),
            "privateKey": str(key),
            "httpPort": 80,
            "tlsPort": 443,
        }}))
        names = ["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "",
                 "-https01", "", "-tlsalpn01", "", "-dns01", "127.0.0.1:8053",
                 "-management", "127.0.0.1:8055"]
        server = ["pebble", "-config", str(configuration), "-dnsserver", "127.0.0.1:8053"]
        log = (TARGET / "pebble.log").open("w")
        # By default pebble sleeps, and rejects 5 % of the requests; certbot repeats a request only once.
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        self.processes = [
            subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            for command in (names, server)
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
