"""The stacks that the deploy script creates. simulation.py lists what the simulation does not create: only
test_template.py checks that."""

import pytest
import yaml
from conftest import DOMAIN, Stack, group, launch, user_data
from policies import FOR_ALL_RESOURCES, OPEN_TO_THE_WORLD, as_list
from simulation import REGION


def databases(stack):
    everything = stack.aws.rds.describe_db_instances()["DBInstances"]
    return [one for one in everything if one["DBInstanceIdentifier"] == stack.name]


def test_the_script_prints_the_url(stack):
    assert f"https://{DOMAIN}/" in stack.printed


def test_nothing_but_443_and_80_is_open_to_the_world(stack):
    network = {"Name": "vpc-id", "Values": [stack.resources["VPC"]]}
    opened = set()
    for group in stack.aws.ec2.describe_security_groups(Filters=[network])["SecurityGroups"]:
        for rule in group["IpPermissions"]:
            assert not rule.get("Ipv6Ranges") and not rule.get("PrefixListIds")
            if rule["IpRanges"]:
                assert rule["FromPort"] == rule["ToPort"]
                opened.add((group["GroupId"], rule["FromPort"]))
    public = stack.resources["LoadBalancerSecurityGroup" if stack.is_group else "InstanceSecurityGroup"]
    assert opened == {(public, port) for port in OPEN_TO_THE_WORLD}


