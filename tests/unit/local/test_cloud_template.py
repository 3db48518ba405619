"""The local deployment changes the package only where it must."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from local.deploy import with_bytecode
from local.template import Code, localised

TEMPLATE: dict[str, Any] = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Parameters": {"Stage": {"Type": "String", "Default": "dev"}, "Canary": {"Type": "String", "Default": "ENABLED"}},
    "Globals": {"Function": {"Timeout": 3, "Layers": [{"Ref": "InsightsLayerArn"}]}},
    "Resources": {
        "Process": {
            "Type": "AWS::Serverless::Function",
            "DependsOn": ["Bucket"],
            "Properties": {
                "CodeUri": "./deployment.zip",
                "Layers": [{"Ref": "ArrowLayer"}],
                "MemorySize": 512,
                "DeploymentPreference": {"Enabled": True, "Type": {"Ref": "CanaryConfiguration"}},
            },
        },
        "CanaryConfiguration": {"Type": "AWS::CodeDeploy::DeploymentConfig", "Properties": {}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
        "Queued": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"PolicyDocument": {"Statement": [{"Sid": "OnlyTls"}]}},
        },
        "Read": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": "b", "PolicyDocument": {"Statement": [{"Sid": "Deliver"}, {"Sid": "OnlyTls"}]}},
        },
        "Ratio": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [{"Expression": "a / b"}]}},
        "ArrowLayer": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "./arrow.zip"}},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "SocketDeployment": {"Type": "AWS::ApiGatewayV2::Deployment", "Properties": {"ApiId": "x"}},
        "SocketStage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"StageName": "api", "DeploymentId": {"Ref": "SocketDeployment"}},
        },
    },
}


def test_what_the_emulator_forces_and_nothing_else() -> None:
    changed = localised(TEMPLATE, Code("artifacts", "code.zip"), {"Stage": "local", "Unknown": "x"})
    assert changed == {
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {
            "Stage": {"Type": "String", "Default": "local"},
            "Canary": {"Type": "String", "Default": "ENABLED"},
        },
        "Globals": {"Function": {"Timeout": 3}},
        "Resources": {
            "Process": {
                "Type": "AWS::Serverless::Function",
                "DependsOn": ["Bucket"],
                "Properties": {"CodeUri": {"Bucket": "artifacts", "Key": "code.zip"}, "MemorySize": 512},
            },
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
            "Read": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": "b", "PolicyDocument": {"Statement": [{"Sid": "Deliver"}]}},
            },
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "SocketStage": {
                "Type": "AWS::ApiGatewayV2::Stage",
                "Properties": {"StageName": "api", "AutoDeploy": True},
            },
        },
    }


def test_the_packaged_template_itself_stays_as_it_is() -> None:
    localised(TEMPLATE, Code("artifacts", "code.zip"), {"Stage": "local"})
    assert TEMPLATE["Resources"]["Process"]["Properties"]["CodeUri"] == "./deployment.zip"
    assert "DeploymentId" in TEMPLATE["Resources"]["SocketStage"]["Properties"]


def test_gateway_responses_become_resources_that_the_emulator_knows() -> None:
    response = {
        "ResponseParameters": {"Headers": {"Vary": "'Origin'"}},
        "ResponseTemplates": {"application/json": "{}"},
    }
    described = {"info": {"title": "omnibus", "version": "of a release"}}
    properties = {"DefinitionBody": described, "GatewayResponses": {"DEFAULT_4XX": response}}
    api = {"Type": "AWS::Serverless::Api", "Properties": properties}
    changed = localised({"Resources": {"RestAPI": api}}, Code("artifacts", "code.zip"), {})["Resources"]
    assert changed["RestAPIDefault4Xx"] == {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {
            "RestApiId": {"Ref": "RestAPI"},
            "ResponseType": "DEFAULT_4XX",
            "ResponseParameters": {"gatewayresponse.header.Vary": "'Origin'"},
            "ResponseTemplates": {"application/json": "{}"},
        },
    }
    body = changed["RestAPI"]["Properties"]["DefinitionBody"]
    assert body["info"] == {"title": "omnibus", "version": "local"}, "an edit would give it another URL"


def test_a_condition_may_split_a_parameter() -> None:
    first = {"Fn::Select": [0, {"Fn::Split": [":", {"Ref": "Workgroup"}]}]}
    template = {
        "Parameters": {"Workgroup": {"Type": "String", "Default": "omnibus"}},
        "Conditions": {"IsArn": {"Fn::Equals": [first, "arn"]}},
        "Resources": {},
    }
    arn = localised(template, Code("artifacts", "code.zip"), {"Workgroup": "arn:aws:redshift"})
    assert arn["Conditions"]["IsArn"] == {"Fn::Equals": ["arn", "arn"]}
    name = localised(template, Code("artifacts", "code.zip"), {})
    assert name["Conditions"]["IsArn"] == {"Fn::Equals": ["omnibus", "arn"]}


def test_workers_start_from_bytecode_as_in_a_release(tmp_path: Path) -> None:
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("package/module.py", "told = 'by the bytecode'\n")
    with zipfile.ZipFile(io.BytesIO(with_bytecode(plain.getvalue()))) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "package" / "module.py").write_text("told = 'by the source'\n")
    command = [sys.executable, "-c", "from package.module import told; print(told)"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout == "by the bytecode\n"
