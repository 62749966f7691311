"""The compose files, in folders as on a server."""

import json
import os
import shutil
import ssl
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from engine import FILM, IMAGE, Container, fetch, run
from images import image_of_nginx, image_of_postgres

CONTAINER = Path(__file__).parent.parent
BASE, POSTGRES, NGINX = "compose.yaml", "compose.postgres.yaml", "compose.nginx.yaml"
COMBINATIONS = [(BASE,), (BASE, POSTGRES), (BASE, NGINX), (BASE, POSTGRES, NGINX)]
PUBLIC_URL = "https://localhost"


@pytest.fixture
def folder(tmp_path):
    for name in "container", "nginx":
        shutil.copytree(CONTAINER.parent / name, tmp_path / name)
    return tmp_path / "container"


def compose(folder, files, *command):
    options = [f"--file={file}" for file in files]
    program = Path(sys.executable).with_name("podman-compose")
    environment = {**os.environ, "REELSHELF_PUBLIC_URL": PUBLIC_URL}
    return run(program, "--in-pod=false", *options, *command, cwd=folder, env=environment)


@contextmanager
def up(folder, files, changes):
    """The running containers, by service. `changes` overrides images, and ports that may be in use."""
    (folder / "test.yaml").write_text(changes)
    project = f"--project-name=reelshelf-{uuid.uuid4().hex}"
    try:
        compose(folder, (*files, "test.yaml"), project, "up", "--detach")
        ids = compose(folder, (*files, "test.yaml"), project, "ps", "--quiet").split()
        containers = [Container(name) for name in ids]
        yield {each.inspect(".Config.Labels")["com.docker.compose.service"]: each for each in containers}
    finally:
        compose(folder, (*files, "test.yaml"), project, "down", "--volumes")


@pytest.fixture(scope="module", params=COMBINATIONS, ids="+".join)
def services(request):
    return yaml.safe_load(compose(CONTAINER, request.param, "config"))["services"]


def test_every_container_is_hardened(services):
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"
        assert "privileged" not in service
    added = {name: service["cap_add"] for name, service in services.items() if "cap_add" in service}
    assert added in ({}, {"nginx": ["CHOWN", "NET_BIND_SERVICE", "SETGID", "SETUID"]})


def test_only_nginx_is_open_to_the_world(services):
    found = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    alone, behind = {"reelshelf": ["127.0.0.1:8080:8080"]}, {"nginx": ["80:80", "443:443"]}
    assert found == (behind if "nginx" in services else alone)


def test_secrets_come_from_files(services):
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            assert "://" not in value or name == "REELSHELF_PUBLIC_URL", name
            assert "PASSWORD" not in name or value == "/run/secrets/postgres-password", name
    if "postgres" in services:
        assert services["reelshelf"]["environment"]["REELSHELF_DATABASE_FILE"] == "/run/secrets/database"
        assert services["reelshelf"]["secrets"] == ["database"]
        assert services["postgres"]["secrets"] == ["postgres-password"]


def test_the_image_is_of_this_version(services):
    version = run("podman", "inspect", '--format={{index .Labels "org.opencontainers.image.version"}}', IMAGE)
    assert services["reelshelf"]["image"] == f"ghcr.io/reelshelf/reelshelf:{version}"


def test_the_service_alone(folder):
    with up(folder, [BASE], f"""
        services:
          reelshelf: {{ image: {IMAGE}, ports: !override ["127.0.0.1::8080"] }}
    """) as containers:
        service = containers["reelshelf"].healthy()
        token = service.owner()
        assert fetch(f"http://{service.address(8080)}/movie", token=token)[0] == 200


def test_with_postgres(folder):
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    password = uuid.uuid4().hex
    (secrets / "postgres-password").write_text(password)
    (secrets / "database").write_text(f"postgres://reelshelf:{password}@postgres/reelshelf")
    with up(folder, [BASE, POSTGRES], f"""
        services:
          reelshelf: {{ image: {IMAGE}, ports: !override ["127.0.0.1::8080"] }}
          postgres: {{ image: {image_of_postgres(folder)} }}
    """) as containers:
        service, postgres = containers["reelshelf"].healthy(), containers["postgres"]
        token = service.owner()
        assert fetch(f"http://{service.address(8080)}/movie", json.dumps(FILM), token)[0] == 201

        # Stored data survives a restart of both; the service waits for PostgreSQL.
        run("podman", "restart", postgres.name)
        run("podman", "restart", service.name)
        _, _, films = fetch(f"http://{service.healthy().address(8080)}/movie", token=token)
        assert [film["title"] for film in json.loads(films)] == [FILM["title"]]
        assert password not in service.log() + postgres.log()


def test_behind_nginx(folder):
    certificates = folder / "certificates"
    for made in certificates, folder / "acme":
        made.mkdir()
    certificate = certificates / "fullchain.pem"
    run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        "-addext", "basicConstraints=critical,CA:FALSE",
        "-keyout", certificates / "privkey.pem", "-out", certificate,
    )
    with up(folder, [BASE, NGINX], f"""
        services:
          reelshelf: {{ image: {IMAGE} }}
          nginx: {{ image: {image_of_nginx(folder)}, ports: !override ["127.0.0.1::80", "127.0.0.1::443"] }}
    """) as containers:
        service, nginx = containers["reelshelf"].healthy(), containers["nginx"]
        assert f"{PUBLIC_URL}/setup#code=" in service.log()
        token = service.owner()
        port = nginx.address(443).rpartition(":")[2]
        site = f"https://localhost:{port}"
        trusted = ssl.create_default_context(cafile=certificate)
        status, headers, _ = fetch(f"{site}/movie", token=token, context=trusted)
        assert (status, headers["Strict-Transport-Security"]) == (200, "max-age=31536000")

        # A client trusts only the authorities in its /etc/ssl.
        environment = [f"--env=REELSHELF_SERVER={site}", f"--env=REELSHELF_TOKEN={token}"]
        client = ["podman", "run", "--rm", "--network=host", *environment]
        own = f"--volume={certificate}:/etc/ssl/certs/ca-certificates.crt:ro"
        assert run(*client, own, IMAGE, "stats", "--json")
        with pytest.raises(AssertionError, match="certificate"):
            run(*client, IMAGE, "stats", "--json")

        # nginx keeps running while the service restarts.
        run("podman", "restart", service.name)
        service.healthy()
        assert fetch(f"{site}/movie", token=token, context=trusted)[0] == 200
