"""A simulated AWS, and the stacks that deploy/aws/deploy makes in it."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from instance import agents
from machine import ARCHITECTURE
from simulation import REGION, Simulation
from template import COMBINATIONS

DEPLOY = Path(__file__).parent.parent / "deploy"
DOMAIN = "films.example.com"


@pytest.fixture(scope="session")
def aws():
    return Simulation()


class Stack:
    """One stack, made by the deploy script, which is called as a person would."""

    def __init__(self, aws, name, shape, database):
        self.aws, self.name, self.shape, self.database = aws, name, shape, database

    def deploy(self, package, *parameters):
        tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, **self.aws.environment, "STACK": self.name, "PATH": tools}
        ran = subprocess.run(
            [DEPLOY, package, *parameters], env=environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        self.said = ran.stdout
        return self

    def create(self, package, *parameters):
        shape = (f"Shape={self.shape}", f"Database={self.database}")
        return self.deploy(package, f"DomainName={DOMAIN}", "Mail=olivia@example.com", *shape, *parameters)

    @property
    def resources(self):
        """What was made, by logical name."""
        pages = self.aws.cloudformation.get_paginator("list_stack_resources")
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.name)
            for resource in page["StackResourceSummaries"]
            if "PhysicalResourceId" in resource
        }


def launch(stack):
    [version] = stack.aws.ec2.describe_launch_template_versions(
        LaunchTemplateId=stack.resources["Launch"], Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    return version["LaunchTemplateData"]


def user_data(stack):
    return base64.b64decode(launch(stack)["UserData"]).decode()


def group(stack):
    [found] = stack.aws.autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[stack.resources["Instances"]]
    )["AutoScalingGroups"]
    return found


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """Nobody looks into it: what an instance does with a package is another test's matter."""
    path = tmp_path_factory.mktemp("package") / "reelshelf_0.1.0-1_arm64.deb"
    path.write_bytes(b"a package")
    return path


@pytest.fixture(scope="session", params=COMBINATIONS, ids="-".join)
def stack(request, aws, package):
    shape, database = request.param
    return Stack(aws, f"{shape}-{database}".lower(), shape, database).create(package)


@pytest.fixture(scope="session")
def bootable(aws):
    """Makes stacks whose instances can boot, with the package that REELSHELF_DEB names."""
    path = os.environ.get("REELSHELF_DEB", "")
    assert path.endswith(f"_{ARCHITECTURE}.deb"), f"REELSHELF_DEB must name a package for {ARCHITECTURE}"
    agents(aws, REGION)
    return lambda name, shape, database: Stack(aws, name, shape, database).create(os.path.abspath(path))
