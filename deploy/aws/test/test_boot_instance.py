"""The user data of one instance with SQLite, run in a booted bare Debian."""

import base64
import json
import socket
import ssl

import pytest
from conftest import DOMAIN, group, sent_signals, user_data
from instance import Instance, Pebble, Volume, get
from machine import run


@pytest.fixture(scope="module")
def created(bootable):
    return bootable("booted-instance", "instance")


@pytest.fixture(scope="module")
def booted(aws, created, tmp_path_factory):
    folder = tmp_path_factory.mktemp("instance")
    [instance] = group(created)["Instances"]
    volume = Volume(created.resources["DataVolume"], folder / "volume")
    acme = "server = {}\nno-verify-ssl = true\n".format(Pebble.DIRECTORY)
    with Pebble(folder), Instance(
        aws.environment_of_instances, instance["InstanceId"], user_data(created), volume,
        {"/root/.config/letsencrypt/cli.ini": acme},
    ) as machine:
        assert machine.status() == "0", machine.read("/user-data.log")[-6000:]
        yield machine


def test_the_stack_gets_the_signal(aws, booted):
    assert sent_signals(aws, "booted-instance") == [(booted.identifier, "SUCCESS")]


def test_the_service_is_ready_and_runs_as_its_own_user(booted):
    assert get("http://127.0.0.1:8080/health/ready")[0] == 200
    user, listens = booted.inside("ps", "-C", "reelshelf", "-o", "user:20=,args=").split(maxsplit=1)
    assert (user, listens) == ("reelshelf", "/usr/bin/reelshelf serve")


def test_the_owner_signs_in_with_the_secret(aws, created, booted):
    secret = aws.secretsmanager.get_secret_value(SecretId=created.resources["OwnerPassword"])
    basic = base64.b64encode(f"owner:{secret['SecretString']}".encode()).decode()
    assert get("http://127.0.0.1:8080/movie", Authorization=f"Basic {basic}")[0] == 200
    assert get("http://127.0.0.1:8080/movie")[0] == 401


def test_only_root_reads_secrets_and_no_log_has_them(aws, created, booted):
    secret = aws.secretsmanager.get_secret_value(SecretId=created.resources["OwnerPassword"])["SecretString"]
    for path in "/etc/reelshelf/credentials/owner-password", "/etc/reelshelf/reelshelf.env":
        assert booted.mode(path) == 0o600
    assert booted.read("/etc/reelshelf/credentials/owner-password").strip() == secret
    assert secret not in booted.read("/user-data.log")
    assert secret not in booted.inside("journalctl", "--no-pager")
    assert secret not in booted.inside("systemctl", "show", "reelshelf")


def test_the_data_is_on_the_volume(aws, created, booted):
    [volume] = aws.ec2.describe_volumes(VolumeIds=[created.resources["DataVolume"]])["Volumes"]
    assert [one["InstanceId"] for one in volume["Attachments"]] == [booted.identifier]
    [address] = aws.ec2.describe_addresses(PublicIps=[created.resources["ElasticIP"]])["Addresses"]
    assert address["InstanceId"] == booted.identifier
    for place in "/var/lib/reelshelf", "/etc/letsencrypt":
        source = booted.inside("findmnt", "--noheadings", "--output", "SOURCE", "--target", place)
        assert source.startswith("/dev/loop") and source.endswith(f"[{place}]")
    assert "reelshelf.db" in booted.inside("ls", "/data/var/lib/reelshelf")
    assert booted.inside("stat", "--format=%U", "/data/var/lib/reelshelf") == "reelshelf"


def test_port_80_redirects_to_443(booted):
    status, headers, _ = get("http://127.0.0.1/?q=heat", Host=DOMAIN, Accept="text/html")
    assert (status, headers["Location"]) == (301, f"https://{DOMAIN}/?q=heat")


def accepts_connections(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_there_is_a_certificate_and_the_service_behind_it(booted):
    booted.wait(120, (booted.root / "etc/nginx/sites-enabled/reelshelf.conf").is_symlink)
    state = "systemctl", "show", "--value", "--property", "ActiveState", "certificate"
    booted.wait(30, lambda: booted.inside(*state) == "inactive")
    booted.wait(30, lambda: accepts_connections(443))  # a reload of nginx returns before nginx listens
    pem = ssl.get_server_certificate(("127.0.0.1", 443))
    shown = run("openssl", "x509", "-noout", "-issuer", "-ext", "subjectAltName", input=pem)
    assert "Pebble" in shown and f"DNS:{DOMAIN}" in shown
    assert get("https://127.0.0.1/health/ready")[0] == 200


def test_timers_renew_certificates_and_install_security_updates(booted):
    for timer in "certbot.timer", "apt-daily-upgrade.timer":
        assert booted.inside("systemctl", "is-enabled", timer) == "enabled"
    assert 'Unattended-Upgrade "1"' in booted.read("/etc/apt/apt.conf.d/20auto-upgrades")


def test_the_agent_sends_logs_and_metrics(created, booted):
    arguments = booted.read("/opt/aws/arguments").split()
    assert arguments[-1] == "file:/root/cloudwatch.json"
    configuration = json.loads(booted.read("/root/cloudwatch.json"))
    [log] = configuration["logs"]["logs_collected"]["files"]["collect_list"]
    assert log["log_group_name"] == created.resources["LogGroup"]
    assert "reelshelf" in booted.read(log["file_path"])
    metrics = configuration["metrics"]
    assert metrics["append_dimensions"] == {"AutoScalingGroupName": "${aws:AutoScalingGroupName}"}
    assert metrics["metrics_collected"].keys() == {"disk", "procstat"}


def test_the_service_cannot_reach_the_metadata_service(booted):
    assert "169.254.169.254" in booted.inside("systemctl", "show", "--value", "-p", "IPAddressDeny", "reelshelf")
