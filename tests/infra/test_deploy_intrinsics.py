"""CloudFormation's functions, worked out as CloudFormation does."""

from typing import Any

import pytest

from infra.deployment.intrinsics import Known, pseudo_parameters, references, resolve
from infra.deployment.problems import DeploymentError

KNOWN = Known(
    parameters={"Name": "flights", "Empty": "", "Listed": ["a", "b"], "Mode": "on"},
    pseudo=pseudo_parameters("omnibus-dev", "123456789012", "eu-west-1"),
    conditions={
        "HasName": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]},
        "HasEmpty": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Empty"}, ""]}]},
        "Both": {"Fn::And": [{"Condition": "HasName"}, {"Condition": "HasEmpty"}]},
        "Either": {"Fn::Or": [{"Condition": "HasName"}, {"Condition": "HasEmpty"}]},
    },
    mappings={"Modes": {"on": {"Enabled": True}}},
    references={"Bucket": "omnibus-dev-flights", "Bucket.Arn": "arn:aws:s3:::omnibus-dev-flights"},
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"Ref": "Name"}, "flights"),
        ({"Ref": "Listed"}, ["a", "b"]),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::omnibus-dev-flights"),
        (
            {"Fn::Sub": "${AWS::StackName}-${Name}-${!Literal}-${Bucket.Arn}"},
            "omnibus-dev-flights-${Literal}-arn:aws:s3:::omnibus-dev-flights",
        ),
        ({"Fn::Sub": ["${Own}/${Name}", {"Own": {"Ref": "Mode"}}]}, "on/flights"),
        ({"Fn::If": ["HasName", {"Ref": "Name"}, "none"]}, "flights"),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ({"Fn::Join": ["-", ["x", {"Ref": "Name"}]]}, "x-flights"),
        ({"Fn::Select": [1, {"Fn::Split": [",", "a,b,c"]}]}, "b"),
        ({"Fn::FindInMap": ["Modes", {"Ref": "Mode"}, "Enabled"]}, True),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ([{"Fn::If": ["HasEmpty", 1, {"Ref": "AWS::NoValue"}]}, 2], [2]),
        (
            {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ),
    ],
)
def test_a_function_comes_to_what_cloudformation_makes_of_it(written: Any, meant: Any) -> None:
    assert resolve(written, KNOWN) == meant


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"Ref": "Nobody"}, "refers to Nobody"),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, "Fn::Cidr is not supported"),
        ({"Fn::If": ["Nobody", 1, 2]}, "condition Nobody"),
    ],
)
def test_what_is_not_known_is_refused_by_name(written: Any, said: str) -> None:
    with pytest.raises(DeploymentError, match=said):
        resolve(written, KNOWN)


def test_every_reference_is_found() -> None:
    written = {
        "a": [{"Ref": "One"}, {"Fn::GetAtt": ["Two", "Arn"]}],
        "b": {"Fn::Sub": ["${Three} ${Own} ${Four.Name} ${!Five}", {"Own": {"Ref": "Six"}}]},
    }
    assert set(references(written)) == {"One", "Two.Arn", "Three", "Four.Name", "Six"}


def test_the_partition_of_china_has_its_own_suffix() -> None:
    assert pseudo_parameters("s", "1", "cn-north-1", "aws-cn")["AWS::URLSuffix"] == "amazonaws.com.cn"
