"""The templates, and the resources that one creates for given parameters."""

from pathlib import Path

import yaml

FOLDER = Path(__file__).parent.parent
# Every kind of stack: its template, and the parameters that select it.
STACKS = {
    "instance": ("instance", {}),
    "instance-postgres": ("instance", {"Database": "postgres"}),
    "group": ("group", {}),
}
NO_VALUE = {"Ref": "AWS::NoValue"}


class Loader(yaml.CSafeLoader):
    """Reads CloudFormation's short forms (!Ref) as the long ones (Ref)."""


def function(loader, name, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)
    if name == "Ref":
        return {"Ref": value}
    if name == "GetAtt":
        value = value.split(".", 1)
    return {f"Fn::{name}": value}


Loader.add_multi_constructor("!", function)


def load(kind):
    template, _ = STACKS[kind]
    return yaml.load((FOLDER / f"{template}.yaml").read_text(), Loader)


def resources(template, kind):
    """The resources that a stack of this kind creates, by logical name. Parameters, conditions and mappings
    are resolved; references to other resources stay."""
    values = {
        name: parameter.get("Default", name) for name, parameter in template["Parameters"].items()
    }
    values |= STACKS[kind][1]

    def holds(condition):
        [(operator, operands)] = condition.items()
        if operator == "Fn::Not":
            return not holds(operands[0])
        assert operator == "Fn::Equals", operator
        return resolve(operands[0]) == resolve(operands[1])

    def resolve(node):
        if isinstance(node, list):
            return [item for item in map(resolve, node) if item != NO_VALUE]
        if not isinstance(node, dict):
            return node
        if "Ref" in node:
            return values.get(node["Ref"], node)
        if "Fn::If" in node:
            name, yes, no = node["Fn::If"]
            return resolve(yes if holds(template["Conditions"][name]) else no)
        if "Fn::FindInMap" in node:
            found = template["Mappings"]
            for key in resolve(node["Fn::FindInMap"]):
                found = found[key]
            return found
        resolved = {key: resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value != NO_VALUE}

    return {
        name: resolve(resource)
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or holds(template["Conditions"][resource["Condition"]])
    }
