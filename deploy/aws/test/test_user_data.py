"""The user data of the stacks, run in a bare Debian that has booted."""

import os
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest
from conftest import DOMAIN, Stack
from instance import ARCHITECTURE, Instance, Pebble, Volume, agents
from simulation import REGION
from test_deploy import group, user_data


@pytest.fixture(scope="module")
def package():
    """The package itself, which an instance installs."""
    path = os.environ.get("REELSHELF_DEB")
    assert path, "REELSHELF_DEB must name the Debian package to install"
    assert path.endswith(f"_{ARCHITECTURE}.deb"), f"{path} is not for {ARCHITECTURE}"
    return os.path.abspath(path)


@pytest.fixture(scope="module")
def small(aws, package):
    agents(aws, REGION)
    return Stack(aws, "booted", "Small", "sqlite").create(package, f"Architecture={ARCHITECTURE}")


def get(url, **more):
    """Status, headers and text; redirects are not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=anyone))
    try:
        answer = opener.open(urllib.request.Request(url, headers={"Host": DOMAIN, **more}), timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


@pytest.fixture(scope="module")
def booted(aws, small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("instance")
    [instance] = group(small)["Instances"]
    volume = Volume(small.resources["Volume"], folder / "volume")
    acme = "server = {}\nno-verify-ssl = true\n".format(Pebble.DIRECTORY)
    with Pebble(folder), Instance(
        aws.environment, instance["InstanceId"], user_data(small), volume,
        {"/root/.config/letsencrypt/cli.ini": acme},
    ) as machine:
        assert machine.status() == "0", machine.read("/user-data.log")[-6000:]
        yield machine


def test_it_serves(booted):
    status, _, _ = get("http://127.0.0.1:8080/health/ready")
    assert status == 200
