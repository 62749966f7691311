"""The template says what it must, and a worse one would be noticed."""

import pytest
from policies import faults
from template import COMBINATIONS, load, resources


@pytest.mark.parametrize("shape, database", COMBINATIONS)
def test_every_policy_holds(shape, database):
    assert faults(load(), shape, database) == []


@pytest.mark.parametrize("shape, database, there, not_there", [
    ("Small", "sqlite", {"Volume", "Address"}, {"Balancer", "Postgresql", "Cluster", "DatabasePassword"}),
    ("Small", "postgres", {"Volume", "Address", "Postgresql"}, {"Balancer", "Cluster"}),
    ("Large", "postgres", {"Balancer", "Postgresql"}, {"Volume", "Address", "Cluster"}),
    ("Large", "aurora", {"Balancer", "Cluster", "Reader", "Writer"}, {"Volume", "Address", "Postgresql"}),
])
def test_a_shape_has_what_it_needs(shape, database, there, not_there):
    names = resources(load(), shape, database).keys()
    assert there <= names
    assert not not_there & names


REMOVED = object()
WORLD = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp"}
SERVICE = "Resources/ServiceAccess/Properties/"
LAUNCH = "Resources/Launch/Properties/LaunchTemplateData/"
POSTGRESQL = "Resources/Postgresql/"
CLUSTER = "Resources/Cluster/"
RIGHTS = "Resources/Role/Properties/Policies/0/PolicyDocument/Statement/"


