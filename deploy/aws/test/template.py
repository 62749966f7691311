"""The stack's template, and what is left of it for one choice of parameters."""

from pathlib import Path

import yaml

PATH = Path(__file__).parent.parent / "reelshelf.yaml"
COMBINATIONS = [
    ("Small", "sqlite"),
    ("Small", "postgres"),
    ("Large", "postgres"),
    ("Large", "aurora"),
]
NOTHING = {"Ref": "AWS::NoValue"}


class Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms, read into the long ones."""


def function(loader, name, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt":
        value = value.split(".", 1)
    return {f"Fn::{name}": value}


Loader.add_multi_constructor("!", function)


def load():
    return yaml.load(PATH.read_text(), Loader)


def resources(template, shape, database, **more):
    """The resources that these parameters make, by their logical names, with the parameters, the
    conditions and the mappings worked in. References to resources stay."""
    values = {
        name: parameter.get("Default", name) for name, parameter in template["Parameters"].items()
    }
    values |= {"Shape": shape, "Database": database, **more}

    def condition(what):
        [(operator, operand)] = what.items()
        if operator == "Condition":
            return condition(template["Conditions"][operand])
        if operator == "Fn::Equals":
            return work_in(operand[0]) == work_in(operand[1])
        if operator == "Fn::Not":
            return not condition(operand[0])
        assert operator == "Fn::And", operator
        return all(map(condition, operand))

    def work_in(node):
        if isinstance(node, list):
            return [item for item in map(work_in, node) if item != NOTHING]
        if not isinstance(node, dict):
            return node
        if "Ref" in node:
            return values.get(node["Ref"], node)
        if "Fn::If" in node:
            name, yes, no = node["Fn::If"]
            return work_in(yes if condition({"Condition": name}) else no)
        if "Fn::FindInMap" in node:
            found = template["Mappings"]
            for key in work_in(node["Fn::FindInMap"]):
                found = found[key]
            return found
        made = {key: work_in(value) for key, value in node.items()}
        return {key: value for key, value in made.items() if value != NOTHING}

    return {
        name: {key: value if key == "Condition" else work_in(value) for key, value in resource.items()}
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or condition({"Condition": resource["Condition"]})
    }
