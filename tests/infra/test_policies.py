"""The functions' policies against AWS's own reference of actions, their resources and conditions."""

import json
from typing import Any

import pytest

from tests import grants as policies
from tests.grants import POLICIES, Call, Grant, differences, fits, grants, reference, resources

STATEMENTS = [
    (f"{function}: {statement['Sid']}", statement)
    for function, path in POLICIES.items()
    for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]
]


@pytest.mark.parametrize("statement", [each for _, each in STATEMENTS], ids=[name for name, _ in STATEMENTS])
def test_every_action_exists_and_has_a_resource_and_every_resource_an_action(statement: dict[str, Any]) -> None:
    for action in statement["Action"]:
        service, _, name = action.partition(":")
        assert name in reference()[service]["privileges"], f"AWS knows no {action}"
    named = list(resources(statement["Resource"]))
    for action in statement["Action"]:
        assert any(fits(action, resource) for resource in named), f"{action} takes none of {named}"
    for resource in named:
        assert any(fits(action, resource) for action in statement["Action"]), f"no action takes {resource}"


def test_what_is_granted_on_all_redshift_statements_is_bounded_to_our_own() -> None:
    for grant in grants():
        if grant.resources == ("*",) and grant.action.startswith("redshift-data:"):
            assert json.loads(grant.condition) == {
                "StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}
            }


def test_who_reads_a_given_secret_may_use_its_key_through_secrets_manager_alone() -> None:
    named = ("HasDatabaseSecret", "HasRedshiftSecret")
    texts = {name: path.read_text(encoding="utf-8") for name, path in POLICIES.items()}
    readers = {name for name, text in texts.items() if any(each in text for each in named)}
    found = {}
    for name, text in texts.items():
        for statement in json.loads(text)["Statement"]:
            if '"SecretKeyArns"' in json.dumps(statement):
                assert statement["Action"] == ["kms:Decrypt"], name
                found[name] = statement["Condition"]["StringEquals"]
    via = {"kms:ViaService": {"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"}}
    assert found == dict.fromkeys(readers, via)


READS = Grant("work", "Photos", "s3:GetObject", ("arn:named:s3:::named-photos-named/in/*",), "null")
CALL: Call = ("omnibus-local-work", "s3:GetObject", "arn:aws:s3:::omnibus-local-photos-000000000000/in/a.jpg")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (CALL, []),
        (("omnibus-local-work", "redshift-data:ExecuteStatement", "*"), ["never used"]),
        (("omnibus-local-other", *CALL[1:]), ["never used"]),
        (("omnibus-local-work", "s3:PutObject", CALL[2]), ["never used"]),
        ((*CALL[:2], "arn:aws:s3:::omnibus-local-photos-000000000000/out/a.jpg"), ["never used"]),
    ],
)
def test_a_grant_that_no_function_used_is_named(
    monkeypatch: pytest.MonkeyPatch, call: Call, expected: list[str]
) -> None:
    monkeypatch.setattr(policies, "UNSEEN", {})
    monkeypatch.setattr(policies, "RARE", {})
    found = differences([READS], [call])
    assert len(found) == len(expected)
    assert all(words in line for words, line in zip(expected, found, strict=True))


def test_what_is_listed_is_granted_and_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "UNSEEN", {"work Photos *": "nobody looks"})
    monkeypatch.setattr(policies, "RARE", {"work Films *": "there are none"})
    (stale,) = differences([READS], [])
    assert stale == "listed, but not granted: work Films *"
    seen, stale = differences([READS], [CALL])
    assert seen.startswith("listed as unseen, but used: work Photos *")


def test_every_listed_grant_is_granted_and_has_a_reason() -> None:
    assert not [line for line in differences(grants(), []) if line.startswith("listed, but not granted")]
    assert all({**policies.UNSEEN, **policies.RARE}.values())
    assert not policies.UNSEEN.keys() & policies.RARE.keys()
