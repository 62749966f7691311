"""The stacks as they stand after the deploy script has made them. What the simulation cannot make
(see simulation.py) is held against the template in test_template.py alone."""

import pytest
import yaml
from conftest import DOMAIN, Stack, group, launch, user_data
from policies import FOR_ALL_RESOURCES, OPEN_TO_THE_WORLD, as_list


def databases(stack):
    everything = stack.aws.rds.describe_db_instances()["DBInstances"]
    return [one for one in everything if one["DBInstanceIdentifier"].startswith(stack.name)]


def test_the_address_is_told(stack):
    assert f"https://{DOMAIN}/" in stack.said


def test_nothing_but_443_and_80_is_open_to_the_world(stack):
    network = {"Name": "vpc-id", "Values": [stack.resources["Network"]]}
    opened = set()
    for group in stack.aws.ec2.describe_security_groups(Filters=[network])["SecurityGroups"]:
        for rule in group["IpPermissions"]:
            assert not rule.get("Ipv6Ranges") and not rule.get("PrefixListIds")
            if rule["IpRanges"]:
                assert rule["FromPort"] == rule["ToPort"]
                opened.add((group["GroupId"], rule["FromPort"]))
    door = stack.resources["BalancerAccess" if stack.shape == "Large" else "ServiceAccess"]
    assert opened == {(door, port) for port in OPEN_TO_THE_WORLD}


