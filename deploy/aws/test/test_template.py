"""The templates follow the policies, and the policies find violations."""

import pytest
from policies import violations
from template import STACKS, load, resources


@pytest.mark.parametrize("kind", STACKS)
def test_every_policy_holds(kind):
    assert violations(load(kind), kind) == []


@pytest.mark.parametrize("kind, present, absent", [
    ("instance", {"DataVolume", "ElasticIP"}, {"LoadBalancer", "DBInstance", "DatabasePassword"}),
    ("instance-postgres", {"DataVolume", "ElasticIP", "DBInstance"}, {"LoadBalancer"}),
    ("group", {"LoadBalancer", "DBInstance"}, {"DataVolume", "ElasticIP"}),
])
def test_a_stack_has_what_it_needs(kind, present, absent):
    names = resources(load(kind), kind).keys()
    assert present <= names
    assert not absent & names


REMOVED = object()
WORLD = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp"}
SERVICE = "Resources/InstanceSecurityGroup/Properties/"
LAUNCH = "Resources/LaunchTemplate/Properties/LaunchTemplateData/"
DATABASE = "Resources/DBInstance/"
RIGHTS = "Resources/InstanceRole/Properties/Policies/0/PolicyDocument/Statement/"


@pytest.mark.parametrize("kind, place, value, violation", [
    ("instance", SERVICE + "SecurityGroupIngress", [{**WORLD, "FromPort": 22, "ToPort": 22}], "is open to the world"),
    ("instance", SERVICE + "SecurityGroupIngress", [{**WORLD, "FromPort": 80, "ToPort": 443}], "is open to the world"),
    ("instance", SERVICE + "SecurityGroupIngress", [{"CidrIpv6": "::/0", "IpProtocol": "-1"}], "is open to the world"),
    ("instance", SERVICE + "SecurityGroupIngress", [{**WORLD, "CidrIp": "10.0.0.0/8"}], "neither the world nor a group"),
    ("group", SERVICE + "SecurityGroupIngress", [{**WORLD, "FromPort": 8080, "ToPort": 8080}], "is open to the world"),
    ("instance", SERVICE + "SecurityGroupEgress", REMOVED, "all outbound traffic"),
    ("instance", SERVICE + "SecurityGroupEgress/0/IpProtocol", "-1", "every outbound protocol"),
    ("instance", SERVICE + "SecurityGroupEgress/0/FromPort", 25, "allows outbound traffic to"),
    ("instance", SERVICE + "SecurityGroupEgress/2", {**WORLD, "CidrIp": "10.0.2.0/23", "FromPort": 5432, "ToPort": 5432},
     "a database that does not exist"),
    ("group", "Resources/LoadBalancerSecurityGroup/Properties/SecurityGroupEgress/0/CidrIp", "10.0.0.0/16", "allows outbound traffic to"),
    ("instance", "Resources/FlowLog", REMOVED, "no flow log"),
    ("instance", "Resources/FlowLog/Properties/TrafficType", "REJECT", "no flow log"),
    ("instance", "Resources/ElasticIP/Type", "AWS::EC2::SecurityGroupIngress", "adds a rule"),
    ("group", "Resources/DatabaseSecurityGroup/Properties/SecurityGroupIngress/0/SourceSecurityGroupId",
     {"Fn::GetAtt": ["LoadBalancerSecurityGroup", "GroupId"]}, "others than the service"),
    ("group", "Resources/DatabaseSecurityGroup/Properties/SecurityGroupIngress", [], "others than the service"),
    ("group", DATABASE + "Properties/VPCSecurityGroups", REMOVED, "exactly the security group"),
    ("instance-postgres", DATABASE + "Properties/VPCSecurityGroups", REMOVED, "exactly the security group"),
    ("instance-postgres", DATABASE + "Properties/PubliclyAccessible", True, "is public"),
    ("instance-postgres", DATABASE + "Properties/PubliclyAccessible", REMOVED, "is public"),
    ("group", "Resources/DBSubnetGroup/Properties/SubnetIds/1", {"Ref": "PublicSubnetB"}, "route to the internet"),
    ("instance", "Resources/DataVolume/Properties/Encrypted", False, "not encrypted"),
    ("instance", "Resources/DataVolume/Properties/Encrypted", REMOVED, "not encrypted"),
    ("instance", LAUNCH + "BlockDeviceMappings", REMOVED, "not encrypted"),
    ("instance", LAUNCH + "BlockDeviceMappings/0/Ebs/Encrypted", False, "not encrypted"),
    ("instance-postgres", DATABASE + "Properties/StorageEncrypted", REMOVED, "not encrypted"),
    ("group", DATABASE + "Properties/StorageEncrypted", False, "not encrypted"),
    ("group", "Resources/HttpsListener/Properties/SslPolicy", "ELBSecurityPolicy-2016-08", "does not require TLS"),
    ("group", "Resources/HttpListener/Properties/DefaultActions/0", {"Type": "forward"}, "does not require TLS"),
    ("instance", LAUNCH + "MetadataOptions/HttpTokens", "optional", "IMDSv1"),
    ("instance", LAUNCH + "MetadataOptions", REMOVED, "IMDSv1"),
    ("instance", LAUNCH + "KeyName", "mine", "SSH key"),
    ("instance", "Resources/DataVolume/Type", "AWS::EC2::Instance", "without the launch template"),
    ("instance-postgres", LAUNCH + "UserData",
     {"Fn::Base64": {"Fn::Sub": "echo {{resolve:secretsmanager:${DatabasePassword}}}"}}, "contains a secret"),
    ("instance-postgres", DATABASE + "Properties/MasterUserPassword", "reelshelf", "not a generated secret"),
    ("instance-postgres", "Resources/DatabasePassword/Properties",
     {"SecretString": "reelshelf"}, "not a long generated secret"),
    ("instance", "Resources/OwnerPassword/Properties/GenerateSecretString/PasswordLength", 8, "not a long"),
    ("instance", RIGHTS + "0/Action", "s3:*", "may do s3:*"),
    ("instance", RIGHTS + "2/Resource", "*", "to everything"),
    ("instance", RIGHTS + "5/Condition", REMOVED, "any metric"),
    ("instance", RIGHTS + "8/Condition", REMOVED, "any instance"),
    ("instance", "Resources/BackupRole/Properties/ManagedPolicyArns",
     [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}], "has the rights of"),
    ("instance", "Resources/DataVolume/DeletionPolicy", "Delete", "deleted with the stack"),
    ("instance", "Resources/BackupVault/DeletionPolicy", REMOVED, "deleted with the stack"),
    ("instance-postgres", DATABASE + "DeletionPolicy", "Delete", "deleted with the stack"),
    ("group", DATABASE + "UpdateReplacePolicy", REMOVED, "deleted with the stack"),
    ("group", DATABASE + "Properties/DeletionProtection", False, "by mistake"),
    ("instance-postgres", DATABASE + "Properties/DeletionProtection", REMOVED, "by mistake"),
    ("instance", "Resources/BackupSelection/Properties/BackupSelection/Resources", [], "does not select the data"),
    ("group", "Resources/BackupSelection/Properties/BackupSelection/Resources", [], "does not select the data"),
    ("instance", "Resources/DiskAlarm", REMOVED, "no alarm watches"),
    ("group", "Resources/UnhealthyHostAlarm", REMOVED, "no alarm watches"),
    ("instance-postgres", "Resources/DatabaseStorageAlarm", REMOVED, "no alarm watches"),
    ("instance", "Resources/ErrorAlarm/Properties/AlarmActions", [], "not sent to the topic"),
    ("instance", "Resources/AlarmTopic/Properties/Subscription", REMOVED, "no subscriber"),
    ("instance", "Resources/LogGroup/Properties/RetentionInDays", REMOVED, "never expires"),
    ("group", "Resources/AutoScalingGroup/Properties/MinSize", "1", "two instances in two zones"),
    ("group", "Resources/PublicSubnetB/Properties/AvailabilityZone",
     {"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "two instances in two zones"),
    ("group", "Resources/AutoScalingGroup/Properties/HealthCheckType", "EC2", "does not replace"),
    ("group", DATABASE + "Properties/MultiAZ", False, "in one zone"),
    ("instance", "Resources/AutoScalingGroup/CreationPolicy", REMOVED, "does not wait"),
    ("instance", "Resources/AutoScalingGroup/UpdatePolicy", {}, "does not wait"),
    ("group", "Resources/AutoScalingGroup/UpdatePolicy/AutoScalingRollingUpdate/MinInstancesInService", 1, "fewer than two"),
    ("group", "Resources/TargetGroup/Properties/HealthCheckPath", "/", "does not check readiness"),
])
def test_the_policies_find_violations(kind, place, value, violation):
    template = load(kind)
    *path, last = [int(key) if key.isdigit() else key for key in place.split("/")]
    node = template
    for key in path:
        node = node[key]
    if value is REMOVED:
        del node[last]
    else:
        node[last] = value
    assert any(violation in found for found in violations(template, kind))
