"""The simulation of AWS, and the stacks that deploy/aws/deploy creates in it."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from instance import agents
from machine import ARCHITECTURE
from simulation import Simulation
from template import STACKS

DEPLOY = Path(__file__).parent.parent / "deploy"
DOMAIN = "films.example.com"


@pytest.fixture(scope="session")
def aws():
    return Simulation()


class Stack:
    """A stack, created by the deploy script as a person would call it."""

    def __init__(self, aws, name, kind):
        self.aws, self.name, self.kind = aws, name, kind
        self.template, self.parameters = STACKS[kind]
        self.is_group = self.template == "group"
        self.has_database = kind != "instance"

    def deploy(self, package, *parameters, **variables):
        tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, **self.aws.environment, "STACK": self.name, "PATH": tools, **variables}
        ran = subprocess.run(
            [DEPLOY, package, *parameters], env=environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        self.printed = ran.stdout
        return self

    def create(self, package, *parameters):
        ours = [f"{name}={value}" for name, value in self.parameters.items()]
        ours += f"DomainName={DOMAIN}", "Mail=olivia@example.com"
        ours += ["HostedZone="]  # otherwise moto updates the DNSRecord that does not exist
        return self.deploy(package, *ours, *parameters, TEMPLATE=self.template)

    @property
    def resources(self):
        """The physical ids, by logical name."""
        pages = self.aws.cloudformation.get_paginator("list_stack_resources")
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.name)
            for resource in page["StackResourceSummaries"]
            if "PhysicalResourceId" in resource
        }


def launch(stack):
    [version] = stack.aws.ec2.describe_launch_template_versions(
        LaunchTemplateId=stack.resources["LaunchTemplate"], Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    return version["LaunchTemplateData"]


def user_data(stack):
    return base64.b64decode(launch(stack)["UserData"]).decode()


def group(stack):
    [found] = stack.aws.autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[stack.resources["AutoScalingGroup"]]
    )["AutoScalingGroups"]
    return found


def sent_signals(aws, name):
    """The signals for a stack's AutoScalingGroup. Instances request nothing else of CloudFormation."""
    ours = [signal for signal in aws.signals if signal["StackName"] == name]
    assert {(one["Action"], one["LogicalResourceId"]) for one in ours} == {("SignalResource", "AutoScalingGroup")}
    return [(one["UniqueId"], one["Status"]) for one in ours]


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The simulation does not open it; the tests of booted instances use a real package."""
    path = tmp_path_factory.mktemp("package") / "reelshelf_0.1.0-1_arm64.deb"
    path.write_bytes(b"a package")
    return path


@pytest.fixture(scope="session", params=STACKS)
def stack(request, aws, package):
    return Stack(aws, f"test-{request.param}", request.param).create(package)


@pytest.fixture(scope="session")
def bootable(aws):
    """Creates stacks whose instances can boot, with the package that REELSHELF_DEB names."""
    path = os.environ.get("REELSHELF_DEB", "")
    assert path.endswith(f"_{ARCHITECTURE}.deb"), f"REELSHELF_DEB must name a package for {ARCHITECTURE}"
    agents(aws)
    return lambda name, kind: Stack(aws, name, kind).create(os.path.abspath(path))
