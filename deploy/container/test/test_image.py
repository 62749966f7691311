"""The content of the image, and its work with the fewest rights."""

import json
import os
import re
import stat
import tarfile
from pathlib import Path

import pytest
from engine import FILM, HARDENED, IMAGE, container, fetch, run

PROGRAM = Path(__file__).parents[3] / "target/static/dev/reelshelf"


@pytest.fixture
def volume():
    name = run("podman", "volume", "create")
    yield name
    run("podman", "volume", "rm", name)


def test_the_image_contains_only_these_files(tmp_path):
    archive = tmp_path / "image.tar"
    run("podman", "save", "--format=docker-archive", f"--output={archive}", IMAGE)
    found = {}
    with tarfile.open(archive) as image:
        [manifest] = json.load(image.extractfile("manifest.json"))
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=image.extractfile(name)) as layer:
                for member in layer:
                    found[member.name.rstrip("/")] = member
                    if member.name == "THIRD-PARTY-LICENSES":
                        licences = layer.extractfile(member).read().decode()
    assert found.keys() == {
        "LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-LICENSES", "data", "etc", "etc/nsswitch.conf", "etc/passwd",
        "etc/ssl", "etc/ssl/certs", "etc/ssl/certs/ca-certificates.crt", "reelshelf",
    }
    for name, member in found.items():
        owner = 65532 if name == "data" else 0
        executable = member.isdir() or name == "reelshelf"
        mode = 0o755 if executable else 0o644
        assert (member.uid, member.gid, stat.S_IMODE(member.mode)) == (owner, owner, mode), name
        assert member.isdir() or member.isfile(), name
    for work in "rusqlite ", "Swagger UI: Apache-2.0", "The Rust standard library", "The GNU C Library":
        assert f"\n{work}" in licences, work
    environment = json.loads(run("podman", "inspect", "--format={{json .Config.Env}}", IMAGE))
    assert {variable.split("=")[0] for variable in environment} == {
        "PATH", "REELSHELF_LISTEN", "TMPDIR",
    }


def test_the_program_needs_nothing_else(tmp_path):
    run("install", PROGRAM, tmp_path)
    said = run("chroot", tmp_path, "/reelshelf", "--version")
    labels = json.loads(run("podman", "inspect", "--format={{json .Labels}}", IMAGE))
    assert said == f"reelshelf {labels['org.opencontainers.image.version']}"


def test_the_log_has_the_url_that_creates_the_owner():
    with container() as service:
        said = re.search(r"http://127\.0\.0\.1:8080(/setup#code=\S+)", service.healthy().log())
        assert said, service.log()
        status, _, page = fetch(f"http://{service.address(8080)}{said[1]}")
        assert (status, "olivia" in page) == (200, False)


def test_it_has_no_rights():
    with container(*HARDENED) as service:
        process = Path("/proc", str(service.healthy().inspect(".State.Pid")), "status").read_text()
        status = dict(line.split(":\t", 1) for line in process.splitlines())
        for capabilities in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
            assert int(status[capabilities], 16) == 0, capabilities
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert run("podman", "top", service.name, "user").split() == ["USER", "reelshelf"]


def test_the_collection_survives_its_container(volume):
    options = *HARDENED, f"--volume={volume}:/data"
    with container(*options) as service:
        token = service.healthy().owner()
        movie = f"http://{service.address(8080)}/movie"
        assert fetch(movie, json.dumps(FILM), token)[0] == 201
        films = "title,movieFormat,length,releaseYear,rating\n" + "".join(
            f"Film {number},VHS,90,1990,3\n" for number in range(50_000)
        )
        status, _, report = fetch(movie, films, token, "text/csv")
        assert status == 200, report

        run("podman", "stop", "--time=30", service.name)
        assert service.inspect(".State.ExitCode") == 0 # podman kills it after 30 s, with another status

    with container(*options) as service:
        movie = f"http://{service.healthy().address(8080)}/movie?limit=1&total=true"
        status, headers, _ = fetch(movie, token=token)
        assert (status, headers["X-Total-Count"]) == (200, "50001")


def test_names_are_resolved(tmp_path):
    """With PostgreSQL on this machine and its URL in a file, as in compose.postgres.yaml."""
    secret = tmp_path / "database"
    secret.write_text(os.environ["REELSHELF_TEST_POSTGRES"].replace("@127.0.0.1:", "@database.example:"))
    options = [
        *HARDENED, "--rm", "--network=host", f"--volume={secret}:/run/secrets/database:ro",
        "--env=REELSHELF_DATABASE_FILE=/run/secrets/database", IMAGE,
    ]
    host = "--add-host=database.example:127.0.0.1"
    run("podman", "run", host, *options, "migrate")
    assert run("podman", "run", host, *options, "user", "list") == ""
    with pytest.raises(AssertionError, match="failed to lookup address"):
        run("podman", "run", *options, "user", "list")
