"""Rules that every stack must follow. A policy takes the resources of one stack (see template.py), by logical
name, and yields one message for each violation."""

import json

from template import resources

OPEN_TO_THE_WORLD = {80, 443}
WORLD = ("0.0.0.0/0", "::/0")
# Allowed outbound rules: AWS, certificates and Debian; the instances' subnets; the database's subnets.
EGRESS = {("0.0.0.0/0", 443), ("0.0.0.0/0", 80), ("10.0.0.0/23", 8080), ("10.0.2.0/23", 5432)}
# Actions for which IAM accepts no narrower resource than '*'.
FOR_ALL_RESOURCES = {
    "cloudwatch:PutMetricData",
    "ec2:DescribeTags",
    "ec2:DescribeVolumes",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}
# Managed by AWS; AWS Backup needs it.
MANAGED = {"arn:${AWS::Partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"}


def of_type(stack, *types):
    for name, resource in stack.items():
        if resource["Type"] in types:
            yield name, resource["Properties"]


def as_list(value):
    return value if isinstance(value, list) else [value]


def ingress_is_limited(stack):
    for name, group in of_type(stack, "AWS::EC2::SecurityGroup"):
        for rule in group["SecurityGroupIngress"]:
            source = rule.get("CidrIp", rule.get("CidrIpv6"))
            ports = (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
            if source in WORLD and ports not in [("tcp", port, port) for port in OPEN_TO_THE_WORLD]:
                yield f"{name} is open to the world at {ports}"
            if source not in WORLD and "SourceSecurityGroupId" not in rule:
                yield f"{name} is open to {source}, which is neither the world nor a group"
    for name, _ in of_type(stack, "AWS::EC2::SecurityGroupIngress"):
        yield f"{name} adds a rule to a security group from outside"


def egress_is_limited(stack):
    for name, group in of_type(stack, "AWS::EC2::SecurityGroup"):
        if not group.get("SecurityGroupEgress"):
            yield f"{name} allows all outbound traffic"
        for rule in group.get("SecurityGroupEgress", []):
            if rule["IpProtocol"] == "-1" and rule.get("CidrIp") != "127.0.0.1/32":
                yield f"{name} allows every outbound protocol"
            if rule["IpProtocol"] != "-1" and (rule.get("CidrIp"), rule["FromPort"]) not in EGRESS:
                yield f"{name} allows outbound traffic to {rule.get('CidrIp')}, port {rule['FromPort']}"
            if rule.get("FromPort") == 5432 and "DatabaseSecurityGroup" not in stack:
                yield f"{name} allows outbound traffic to a database that does not exist"
    logged = [
        flow["ResourceId"] for _, flow in of_type(stack, "AWS::EC2::FlowLog") if flow["TrafficType"] == "ALL"
    ]
    if logged != [{"Ref": "VPC"}]:
        yield "no flow log records all connections of the VPC"


def only_the_service_reaches_the_database(stack):
    for name, group in of_type(stack, "AWS::EC2::SecurityGroup"):
        rules = group["SecurityGroupIngress"]
        service = {"Fn::GetAtt": ["InstanceSecurityGroup", "GroupId"]}
        wanted = [("tcp", 5432, 5432, service)]
        if name == "DatabaseSecurityGroup" and wanted != [
            (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule.get("SourceSecurityGroupId"))
            for rule in rules
        ]:
            yield f"{name} is open to others than the service"
    for name, database in of_type(stack, "AWS::RDS::DBInstance"):
        if database.get("VPCSecurityGroups") != [{"Fn::GetAtt": ["DatabaseSecurityGroup", "GroupId"]}]:
            yield f"{name} does not have exactly the security group of the database"


def database_is_not_public(stack):
    for name, database in of_type(stack, "AWS::RDS::DBInstance"):
        if database.get("PubliclyAccessible") is not False:
            yield f"{name} is public"
    routed = [
        association["SubnetId"]
        for _, association in of_type(stack, "AWS::EC2::SubnetRouteTableAssociation")
    ]
    for name, group in of_type(stack, "AWS::RDS::DBSubnetGroup"):
        if any(subnet in routed for subnet in group["SubnetIds"]):
            yield f"{name} has a route to the internet"


def everything_is_encrypted(stack):
    for name, volume in of_type(stack, "AWS::EC2::Volume"):
        if volume.get("Encrypted") is not True:
            yield f"{name} is not encrypted"
    for name, launch in of_type(stack, "AWS::EC2::LaunchTemplate"):
        devices = launch["LaunchTemplateData"].get("BlockDeviceMappings")
        if not devices or any(device["Ebs"].get("Encrypted") is not True for device in devices):
            yield f"{name} has a disk that is not encrypted"
    for name, database in of_type(stack, "AWS::RDS::DBInstance"):
        if database.get("StorageEncrypted") is not True:
            yield f"{name} is not encrypted"
    for name, listener in of_type(stack, "AWS::ElasticLoadBalancingV2::Listener"):
        [action] = listener["DefaultActions"]
        secure = listener["Protocol"] == "HTTPS" and "TLS13-1-2" in listener.get("SslPolicy", "")
        redirect = action.get("RedirectConfig", {}).get("Protocol") == "HTTPS"
        if not secure and not redirect:
            yield f"{name} does not require TLS 1.2 or later"


def instances_are_hardened(stack):
    for name, launch in of_type(stack, "AWS::EC2::LaunchTemplate"):
        data = launch["LaunchTemplateData"]
        if data.get("MetadataOptions", {}).get("HttpTokens") != "required":
            yield f"{name} allows IMDSv1"
        if "KeyName" in data:
            yield f"{name} has an SSH key"
    for name, _ in of_type(stack, "AWS::EC2::Instance", "AWS::AutoScaling::LaunchConfiguration"):
        yield f"{name} is an instance without the launch template"


def secrets_are_generated_and_not_in_user_data(stack):
    for name, launch in of_type(stack, "AWS::EC2::LaunchTemplate"):
        if "resolve:secretsmanager" in json.dumps(launch) or "resolve:ssm-secure" in json.dumps(launch):
            yield f"{name} contains a secret"
    for name, database in of_type(stack, "AWS::RDS::DBInstance"):
        password = database.get("MasterUserPassword")
        generated = {"Fn::Sub": "{{resolve:secretsmanager:${DatabasePassword}}}"}
        if password is not None and password != generated:
            yield f"{name} has a password that is not a generated secret"
    for name, secret in of_type(stack, "AWS::SecretsManager::Secret"):
        if "SecretString" in secret or secret["GenerateSecretString"]["PasswordLength"] < 30:
            yield f"{name} is not a long generated secret"


def statements(stack):
    for name, role in of_type(stack, "AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement
    for name, policy in of_type(stack, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            yield name, statement


def rights_are_minimal(stack):
    for name, statement in statements(stack):
        actions = as_list(statement["Action"])
        if statement["Effect"] != "Allow" or "NotAction" in statement or "NotResource" in statement:
            yield f"{name} has a statement other than Allow of named actions and resources"
        for action in actions:
            if "*" in action:
                yield f"{name} may do {action}"
        for resource in as_list(statement["Resource"]):
            if resource == "*" and not FOR_ALL_RESOURCES.issuperset(actions):
                yield f"{name} may do {actions} to everything"
            pattern = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
            if pattern.endswith("instance/*") and "Condition" not in statement:
                yield f"{name} may do {actions} to any instance"
        if "cloudwatch:PutMetricData" in actions and "Condition" not in statement:
            yield f"{name} may write any metric"
    for name, role in of_type(stack, "AWS::IAM::Role"):
        for policy in role.get("ManagedPolicyArns", []):
            if policy.get("Fn::Sub") not in MANAGED:
                yield f"{name} has the rights of {policy}"


def data_is_kept(stack):
    for name, volume in of_type(stack, "AWS::EC2::Volume", "AWS::Backup::BackupVault"):
        if {stack[name].get(key) for key in ("DeletionPolicy", "UpdateReplacePolicy")} != {"Retain"}:
            yield f"{name} is deleted with the stack"
    for name, database in of_type(stack, "AWS::RDS::DBInstance"):
        if {stack[name].get(key) for key in ("DeletionPolicy", "UpdateReplacePolicy")} != {"Snapshot"}:
            yield f"{name} is deleted with the stack"
        if database.get("DeletionProtection") is not True:
            yield f"{name} can be deleted by mistake"
    saved = [
        resource
        for _, selection in of_type(stack, "AWS::Backup::BackupSelection")
        for resource in selection["BackupSelection"]["Resources"]
    ]
    if "DBInstance" in stack:
        data = {"Fn::GetAtt": ["DBInstance", "DBInstanceArn"]}
    else:
        data = {"Fn::Sub": "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:volume/${DataVolume}"}
    if saved != [data]:
        yield "the backup plan does not select the data"


def alarms_are_complete_and_sent(stack):
    watched = set()
    for name, alarm in of_type(stack, "AWS::CloudWatch::Alarm"):
        metric_name = alarm["MetricName"]
        if isinstance(metric_name, dict):
            metric_name = metric_name["Fn::Sub"]
        watched.add((alarm["Namespace"], metric_name))
        if alarm.get("AlarmActions") != [{"Ref": "AlarmTopic"}]:
            yield f"{name} is not sent to the topic"
    wanted = {
        ("Reelshelf", "${AWS::StackName}-errors"),
        ("Reelshelf", "procstat_lookup_pid_count"),
        ("Reelshelf", "disk_used_percent"),
        ("AWS/EC2", "CPUUtilization"),
    }
    if "LoadBalancer" in stack:
        wanted.add(("AWS/ApplicationELB", "UnHealthyHostCount"))
    if "DatabaseSecurityGroup" in stack:
        wanted.add(("AWS/RDS", "CPUUtilization"))
        wanted.add(("AWS/RDS", "FreeStorageSpace"))
    for metric in sorted(wanted - watched):
        yield f"no alarm watches {metric}"
    for name, topic in of_type(stack, "AWS::SNS::Topic"):
        if not topic.get("Subscription"):
            yield f"{name} has no subscriber"
    for name, group in of_type(stack, "AWS::Logs::LogGroup"):
        if not group.get("RetentionInDays"):
            yield f"{name} never expires"


def the_group_survives_a_zone(stack):
    if "LoadBalancer" not in stack:
        return
    group = stack["AutoScalingGroup"]["Properties"]
    zones = [stack[subnet["Ref"]]["Properties"]["AvailabilityZone"] for subnet in group["VPCZoneIdentifier"]]
    if int(group["MinSize"]) < 2 or len(zones) < 2 or zones[0] == zones[1]:
        yield "AutoScalingGroup does not keep two instances in two zones"
    if group["HealthCheckType"] != "ELB":
        yield "AutoScalingGroup does not replace instances that fail the health check of the load balancer"
    if stack["DBInstance"]["Properties"]["MultiAZ"] is not True:
        yield "DBInstance is in one zone"


def updates_wait_for_ready(stack):
    group = stack["AutoScalingGroup"]
    update = group.get("UpdatePolicy", {}).get("AutoScalingRollingUpdate", {})
    if not update.get("WaitOnResourceSignals") or "CreationPolicy" not in group:
        yield "AutoScalingGroup does not wait for the signal of a new instance"
    if "LoadBalancer" in stack:
        if update.get("MinInstancesInService", 0) < 2:
            yield "AutoScalingGroup keeps fewer than two instances during an update"
        if stack["TargetGroup"]["Properties"]["HealthCheckPath"] != "/health/ready":
            yield "TargetGroup does not check readiness"


POLICIES = [
    ingress_is_limited,
    egress_is_limited,
    only_the_service_reaches_the_database,
    database_is_not_public,
    everything_is_encrypted,
    instances_are_hardened,
    secrets_are_generated_and_not_in_user_data,
    rights_are_minimal,
    data_is_kept,
    alarms_are_complete_and_sent,
    the_group_survives_a_zone,
    updates_wait_for_ready,
]


def violations(template, kind):
    stack = resources(template, kind)
    return [violation for policy in POLICIES for violation in policy(stack)]
