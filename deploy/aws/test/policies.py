"""What must hold for every stack. A policy takes the resources of one stack (see template.py), by
their names, and says what is wrong with them."""

import json

from template import resources

OPEN_TO_THE_WORLD = {80, 443}
WORLD = ("0.0.0.0/0", "::/0")
# AWS, certificates and Debian; the instances' subnets; the database's.
WAYS_OUT = {("0.0.0.0/0", 443), ("0.0.0.0/0", 80), ("10.0.0.0/23", 8080), ("10.0.2.0/23", 5432)}
# For these AWS's guides have no narrower resource than '*'.
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
# AWS's own, without which AWS Backup cannot work.
MANAGED = {"arn:${AWS::Partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"}


def of_type(stack, *types):
    for name, resource in stack.items():
        if resource["Type"] in types:
            yield name, resource["Properties"]


def as_list(value):
    return value if isinstance(value, list) else [value]


def who_comes_in(stack):
    for name, group in of_type(stack, "AWS::EC2::SecurityGroup"):
        for rule in group["SecurityGroupIngress"]:
            source = rule.get("CidrIp", rule.get("CidrIpv6"))
            ports = (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
            if source in WORLD and ports not in [("tcp", port, port) for port in OPEN_TO_THE_WORLD]:
                yield f"{name} lets the world in at {ports}"
            if source not in WORLD and "SourceSecurityGroupId" not in rule:
                yield f"{name} lets in {source}, which is neither the world nor a group"
    for name, _ in of_type(stack, "AWS::EC2::SecurityGroupIngress"):
        yield f"{name} opens a group from outside of it"


def who_goes_out(stack):
    for name, group in of_type(stack, "AWS::EC2::SecurityGroup"):
        if not group.get("SecurityGroupEgress"):
            yield f"{name} lets out everything"
        for rule in group.get("SecurityGroupEgress", []):
            if rule["IpProtocol"] == "-1" and rule.get("CidrIp") != "127.0.0.1/32":
                yield f"{name} lets out every protocol"
            if rule["IpProtocol"] != "-1" and (rule.get("CidrIp"), rule["FromPort"]) not in WAYS_OUT:
                yield f"{name} lets out to {rule.get('CidrIp')}, port {rule['FromPort']}"
            if rule.get("FromPort") == 5432 and "DatabaseAccess" not in stack:
                yield f"{name} lets out to a database where there is none"
    logged = [
        flow["ResourceId"] for _, flow in of_type(stack, "AWS::EC2::FlowLog") if flow["TrafficType"] == "ALL"
    ]
    if logged != [{"Ref": "Network"}]:
        yield "nobody writes down who connects to whom"


def database_is_for_the_service_alone(stack):
    for name, group in of_type(stack, "AWS::EC2::SecurityGroup"):
        rules = group["SecurityGroupIngress"]
        service = {"Fn::GetAtt": ["ServiceAccess", "GroupId"]}
        wanted = [("tcp", 5432, 5432, service)]
        if name == "DatabaseAccess" and wanted != [
            (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule.get("SourceSecurityGroupId"))
            for rule in rules
        ]:
            yield f"{name} lets in others than the service"
    for name, database in of_type(stack, "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"):
        if "DBClusterIdentifier" in database and stack[name]["Type"] == "AWS::RDS::DBInstance":
            continue  # a member has the groups of its cluster
        groups = database.get("VPCSecurityGroups", database.get("VpcSecurityGroupIds"))
        if groups != [{"Fn::GetAtt": ["DatabaseAccess", "GroupId"]}]:
            yield f"{name} is in other groups than the database's"


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
            yield f"{name} has a route out of the network"


def everything_is_encrypted(stack):
    for name, volume in of_type(stack, "AWS::EC2::Volume"):
        if volume.get("Encrypted") is not True:
            yield f"{name} is not encrypted"
    for name, launch in of_type(stack, "AWS::EC2::LaunchTemplate"):
        devices = launch["LaunchTemplateData"].get("BlockDeviceMappings")
        if not devices or any(device["Ebs"].get("Encrypted") is not True for device in devices):
            yield f"{name} has a disk that is not encrypted"
    for name, database in of_type(stack, "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"):
        member = database["Engine"].startswith("aurora") and "DBInstanceClass" in database
        if not member and database.get("StorageEncrypted") is not True:
            yield f"{name} is not encrypted"
    for name, listener in of_type(stack, "AWS::ElasticLoadBalancingV2::Listener"):
        [action] = listener["DefaultActions"]
        secure = listener["Protocol"] == "HTTPS" and "TLS13-1-2" in listener.get("SslPolicy", "")
        redirect = action.get("RedirectConfig", {}).get("Protocol") == "HTTPS"
        if not secure and not redirect:
            yield f"{name} answers without TLS, or with an old one"


def instances_are_closed(stack):
    for name, launch in of_type(stack, "AWS::EC2::LaunchTemplate"):
        data = launch["LaunchTemplateData"]
        if data.get("MetadataOptions", {}).get("HttpTokens") != "required":
            yield f"{name} allows IMDSv1"
        if "KeyName" in data:
            yield f"{name} has an SSH key"
    for name, _ in of_type(stack, "AWS::EC2::Instance", "AWS::AutoScaling::LaunchConfiguration"):
        yield f"{name} is an instance that does not come from the launch template"


def secrets_stay_secret(stack):
    for name, launch in of_type(stack, "AWS::EC2::LaunchTemplate"):
        if "resolve:secretsmanager" in json.dumps(launch) or "resolve:ssm-secure" in json.dumps(launch):
            yield f"{name} carries a secret"
    for name, database in of_type(stack, "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"):
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


def rights_are_the_least(stack):
    for name, statement in statements(stack):
        actions = as_list(statement["Action"])
        if statement["Effect"] != "Allow" or "NotAction" in statement or "NotResource" in statement:
            yield f"{name} says what is not meant"
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
            if policy != {"Ref": "TakeOver"} and policy.get("Fn::Sub") not in MANAGED:
                yield f"{name} has the rights of {policy}"


def data_is_kept(stack):
    for name, volume in of_type(stack, "AWS::EC2::Volume", "AWS::Backup::BackupVault"):
        if {stack[name].get(key) for key in ("DeletionPolicy", "UpdateReplacePolicy")} != {"Retain"}:
            yield f"{name} goes with the stack"
    for name, database in of_type(stack, "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"):
        if database["Engine"].startswith("aurora") and "DBInstanceClass" in database:
            continue
        if {stack[name].get(key) for key in ("DeletionPolicy", "UpdateReplacePolicy")} != {"Snapshot"}:
            yield f"{name} goes with the stack"
        if database.get("DeletionProtection") is not True:
            yield f"{name} can be deleted by mistake"
    saved = [
        resource
        for _, selection in of_type(stack, "AWS::Backup::BackupSelection")
        for resource in selection["BackupSelection"]["Resources"]
    ]
    if "Cluster" in stack:
        data = {"Fn::GetAtt": ["Cluster", "DBClusterArn"]}
    elif "Postgresql" in stack:
        data = {"Fn::GetAtt": ["Postgresql", "DBInstanceArn"]}
    else:
        arn = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:volume/${Volume}"
        data = {"Fn::Sub": arn}
    if saved != [data]:
        yield "the backup plan does not save the data"


def somebody_is_told(stack):
    watched = set()
    for name, alarm in of_type(stack, "AWS::CloudWatch::Alarm"):
        metric_name = alarm["MetricName"]
        if isinstance(metric_name, dict):
            metric_name = metric_name["Fn::Sub"]
        watched.add((alarm["Namespace"], metric_name))
        if alarm.get("AlarmActions") != [{"Ref": "Alarms"}]:
            yield f"{name} tells nobody"
    wanted = {
        ("Reelshelf", "${AWS::StackName}-errors"),
        ("Reelshelf", "procstat_lookup_pid_count"),
        ("Reelshelf", "disk_used_percent"),
        ("AWS/EC2", "CPUUtilization"),
    }
    if "Balancer" in stack:
        wanted.add(("AWS/ApplicationELB", "UnHealthyHostCount"))
    if "DatabaseAccess" in stack:
        wanted.add(("AWS/RDS", "CPUUtilization"))
    if "Postgresql" in stack:
        wanted.add(("AWS/RDS", "FreeStorageSpace"))
    for metric in sorted(wanted - watched):
        yield f"nobody watches {metric}"
    for name, topic in of_type(stack, "AWS::SNS::Topic"):
        if not topic.get("Subscription"):
            yield f"{name} has no reader"
    for name, group in of_type(stack, "AWS::Logs::LogGroup"):
        if not group.get("RetentionInDays"):
            yield f"{name} is kept for ever"


def large_survives_a_zone(stack):
    if "Balancer" not in stack:
        return
    instances = stack["Instances"]["Properties"]
    zones = [
        stack[subnet["Ref"]]["Properties"]["AvailabilityZone"]
        for subnet in instances["VPCZoneIdentifier"]
    ]
    if int(instances["MinSize"]) < 2 or len(zones) < 2 or zones[0] == zones[1]:
        yield "Instances are not two in two zones"
    if instances["HealthCheckType"] != "ELB":
        yield "Instances are not replaced when they do not answer"
    if "Postgresql" in stack and stack["Postgresql"]["Properties"]["MultiAZ"] is not True:
        yield "Postgresql is in one zone"
    members = [name for name, _ in of_type(stack, "AWS::RDS::DBInstance")]
    if "Cluster" in stack and len(members) < 2:
        yield "Cluster has no reader"


def updates_wait_for_ready(stack):
    update = stack["Instances"].get("UpdatePolicy", {}).get("AutoScalingRollingUpdate", {})
    if not update.get("WaitOnResourceSignals") or "CreationPolicy" not in stack["Instances"]:
        yield "Instances are replaced without waiting for the new ones"
    if "Balancer" in stack:
        if update.get("MinInstancesInService", 0) < 2:
            yield "Instances do not stay two while they are replaced"
        if stack["Targets"]["Properties"]["HealthCheckPath"] != "/health/ready":
            yield "Targets are not asked whether they are ready"


POLICIES = [
    who_comes_in,
    who_goes_out,
    database_is_for_the_service_alone,
    database_is_not_public,
    everything_is_encrypted,
    instances_are_closed,
    secrets_stay_secret,
    rights_are_the_least,
    data_is_kept,
    somebody_is_told,
    large_survives_a_zone,
    updates_wait_for_ready,
]


def faults(template, shape, database):
    stack = resources(template, shape, database)
    return [fault for policy in POLICIES for fault in policy(stack)]
