"""The user data of an instance of the group, run in a booted bare Debian, with PostgreSQL over TLS."""

import re
from pathlib import Path

import pytest
from conftest import group, sent_signals, user_data
from instance import Instance, get
from rds import Rds


@pytest.fixture(scope="module")
def created(bootable):
    return bootable("booted-group", "group")


@pytest.fixture(scope="module")
def secret(aws, created):
    return aws.secretsmanager.get_secret_value(SecretId=created.resources["DatabasePassword"])["SecretString"]


@pytest.fixture(scope="module")
def booted(aws, created, secret):
    [database] = aws.rds.describe_db_instances(DBInstanceIdentifier="booted-group")["DBInstances"]
    identifier = group(created)["Instances"][0]["InstanceId"]
    with Rds(database["Endpoint"]["Address"], secret) as rds:
        files = {"/etc/hosts": rds.hosts, "/usr/local/share/ca-certificates/authority.crt": rds.authority}
        with Instance(aws.environment_of_instances, identifier, user_data(created), files=files) as machine:
            assert machine.status() == "0", machine.read("/user-data.log")[-6000:]
            yield machine


def test_the_stack_gets_the_signal(aws, booted):
    assert sent_signals(aws, "booted-group") == [(booted.identifier, "SUCCESS")]


def test_the_service_keeps_its_data_in_postgresql(booted):
    assert get("http://127.0.0.1:8080/health/ready")[0] == 200
    assert booted.inside("ls", "/var/lib/reelshelf") == ""


def test_only_root_reads_the_password_and_no_log_has_it(booted, secret):
    assert secret in booted.read("/etc/reelshelf/reelshelf.env")
    assert "sslmode=verify-full" in booted.read("/etc/reelshelf/reelshelf.env")
    assert booted.mode("/etc/reelshelf/reelshelf.env") == 0o600
    assert secret not in booted.read("/user-data.log")
    assert secret not in booted.inside("journalctl", "--no-pager")
    assert secret not in booted.inside("systemctl", "show", "reelshelf")


def test_the_load_balancer_reaches_the_service_and_nothing_else_listens(booted):
    listening = booted.inside("systemctl", "list-unit-files", "--state=enabled", "--no-legend")
    assert "nginx" not in listening and "ssh" not in listening
    assert "REELSHELF_LISTEN=0.0.0.0:8080" in booted.read("/etc/reelshelf/reelshelf.env")


def test_the_restore_steps_read_the_restored_database(booted, secret):
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    [expansion] = re.findall(r"^REELSHELF_DATABASE=(\S+) reelshelf backup", readme, re.MULTILINE)
    url = booted.inside("bash", "-c", f'. /etc/reelshelf/reelshelf.env; printf %s "{expansion}"')
    tls = "sslmode=verify-full&sslrootcert=/etc/reelshelf/rds.pem"
    assert url == f"postgres://reelshelf:{secret}@RESTORED/reelshelf?{tls}"
