"""The user data of Large with PostgreSQL, run in a bare Debian that has booted."""

import pytest
from conftest import group, user_data
from instance import Instance, get
from rds import Rds


@pytest.fixture(scope="module")
def large(bootable):
    return bootable("booted-large", "Large", "postgres")


@pytest.fixture(scope="module")
def secret(aws, large):
    return aws.secretsmanager.get_secret_value(SecretId=large.resources["DatabasePassword"])["SecretString"]


@pytest.fixture(scope="module")
def booted(aws, large, secret):
    [database] = aws.rds.describe_db_instances(DBInstanceIdentifier="booted-large")["DBInstances"]
    identifier = group(large)["Instances"][0]["InstanceId"]
    with Rds(database["Endpoint"]["Address"], secret) as rds:
        files = {"/etc/hosts": rds.hosts, "/usr/local/share/ca-certificates/authority.crt": rds.authority}
        with Instance(aws.environment, identifier, user_data(large), files=files) as machine:
            assert machine.status() == "0", machine.read("/user-data.log")[-6000:]
            yield machine


def test_the_stack_is_told(aws, booted):
    assert ("booted-large", "Instances", booted.identifier, "SUCCESS") in aws.signals


def test_the_service_keeps_its_data_in_postgresql(booted):
    assert get("http://127.0.0.1:8080/health/ready")[0] == 200
    assert booted.inside("ls", "/var/lib/reelshelf") == ""


def test_the_password_is_for_root_alone_and_in_no_log(booted, secret):
    assert secret in booted.read("/etc/reelshelf/reelshelf.env")
    assert "sslmode=verify-full" in booted.read("/etc/reelshelf/reelshelf.env")
    assert booted.mode("/etc/reelshelf/reelshelf.env") == 0o600
    assert secret not in booted.read("/user-data.log")
    assert secret not in booted.inside("journalctl", "--no-pager")
    assert secret not in booted.inside("systemctl", "show", "reelshelf")


def test_the_balancer_reaches_the_service_and_nothing_else_listens(booted):
    listening = booted.inside("systemctl", "list-unit-files", "--state=enabled", "--no-legend")
    assert "nginx" not in listening and "ssh" not in listening
    assert "REELSHELF_LISTEN=0.0.0.0:8080" in booted.read("/etc/reelshelf/reelshelf.env")
