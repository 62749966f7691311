"""The package in a booted bare Debian: installed, upgraded, removed, installed again, purged.

Each step is a fixture that depends on the previous one, and the tests are in that order.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from machine import Machine, run

PACKAGE = os.environ["REELSHELF_DEB"]
PASSWORD = "a shelf full of tapes"
HEAT = {"title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5}
SETTINGS = "/etc/reelshelf/reelshelf.env"
URL = "http://127.0.0.1:8080"


class Debian(Machine):
    options = ("--private-network",)  # so that the port is free

    def set_up(self):
        super().set_up()
        self.wait(60, lambda: self.leaders() and self.state("multi-user.target") == "active")

    def prepare(self):
        shutil.copy(PACKAGE, self.root / "new.deb")
        with tempfile.TemporaryDirectory() as folder:  # the same package with another version
            run("dpkg-deb", "--raw-extract", PACKAGE, folder)
            control = Path(folder, "DEBIAN/control")
            control.write_text(re.sub(r"(?m)^Version: .*", "Version: 0.0.9-1", control.read_text()))
            run("dpkg-deb", "--build", "-Znone", folder, self.root / "old.deb")

    def apt(self, *command):
        return self.inside("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", *command)

    def state(self, unit="reelshelf"):
        show = "systemctl", "show", "--value", "--property=ActiveState", unit
        return subprocess.run([*self.enter("--all"), *show], capture_output=True, text=True).stdout.strip()

    def main(self):
        """The process id of the service."""
        return self.inside("systemctl", "show", "--value", "--property=MainPID", "reelshelf")

    def curl(self, path, *options):
        """The response to curl of the host, which runs in the network of the machine."""
        curl = "curl", "--silent", "--show-error", "--fail", "--user", f"evan:{PASSWORD}"
        return run(*self.enter("--net"), *curl, *options, URL + path)

    def films(self):
        return [film["title"] for film in json.loads(self.curl("/movie"))]

    def named(self):
        """All files with this name."""
        return self.inside("find", "/", "-xdev", "-name", "*reelshelf*").splitlines()


@pytest.fixture(scope="module")
def machine():
    with Debian() as machine:
        yield machine


@pytest.fixture(scope="module")
def installed(machine):
    machine.apt("install", "/old.deb")
    return machine


def test_the_service_runs_as_its_own_user(installed):
    assert installed.state() == "active"
    assert installed.inside("systemctl", "is-enabled", "reelshelf") == "enabled"
    assert installed.inside("stat", "--format=%U", f"/proc/{installed.main()}") == "reelshelf"
    assert installed.inside("getent", "passwd", "reelshelf").endswith(":/var/lib/reelshelf:/usr/sbin/nologin")


def test_files_have_the_least_permissions(installed):
    for path, owner in {
        "/etc/reelshelf": "root 755",
        SETTINGS: "root 600",
        "/var/lib/reelshelf": "reelshelf 700",
        "/var/lib/reelshelf/reelshelf.db": "reelshelf 600",
        "/usr/bin/reelshelf": "root 755",
        "/usr/sbin/reelshelf-admin": "root 755",
        "/usr/share/doc/reelshelf/THIRD-PARTY-LICENSES.gz": "root 644",
        "/usr/share/reelshelf/nginx/reelshelf.conf": "root 644",
        "/usr/share/man/man1/reelshelf.1.gz": "root 644",
        "/usr/share/man/man1/reelshelf-serve.1.gz": "root 644",
        "/usr/share/man/man8/reelshelf-admin.8.gz": "root 644",
        "/usr/share/zsh/vendor-completions/_reelshelf": "root 644",
        "/usr/share/fish/vendor_completions.d/reelshelf.fish": "root 644",
    }.items():
        assert (path, installed.inside("stat", "--format=%U %a", path)) == (path, owner)


def test_the_package_has_third_party_licences(installed):
    licences = installed.inside("zcat", "/usr/share/doc/reelshelf/THIRD-PARTY-LICENSES.gz")
    for work in "rusqlite ", "Swagger UI: Apache-2.0", "The Rust standard library":
        assert f"\n{work}" in licences, work
    assert "MPL-2.0, is version" in licences


def test_bash_completes(installed):
    script = "source /usr/share/bash-completion/completions/reelshelf && complete -p reelshelf"
    assert installed.inside("bash", "-c", script).endswith(" reelshelf")


def test_the_sandbox_is_tight(installed):
    installed.inside("systemd-analyze", "security", "--threshold=20", "reelshelf")


def test_the_journal_has_the_url_that_creates_the_first_owner(installed):
    assert f" {URL}/setup#code=" in installed.inside("journalctl", "--output=cat", "--unit=reelshelf")


def test_reelshelf_admin_uses_the_database_of_the_service(installed):
    admin = "reelshelf-admin", "user", "add", "evan", "--role", "editor", "--password-stdin"
    installed.inside(*admin, input=PASSWORD)
    assert installed.inside("reelshelf-admin", "user", "list").startswith("evan\teditor\t")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        installed.inside(*admin, input=PASSWORD)
    assert refused.value.returncode == 1 and "a user evan exists already" in refused.value.stderr
    installed.inside("reelshelf-admin", "backup", "films.backup")
    backup = installed.inside("stat", "--format=%U %a", "/var/lib/reelshelf/films.backup")
    assert backup == "reelshelf 600"


def test_the_service_makes_a_backup(installed):
    find = "find", "/var/lib/reelshelf", "-path", "*/backups/reelshelf-*.backup", "-printf", "%u %m"
    installed.wait(30, lambda: installed.inside(*find) == "reelshelf 600")


def test_a_film_is_stored(installed):
    installed.curl("/movie", "--json", json.dumps(HEAT))
    assert installed.films() == ["Heat"]


def test_reelshelf_admin_uses_drop_ins_of_the_service(installed):
    installed.write("/etc/reelshelf/database", "sqlite:/var/lib/reelshelf/other.db\n", 0o600)
    installed.write("/etc/systemd/system/reelshelf.service.d/other.conf", (
        "[Service]\nLoadCredential=database:/etc/reelshelf/database\n"
        "Environment=REELSHELF_DATABASE_FILE=%d/database\n"
    ))
    settings = installed.read(SETTINGS)
    installed.write(SETTINGS, "", 0o600)
    for command in "daemon-reload", "restart reelshelf":
        installed.inside("systemctl", *command.split())
    assert installed.inside("reelshelf-admin", "user", "list") == ""
    installed.inside("rm", "-r", "/etc/systemd/system/reelshelf.service.d")
    installed.write(SETTINGS, settings, 0o600)
    for command in "daemon-reload", "restart reelshelf":
        installed.inside("systemctl", *command.split())
    assert installed.inside("reelshelf-admin", "user", "list").startswith("evan\t")


@pytest.fixture(scope="module")
def upgraded(installed):
    before = installed.main()
    installed.write(SETTINGS, installed.read(SETTINGS) + "REELSHELF_LOG_FORMAT=json\n", 0o600)
    connect = f"while curl --silent --show-error --fail {URL}/health/live; do :; done"
    client = subprocess.Popen([*installed.enter("--net"), "bash", "-c", connect], stdout=subprocess.DEVNULL)
    installed.apt("install", "/new.deb")
    assert installed.main() not in ("0", before)
    assert client.poll() is None, "a connection was refused"
    client.kill()
    client.wait()
    return installed


def test_an_upgrade_runs_the_new_program(upgraded):
    new = run("dpkg-deb", "--field", PACKAGE, "Version")
    assert upgraded.inside("dpkg-query", "--show", "--showformat=${Version}", "reelshelf") == new
    assert upgraded.inside("readlink", f"/proc/{upgraded.main()}/exe") == "/usr/bin/reelshelf"
    assert upgraded.state() == "active"


def test_an_upgrade_keeps_data_and_settings(upgraded):
    assert upgraded.films() == ["Heat"]
    assert upgraded.read(SETTINGS).endswith("REELSHELF_LOG_FORMAT=json\n")
    assert upgraded.mode(SETTINGS) == 0o600
    assert "REELSHELF_LOG_FORMAT=json" in upgraded.inside("cat", f"/proc/{upgraded.main()}/environ").split("\0")


@pytest.fixture(scope="module")
def removed(upgraded):
    upgraded.apt("remove", "reelshelf")
    return upgraded


def test_a_removal_keeps_data_and_settings(removed):
    assert removed.state() == "inactive"
    assert not [path for path in removed.named() if path.startswith("/usr/")]
    assert removed.read(SETTINGS).endswith("REELSHELF_LOG_FORMAT=json\n")
    assert "reelshelf.db" in removed.inside("ls", "/var/lib/reelshelf")


@pytest.fixture(scope="module")
def again(removed):
    removed.apt("install", "/new.deb")
    return removed


def test_a_new_installation_has_the_data(again):
    assert again.state() == "active"
    assert again.films() == ["Heat"]


@pytest.fixture(scope="module")
def purged(again):
    again.apt("purge", "reelshelf")
    return again


def test_a_purge_leaves_nothing_but_the_locked_user(purged):
    assert purged.named() == []
    assert purged.state() == "inactive"
    assert purged.inside("getent", "shadow", "reelshelf").split(":")[1].startswith("!")


def test_invalid_settings_stay_and_the_installation_succeeds(purged):
    purged.write(SETTINGS, "REELSHELF_DATABASE=nowhere\n", 0o600)
    purged.apt("install", "--option=Dpkg::Options::=--force-confold", "/new.deb")
    assert purged.read(SETTINGS) == "REELSHELF_DATABASE=nowhere\n"
    assert purged.state() != "active"
    purged.write(SETTINGS, "", 0o600)
    purged.wait(30, lambda: purged.state() == "active")
