"""AWS, simulated by moto.

moto's CloudFormation does not create all types of resources, and ignores some properties of others. For these,
CREATE has a function that calls moto's API of the service, with the properties of the template.

The simulation does not create backups, scaling policies and metric filters, and ignores CreationPolicy and
UpdatePolicy: test_template.py checks these in the templates. It puts all instances of a group into one zone.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import boto3
from moto.cloudformation.models import ChangeSet
from moto.core.common_models import CloudFormationModel
from moto.server import ThreadedMotoServer

REGION = "us-east-1"  # moto's availability zones are always those of this region
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_DEFAULT_REGION": REGION,
}


class Simulation:
    """Servers on free ports of this machine: moto, and one for the signals of instances."""

    def __init__(self):
        self.server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self.server.start()
        self.url = "http://{}:{}".format(*self.server.get_host_and_port())
        self.environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL": self.url}
        self.signals = Signals()
        self.models = [model(self, resource_type, create) for resource_type, create in CREATE.items()]
        # Unlike ChangeSet.apply, Stack.update also sets the outputs.
        ChangeSet.apply = lambda change_set: change_set.stack.update(
            change_set.template, parameters=change_set.parameters
        )

    def __getattr__(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="simulated",
            aws_secret_access_key="simulated",
        )

    @property
    def environment_of_instances(self):
        return {**self.environment, "AWS_ENDPOINT_URL_CLOUDFORMATION": self.signals.url}


class Signals(list):
    """The requests of instances to CloudFormation: moto has no SignalResource."""

    def __init__(self):
        signals = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                signals.append(dict(parse_qsl(body)))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"<SignalResourceResponse/>")

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://{}:{}".format(*server.server_address)
        threading.Thread(target=server.serve_forever, daemon=True).start()


def secret(aws, name, properties):
    generate = properties.pop("GenerateSecretString")
    value = aws.secretsmanager.get_random_password(**generate)["RandomPassword"]
    return aws.secretsmanager.create_secret(Name=name, SecretString=value, **properties)["ARN"], {}


def alarm(aws, name, properties):
    aws.cloudwatch.put_metric_alarm(AlarmName=name, **properties)
    return name, {}


def volume(aws, name, properties):
    del properties["Tags"]
    return aws.ec2.create_volume(**properties)["VolumeId"], {}


def certificate(aws, name, properties):
    properties.pop("DomainValidationOptions", None)
    return aws.acm.request_certificate(**properties)["CertificateArn"], {}


def load_balancer(aws, name, properties):
    del properties["LoadBalancerAttributes"]
    [created] = aws.elbv2.create_load_balancer(Name=name[-32:], **properties)["LoadBalancers"]
    return created["LoadBalancerArn"], {
        "DNSName": created["DNSName"],
        "CanonicalHostedZoneID": created["CanonicalHostedZoneId"],
        "LoadBalancerFullName": created["LoadBalancerArn"].split(":loadbalancer/")[1],
    }


def target_group(aws, name, properties):
    del properties["TargetGroupAttributes"]
    [created] = aws.elbv2.create_target_group(Name=name[-32:], **properties)["TargetGroups"]
    return created["TargetGroupArn"], {"TargetGroupFullName": created["TargetGroupArn"].split(":")[-1]}


def db_subnet_group(aws, name, properties):
    aws.rds.create_db_subnet_group(DBSubnetGroupName=name, **properties)
    return name.lower(), {}


def db_instance(aws, name, properties):
    properties["VpcSecurityGroupIds"] = properties.pop("VPCSecurityGroups")
    properties["AllocatedStorage"] = int(properties["AllocatedStorage"])
    created = aws.rds.create_db_instance(**properties)["DBInstance"]
    return created["DBInstanceIdentifier"], {
        "DBInstanceArn": created["DBInstanceArn"],
        "Endpoint.Address": created["Endpoint"]["Address"],
    }


CREATE = {
    "AWS::SecretsManager::Secret": secret,
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::EC2::Volume": volume,
    "AWS::CertificateManager::Certificate": certificate,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": load_balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": target_group,
    "AWS::RDS::DBSubnetGroup": db_subnet_group,
    "AWS::RDS::DBInstance": db_instance,
}


def model(aws, resource_type, create):
    """Registers a type: moto looks for subclasses of CloudFormationModel, and takes the last one of a type."""

    class Model(CloudFormationModel):
        __module__ = "moto.cloudformation"  # moto expects its own modules

        def __init__(self, identifier, attributes):
            self.physical_resource_id, self.attributes = identifier, attributes

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
            return cls(*create(aws, name, json["Properties"]))

    return Model