def test_the_database_is_for_the_service_alone(stack):
    if stack.database == "sqlite":
        assert "DatabaseAccess" not in stack.resources
        return
    [group] = stack.aws.ec2.describe_security_groups(
        GroupIds=[stack.resources["DatabaseAccess"]]
    )["SecurityGroups"]
    [rule] = group["IpPermissions"]
    assert (rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == (5432, 5432, [])
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [stack.resources["ServiceAccess"]]


def test_databases_are_encrypted_protected_and_not_public(stack):
    count = {"sqlite": 0, "postgres": 1, "aurora": 2}[stack.database]
    found = databases(stack)
    assert len(found) == count
    for database in found:
        assert database["PubliclyAccessible"] is False
        assert database["StorageEncrypted"] is True
        if stack.database == "postgres":
            assert database["DeletionProtection"] is True
            assert database["MultiAZ"] is (stack.shape == "Large")
            groups = [group["VpcSecurityGroupId"] for group in database["VpcSecurityGroups"]]
            assert groups == [stack.resources["DatabaseAccess"]]
    if stack.database == "aurora":
        [cluster] = stack.aws.rds.describe_db_clusters(DBClusterIdentifier=stack.name)["DBClusters"]
        assert cluster["StorageEncrypted"] is True
        assert cluster["DeletionProtection"] is True
        assert sorted(member["IsClusterWriter"] for member in cluster["DBClusterMembers"]) == [False, True]


def test_disks_are_encrypted(stack):
    devices = launch(stack)["BlockDeviceMappings"]
    assert devices and all(device["Ebs"]["Encrypted"] for device in devices)
    if stack.shape == "Small":
        [volume] = stack.aws.ec2.describe_volumes(VolumeIds=[stack.resources["Volume"]])["Volumes"]
        assert volume["Encrypted"] is True


def test_instances_stand_where_they_should(stack):
    subnets = ["PublicA", "PublicB"] if stack.shape == "Large" else ["PublicA"]
    assert len(group(stack)["Instances"]) == len(subnets)
    assert group(stack)["VPCZoneIdentifier"] == ",".join(stack.resources[name] for name in subnets)
    if stack.shape == "Small":
        [volume] = stack.aws.ec2.describe_volumes(VolumeIds=[stack.resources["Volume"]])["Volumes"]
        assert {one["AvailabilityZone"] for one in group(stack)["Instances"]} == {volume["AvailabilityZone"]}


def test_instances_want_imdsv2_and_take_no_ssh_key(stack):
    assert launch(stack)["MetadataOptions"]["HttpTokens"] == "required"
    assert "KeyName" not in launch(stack)


def test_user_data_holds_no_secret(stack):
    text = user_data(stack)
    secrets = ["OwnerPassword"] + ["DatabasePassword"] * (stack.database != "sqlite")
    for secret in secrets:
        arn = stack.resources[secret]
        value = stack.aws.secretsmanager.get_secret_value(SecretId=arn)["SecretString"]
        assert value not in text
        assert arn in text
    assert "{{resolve" not in text and "${" not in text
    assert len(text) < 16 * 1024  # more is refused


def test_the_release_is_in_the_bucket(stack):
    listed = stack.aws.s3.list_objects_v2(Bucket=f"{stack.name}-123456789012-eu-central-1")
    keys = {item["Key"] for item in listed["Contents"]}
    [release] = {key.split("/")[0] for key in keys}
    assert keys == {f"{release}/reelshelf.deb", f"{release}/user-data.sh"}
    assert f"{release}'" in user_data(stack)


def test_rights_are_the_least(stack):
    iam, role = stack.aws.iam, stack.resources["Role"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName="instance")["PolicyDocument"]]
    if stack.shape == "Small":  # moto does not attach it, but makes it
        arn = stack.resources["TakeOver"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"])
    statements = [
        statement
        for document in documents
        for statement in (yaml.safe_load(document) if isinstance(document, str) else document)["Statement"]
    ]
    assert len(statements) == (10 if stack.shape == "Small" else 7)
    for statement in statements:
        actions = as_list(statement["Action"])
        assert not any("*" in action for action in actions)
        if "*" in as_list(statement["Resource"]):
            assert FOR_ALL_RESOURCES.issuperset(actions)


def test_alarms_tell_somebody(stack):
    prefix = f"{stack.name}-"
    alarms = stack.aws.cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    count = {"sqlite": 4, "postgres": 6, "aurora": 5}[stack.database] + 2 * (stack.shape == "Large")
    assert len(alarms) == count
    assert all(alarm["AlarmActions"] == [stack.resources["Alarms"]] for alarm in alarms)
    [subscription] = stack.aws.sns.list_subscriptions_by_topic(TopicArn=stack.resources["Alarms"])["Subscriptions"]
    assert subscription["Endpoint"] == "olivia@example.com"


def test_logs_end_some_day(stack):
    groups = stack.aws.logs.describe_log_groups()["logGroups"]
    ours = [group for group in groups if stack.name in group["logGroupName"]]
    flows = f"/reelshelf/{stack.name}/flows"
    assert len(ours) == (2 if stack.database == "sqlite" else 3)
    assert flows in [group["logGroupName"] for group in ours]
    assert all(group["retentionInDays"] == (30 if group["logGroupName"] == flows else 90) for group in ours)


def test_the_balancer_speaks_tls(stack):
    if stack.shape == "Small":
        assert "Balancer" not in stack.resources
        return
    elb, arn = stack.aws.elbv2, stack.resources["Balancer"]
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


def test_the_name_leads_here_where_the_zone_is_known(aws, package):
    zone = aws.route53.create_hosted_zone(Name="example.com", CallerReference="test")["HostedZone"]["Id"]
    zone = zone.removeprefix("/hostedzone/")
    for shape, database in ("Small", "sqlite"), ("Large", "aurora"):
        stack = Stack(aws, f"named-{shape.lower()}", shape, database)
        stack.create(package, f"HostedZone={zone}", f"DomainName={shape.lower()}.example.com")
    records = aws.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    names = {record["Name"].rstrip(".") for record in records if record["Type"] == "A"}
    assert names == {"small.example.com", "large.example.com"}


def test_another_release_comes_and_goes(aws, package, tmp_path):
    """Seen by the parameters: moto does not notice a launch template that changes by them alone. It
    also refuses an update without a change otherwise than AWS, so that this is not tried."""
    stack = Stack(aws, "updated", "Small", "sqlite").create(package)

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
def test_a_package_for_another_machine_is_refused(aws, tmp_path, name):
    with pytest.raises(AssertionError, match="does not end with _arm64.deb or _amd64.deb"):
        Stack(aws, "refused", "Small", "sqlite").create(tmp_path / name)
