"""AWS as moto simulates it, with what moto's CloudFormation lacks of the stack.

moto knows secrets, alarms, certificates and clusters, but its CloudFormation does not make them, and
of volumes and database instances it forgets half. So their properties are handed to moto's own API
here, under the names that CloudFormation and the API have in common.

Backups, scaling policies and metric filters are not made, and Rules, CreationPolicy and UpdatePolicy
not heeded: these are checked in the template alone. A group puts all its instances into one zone.
"""

import boto3
from moto.cloudformation import models, parsing, responses, utils
from moto.core.common_models import CloudFormationModel
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_DEFAULT_REGION": REGION,
}


class Simulation:
    """A server on a free port of this machine."""

    def __init__(self):
        self.server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self.server.start()
        self.url = "http://{}:{}".format(*self.server.get_host_and_port())
        self.environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": self.url}
        teach(self)

    def __getattr__(self, service):
        return self.client(service)

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="simulated",
            aws_secret_access_key="simulated",
        )


def constructor(loader, tag, node):
    """moto's short forms of functions, save for those that it reads wrongly."""
    if tag == "!Condition":
        return {"Condition": node.value}
    if tag == "!GetAtt":
        return {"Fn::GetAtt": node.value.split(".", 1)}
    if tag == "!GetAZs":
        return {"Fn::GetAZs": REGION}
    return utils.yaml_tag_constructor(loader, tag, node)


def secret(aws, name, properties):
    wish = properties["GenerateSecretString"]
    value = aws.secretsmanager.get_random_password(**wish)["RandomPassword"]
    made = aws.secretsmanager.create_secret(
        Name=name, Description=properties["Description"], SecretString=value
    )
    return made["ARN"], {}


def alarm(aws, name, properties):
    aws.cloudwatch.put_metric_alarm(AlarmName=name, **properties)
    return name, {}


def volume(aws, name, properties):
    del properties["Tags"]
    return aws.ec2.create_volume(**properties)["VolumeId"], {}


def certificate(aws, name, properties):
    made = aws.acm.request_certificate(
        DomainName=properties["DomainName"], ValidationMethod=properties["ValidationMethod"]
    )
    return made["CertificateArn"], {}


def subnets(aws, name, properties):
    aws.rds.create_db_subnet_group(DBSubnetGroupName=name.lower(), **properties)
    return name.lower(), {}


def cluster(aws, name, properties):
    made = aws.rds.create_db_cluster(**properties)["DBCluster"]
    return made["DBClusterIdentifier"], {
        "DBClusterArn": made["DBClusterArn"],
        "Endpoint.Address": made["Endpoint"],
    }


def instance(aws, name, properties):
    groups = properties.pop("VPCSecurityGroups", None)
    if groups:
        properties["VpcSecurityGroupIds"] = groups
    if "AllocatedStorage" in properties:
        properties["AllocatedStorage"] = int(properties["AllocatedStorage"])
    properties.setdefault("DBInstanceIdentifier", name.lower())
    made = aws.rds.create_db_instance(**properties)["DBInstance"]
    return made["DBInstanceIdentifier"], {
        "DBInstanceArn": made["DBInstanceArn"],
        "Endpoint.Address": made["Endpoint"]["Address"],
        "Endpoint.Port": made["Endpoint"]["Port"],
    }


MADE = {
    "AWS::SecretsManager::Secret": secret,
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::EC2::Volume": volume,
    "AWS::CertificateManager::Certificate": certificate,
    "AWS::RDS::DBSubnetGroup": subnets,
    "AWS::RDS::DBCluster": cluster,
    "AWS::RDS::DBInstance": instance,
}


def full_names():
    """Gives load balancers and target groups the names by which CloudWatch knows them."""
    FakeLoadBalancer.get_cfn_attribute = lambda balancer, name: {
        "DNSName": balancer.dns_name,
        "CanonicalHostedZoneID": "Z215JYRZR1TBD5",
        "LoadBalancerFullName": balancer.arn.split(":loadbalancer/")[-1],
    }[name]
    FakeTargetGroup.get_cfn_attribute = lambda group, name: {
        "TargetGroupFullName": group.arn.split(":")[-1],
    }[name]


def outputs():
    """Lets a stack made by a change set, as the aws command line does it, have outputs."""
    apply = models.ChangeSet.apply

    def apply_all(changes):
        apply(changes)
        changes.stack.template = changes.template
        changes.stack._parse_template()
        changes.stack.output_map = changes.stack._create_output_map()

    models.ChangeSet.apply = apply_all


def signals(aws):
    """Takes the signals of instances, and keeps them."""

    def signal_resource(request):
        names = "StackName", "LogicalResourceId", "UniqueId", "Status"
        aws.signals.append(tuple(map(request._get_param, names)))
        return 200, {}, "<SignalResourceResponse/>"

    aws.signals = []
    responses.CloudFormationResponse.signal_resource = signal_resource


def updates():
    """Keeps an update away from what the parameters leave out."""
    diff = parsing.ResourceMap.build_resource_diff

    def diff_of_existing(stack, template, parameters=None):
        changes = diff(stack, template, parameters)
        conditions = {name: template["Resources"][name].get("Condition") for name in changes["Modify"]}
        changes["Modify"] = [
            name for name, condition in conditions.items()
            if condition is None or stack.lazy_condition_map[condition]
        ]
        return changes

    parsing.ResourceMap.build_resource_diff = diff_of_existing


def teach(aws):
    full_names()
    outputs()
    updates()
    signals(aws)
    for module in (models, responses):
        module.yaml_tag_constructor = constructor
    aws.models = [model(aws, resource_type, make) for resource_type, make in MADE.items()]


def model(aws, resource_type, make):
    """moto finds it among the subclasses of CloudFormationModel; of two the later one counts."""

    class Model(CloudFormationModel):
        __module__ = "moto.cloudformation"  # moto asks whose it is

        def __init__(self, identifier, attributes):
            self.identifier, self.attributes = identifier, attributes

        @property
        def physical_resource_id(self):
            return self.identifier

        def get_cfn_attribute(self, name):
            return self.attributes[name]

        @staticmethod
        def cloudformation_name_type():
            return None

        @staticmethod
        def cloudformation_type():
            return resource_type

        @classmethod
        def create_from_cloudformation_json(cls, name, json, account, region, **_):
            return cls(*make(aws, name, json["Properties"]))

        @classmethod
        def update_from_cloudformation_json(cls, original_resource, *_, **__):
            return original_resource

    return Model