def test_only_the_service_reaches_the_database(stack):
    if not stack.has_database:
        assert "DatabaseSecurityGroup" not in stack.resources
        return
    [group] = stack.aws.ec2.describe_security_groups(
        GroupIds=[stack.resources["DatabaseSecurityGroup"]]
    )["SecurityGroups"]
    [rule] = group["IpPermissions"]
    assert (rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == (5432, 5432, [])
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [stack.resources["InstanceSecurityGroup"]]


def test_databases_are_encrypted_protected_and_not_public(stack):
    found = databases(stack)
    assert len(found) == int(stack.has_database)
    for database in found:
        assert database["PubliclyAccessible"] is False
        assert database["StorageEncrypted"] is True
        assert database["DeletionProtection"] is True
        assert database["MultiAZ"] is stack.is_group
        groups = [group["VpcSecurityGroupId"] for group in database["VpcSecurityGroups"]]
        assert groups == [stack.resources["DatabaseSecurityGroup"]]


def test_disks_are_encrypted(stack):
    devices = launch(stack)["BlockDeviceMappings"]
    assert devices and all(device["Ebs"]["Encrypted"] for device in devices)
    if not stack.is_group:
        [volume] = stack.aws.ec2.describe_volumes(VolumeIds=[stack.resources["DataVolume"]])["Volumes"]
        assert volume["Encrypted"] is True


def test_instances_are_in_the_public_subnets(stack):
    subnets = ["PublicSubnetA", "PublicSubnetB"] if stack.is_group else ["PublicSubnetA"]
    assert len(group(stack)["Instances"]) == len(subnets)
    assert group(stack)["VPCZoneIdentifier"] == ",".join(stack.resources[name] for name in subnets)
    if not stack.is_group:
        [volume] = stack.aws.ec2.describe_volumes(VolumeIds=[stack.resources["DataVolume"]])["Volumes"]
        assert {one["AvailabilityZone"] for one in group(stack)["Instances"]} == {volume["AvailabilityZone"]}


def test_instances_require_imdsv2_and_have_no_ssh_key(stack):
    assert launch(stack)["MetadataOptions"]["HttpTokens"] == "required"
    assert "KeyName" not in launch(stack)


def test_user_data_holds_no_secret(stack):
    text = user_data(stack)
    secrets = ["OwnerPassword"] + ["DatabasePassword"] * stack.has_database
    for secret in secrets:
        arn = stack.resources[secret]
        value = stack.aws.secretsmanager.get_secret_value(SecretId=arn)["SecretString"]
        assert value not in text
        assert arn in text
    assert "{{resolve" not in text and "${" not in text
    assert len(text) < 16 * 1024  # the limit of EC2


def test_the_release_is_in_the_bucket(stack):
    listed = stack.aws.s3.list_objects_v2(Bucket=f"{stack.name}-123456789012-{REGION}")
    keys = {item["Key"] for item in listed["Contents"]}
    [release] = {key.split("/")[0] for key in keys}
    assert keys == {f"{release}/reelshelf.deb", f"{release}/user-data.sh"}
    assert f"{release}'" in user_data(stack)


def test_rights_are_minimal(stack):
    policy = stack.aws.iam.get_role_policy(RoleName=stack.resources["InstanceRole"], PolicyName="instance")
    statements = yaml.safe_load(policy["PolicyDocument"])["Statement"]  # moto returns a string
    assert len(statements) == (7 if stack.is_group else 10)
    for statement in statements:
        actions = as_list(statement["Action"])
        assert not any("*" in action for action in actions)
        if "*" in as_list(statement["Resource"]):
            assert FOR_ALL_RESOURCES.issuperset(actions)


def test_alarms_are_sent_by_mail(stack):
    prefix = f"{stack.name}-"
    alarms = stack.aws.cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    count = 4 + 2 * stack.has_database + 2 * stack.is_group
    assert len(alarms) == count
    assert all(alarm["AlarmActions"] == [stack.resources["AlarmTopic"]] for alarm in alarms)
    [subscription] = stack.aws.sns.list_subscriptions_by_topic(TopicArn=stack.resources["AlarmTopic"])["Subscriptions"]
    assert subscription["Endpoint"] == "olivia@example.com"


def test_logs_expire(stack):
    groups = stack.aws.logs.describe_log_groups()["logGroups"]
    ours = [group for group in groups if stack.name in group["logGroupName"].split("/")]
    flows = f"/reelshelf/{stack.name}/flows"
    assert len(ours) == 2 + stack.has_database
    assert flows in [group["logGroupName"] for group in ours]
    assert all(group["retentionInDays"] == (30 if group["logGroupName"] == flows else 90) for group in ours)


def test_the_load_balancer_uses_tls(stack):
    if not stack.is_group:
        assert "LoadBalancer" not in stack.resources
        return
    elb, arn = stack.aws.elbv2, stack.resources["LoadBalancer"]
    listeners = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    by_port = {listener["Port"]: listener for listener in listeners}
    assert by_port.keys() == OPEN_TO_THE_WORLD
    assert by_port[443]["Protocol"] == "HTTPS"
    assert by_port[443]["Certificates"] == [{"CertificateArn": stack.resources["Certificate"]}]
    assert by_port[80]["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    [targets] = elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]
    assert targets["HealthCheckPath"] == "/health/ready"
    health = elb.describe_target_health(TargetGroupArn=targets["TargetGroupArn"])
    targeted = {one["Target"]["Id"] for one in health["TargetHealthDescriptions"]}
    assert targeted == {instance["InstanceId"] for instance in group(stack)["Instances"]}


def test_the_hosted_zone_gets_a_record(aws, package):
    zone = aws.route53.create_hosted_zone(Name="example.com", CallerReference="test")["HostedZone"]["Id"]
    zone = zone.removeprefix("/hostedzone/")
    for kind in "instance", "group":
        stack = Stack(aws, f"named-{kind}", kind)
        stack.create(package, f"HostedZone={zone}", f"DomainName={kind}.example.com")
    records = aws.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    names = {record["Name"].rstrip(".") for record in records if record["Type"] == "A"}
    assert names == {"instance.example.com", "group.example.com"}


def test_an_update_and_a_rollback_change_only_the_release(aws, package, tmp_path):
    """Checks only parameters: moto does not update a launch template of which only they change. An update
    without any change is not tested, since moto rejects it differently than AWS."""
    stack = Stack(aws, "updated", "instance").create(package)

    def parameters():
        [found] = aws.cloudformation.describe_stacks(StackName="updated")["Stacks"]
        return {one["ParameterKey"]: one["ParameterValue"] for one in found["Parameters"]}

    before = parameters()
    other = tmp_path / "reelshelf_0.2.0~rc1-1_amd64.deb"
    other.write_bytes(b"another package")
    stack.deploy(other)
    assert parameters()["Release"].startswith("reelshelf_0.2.0-rc1-1_amd64-")
    assert parameters()["Architecture"] == "amd64"
    assert parameters()["DomainName"] == DOMAIN
    stack.deploy(package)
    assert parameters() == before


@pytest.mark.parametrize("name", ["reelshelf.deb", "reelshelf_0.1.0_riscv64.deb", "reelshelf_0.1.0_arm64.rpm"])
def test_a_package_for_another_architecture_is_refused(aws, tmp_path, name):
    with pytest.raises(AssertionError, match="does not end with _arm64.deb or _amd64.deb"):
        Stack(aws, "refused", "instance").create(tmp_path / name)


def test_an_existing_stack_keeps_its_template(aws, package):
    stack = Stack(aws, "kept", "group").create(package)
    stack.deploy(package, "Owner=olivia")
    assert "LoadBalancer" in stack.resources and "DataVolume" not in stack.resources
    with pytest.raises(AssertionError, match="the stack kept was created from group.yaml"):
        stack.deploy(package, TEMPLATE="instance")
    assert "LoadBalancer" in stack.resources and "DataVolume" not in stack.resources


def test_a_new_stack_is_one_instance_with_sqlite(aws, package):
    stack = Stack(aws, "default", "instance")
    stack.deploy(package, f"DomainName={DOMAIN}", "Mail=olivia@example.com")
    assert "DataVolume" in stack.resources and "DBInstance" not in stack.resources


@pytest.mark.parametrize("template, parameter", [
    ("instance", "Shape=Large"), ("instance", "UserData=x"), ("group", "Database=aurora"), ("group", "Resources=x"),
])
def test_an_unknown_parameter_is_refused(aws, package, template, parameter):
    name = parameter.split("=")[0]
    with pytest.raises(AssertionError, match=f"{template}.yaml has no parameter {name}"):
        Stack(aws, "unknown", template).create(package, parameter)
    with pytest.raises(aws.cloudformation.exceptions.ClientError, match="does not exist"):
        aws.cloudformation.describe_stacks(StackName="unknown")


def test_an_unknown_template_is_refused(aws, package):
    with pytest.raises(AssertionError, match="TEMPLATE is instance or group, not large"):
        Stack(aws, "unknown", "instance").deploy(package, TEMPLATE="large")


def test_a_stack_of_version_0_1_0_is_not_touched(aws, package):
    """One of its resources has this name."""
    template = '{"Resources": {"Instances": {"Type": "AWS::SNS::Topic"}}}'
    aws.cloudformation.create_stack(StackName="older", TemplateBody=template)
    with pytest.raises(AssertionError, match="version 0.1.0 created the stack older"):
        Stack(aws, "older", "instance").create(package)
    assert aws.cloudformation.get_template(StackName="older")["TemplateBody"]["Resources"].keys() == {"Instances"}