@pytest.mark.parametrize("shape, database, place, value, fault", [
    ("Small", "sqlite", SERVICE + "SecurityGroupIngress", [{**WORLD, "FromPort": 22, "ToPort": 22}], "lets the world in"),
    ("Small", "sqlite", SERVICE + "SecurityGroupIngress", [{**WORLD, "FromPort": 80, "ToPort": 443}], "lets the world in"),
    ("Small", "sqlite", SERVICE + "SecurityGroupIngress", [{"CidrIpv6": "::/0", "IpProtocol": "-1"}], "lets the world in"),
    ("Small", "sqlite", SERVICE + "SecurityGroupIngress", [{**WORLD, "CidrIp": "10.0.0.0/8"}], "neither the world nor a group"),
    ("Large", "aurora", SERVICE + "SecurityGroupIngress", [{**WORLD, "FromPort": 8080, "ToPort": 8080}], "lets the world in"),
    ("Small", "sqlite", SERVICE + "SecurityGroupEgress", REMOVED, "lets out everything"),
    ("Small", "sqlite", SERVICE + "SecurityGroupEgress/0/IpProtocol", "-1", "lets out every protocol"),
    ("Small", "sqlite", SERVICE + "SecurityGroupEgress/0/FromPort", 25, "lets out to"),
    ("Small", "sqlite", SERVICE + "SecurityGroupEgress/2", {**WORLD, "CidrIp": "10.0.2.0/23", "FromPort": 5432, "ToPort": 5432},
     "a database where there is none"),
    ("Large", "aurora", "Resources/BalancerAccess/Properties/SecurityGroupEgress/0/CidrIp", "10.0.0.0/16", "lets out to"),
    ("Small", "sqlite", "Resources/Flows", REMOVED, "who connects to whom"),
    ("Small", "sqlite", "Resources/Flows/Properties/TrafficType", "REJECT", "who connects to whom"),
    ("Small", "sqlite", "Resources/Address/Type", "AWS::EC2::SecurityGroupIngress", "opens a group"),
    ("Large", "aurora", "Resources/DatabaseAccess/Properties/SecurityGroupIngress/0/SourceSecurityGroupId",
     {"Fn::GetAtt": ["BalancerAccess", "GroupId"]}, "others than the service"),
    ("Large", "aurora", "Resources/DatabaseAccess/Properties/SecurityGroupIngress", [], "others than the service"),
    ("Large", "aurora", CLUSTER + "Properties/VpcSecurityGroupIds", REMOVED, "other groups"),
    ("Small", "postgres", POSTGRESQL + "Properties/VPCSecurityGroups", REMOVED, "other groups"),
    ("Small", "postgres", POSTGRESQL + "Properties/PubliclyAccessible", True, "is public"),
    ("Small", "postgres", POSTGRESQL + "Properties/PubliclyAccessible", REMOVED, "is public"),
    ("Large", "aurora", "Resources/Reader/Properties/PubliclyAccessible", True, "is public"),
    ("Large", "aurora", "Resources/DatabaseSubnets/Properties/SubnetIds/1", {"Ref": "PublicB"}, "route out"),
    ("Small", "sqlite", "Resources/Volume/Properties/Encrypted", False, "not encrypted"),
    ("Small", "sqlite", "Resources/Volume/Properties/Encrypted", REMOVED, "not encrypted"),
    ("Small", "sqlite", LAUNCH + "BlockDeviceMappings", REMOVED, "not encrypted"),
    ("Small", "sqlite", LAUNCH + "BlockDeviceMappings/0/Ebs/Encrypted", False, "not encrypted"),
    ("Small", "postgres", POSTGRESQL + "Properties/StorageEncrypted", REMOVED, "not encrypted"),
    ("Large", "aurora", CLUSTER + "Properties/StorageEncrypted", False, "not encrypted"),
    ("Large", "aurora", "Resources/Https/Properties/SslPolicy", "ELBSecurityPolicy-2016-08", "an old one"),
    ("Large", "aurora", "Resources/Http/Properties/DefaultActions/0", {"Type": "forward"}, "without TLS"),
    ("Small", "sqlite", LAUNCH + "MetadataOptions/HttpTokens", "optional", "IMDSv1"),
    ("Small", "sqlite", LAUNCH + "MetadataOptions", REMOVED, "IMDSv1"),
    ("Small", "sqlite", LAUNCH + "KeyName", "mine", "SSH key"),
    ("Small", "sqlite", "Resources/Volume/Type", "AWS::EC2::Instance", "not come from the launch template"),
    ("Small", "postgres", LAUNCH + "UserData",
     {"Fn::Base64": {"Fn::Sub": "echo {{resolve:secretsmanager:${DatabasePassword}}}"}}, "carries a secret"),
    ("Small", "postgres", POSTGRESQL + "Properties/MasterUserPassword", "reelshelf", "not a generated secret"),
    ("Small", "postgres", "Resources/DatabasePassword/Properties",
     {"SecretString": "reelshelf"}, "not a long generated secret"),
    ("Small", "sqlite", "Resources/OwnerPassword/Properties/GenerateSecretString/PasswordLength", 8, "not a long"),
    ("Small", "sqlite", RIGHTS + "0/Action", "s3:*", "may do s3:*"),
    ("Small", "sqlite", RIGHTS + "2/Resource", "*", "to everything"),
    ("Small", "sqlite", RIGHTS + "5/Condition", REMOVED, "any metric"),
    ("Small", "sqlite", "Resources/TakeOver/Properties/PolicyDocument/Statement/1/Condition", REMOVED, "any instance"),
    ("Small", "sqlite", "Resources/BackupRole/Properties/ManagedPolicyArns",
     [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}], "has the rights of"),
    ("Small", "sqlite", "Resources/Volume/DeletionPolicy", "Delete", "goes with the stack"),
    ("Small", "sqlite", "Resources/Vault/DeletionPolicy", REMOVED, "goes with the stack"),
    ("Small", "postgres", POSTGRESQL + "DeletionPolicy", "Delete", "goes with the stack"),
    ("Large", "aurora", CLUSTER + "UpdateReplacePolicy", REMOVED, "goes with the stack"),
    ("Large", "aurora", CLUSTER + "Properties/DeletionProtection", False, "by mistake"),
    ("Small", "postgres", POSTGRESQL + "Properties/DeletionProtection", REMOVED, "by mistake"),
    ("Small", "sqlite", "Resources/BackupsOfData/Properties/BackupSelection/Resources", [], "does not save the data"),
    ("Large", "aurora", "Resources/BackupsOfData/Properties/BackupSelection/Resources", [], "does not save the data"),
    ("Small", "sqlite", "Resources/DiskAlarm", REMOVED, "nobody watches"),
    ("Large", "postgres", "Resources/ReadyAlarm", REMOVED, "nobody watches"),
    ("Small", "postgres", "Resources/DatabaseDiskAlarm", REMOVED, "nobody watches"),
    ("Small", "sqlite", "Resources/ErrorAlarm/Properties/AlarmActions", [], "tells nobody"),
    ("Small", "sqlite", "Resources/Alarms/Properties/Subscription", REMOVED, "no reader"),
    ("Small", "sqlite", "Resources/Logs/Properties/RetentionInDays", REMOVED, "for ever"),
    ("Large", "aurora", "Resources/Instances/Properties/MinSize", "1", "two in two zones"),
    ("Large", "aurora", "Resources/PublicB/Properties/AvailabilityZone",
     {"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "two in two zones"),
    ("Large", "aurora", "Resources/Instances/Properties/HealthCheckType", "EC2", "not replaced"),
    ("Large", "postgres", POSTGRESQL + "Properties/MultiAZ", False, "in one zone"),
    ("Large", "aurora", "Resources/Reader", REMOVED, "no reader"),
    ("Small", "sqlite", "Resources/Instances/CreationPolicy", REMOVED, "without waiting"),
    ("Small", "sqlite", "Resources/Instances/UpdatePolicy", {}, "without waiting"),
    ("Large", "aurora", "Resources/Instances/UpdatePolicy/AutoScalingRollingUpdate/MinInstancesInService", 1, "stay two"),
    ("Large", "aurora", "Resources/Targets/Properties/HealthCheckPath", "/", "whether they are ready"),
])
def test_a_worse_template_is_refused(shape, database, place, value, fault):
    template = load()
    *path, last = [int(key) if key.isdigit() else key for key in place.split("/")]
    node = template
    for key in path:
        node = node[key]
    if value is REMOVED:
        del node[last]
    else:
        node[last] = value
    assert any(fault in found for found in faults(template, shape, database))
