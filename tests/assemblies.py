"""Small cloud assemblies for tests, as files, with resources that are created fast."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from clients.assembly import read_assembly
from delivery.environment import Environment
from delivery.stacks.assembly import StackSpec
from tests.aws import SandboxAws
from tests.environments import production


@dataclass(frozen=True)
class Project:
    """The stacks of one test. name: the prefix of all names of stacks and resources, so that tests do not collide."""

    name: str
    environment: Environment
    folder: Path

    def write(
        self,
        stacks: Mapping[str, Mapping[str, Any]],
        *,
        needs: Mapping[str, Sequence[str]] | None = None,
        outputs: Mapping[str, Mapping[str, Any]] | None = None,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Write the cloud assembly.

        stacks: the resources of each template. needs: dependencies. outputs: by output key, besides `Stack`.
        parameters: of each template. All of them by stack id.
        """
        artifacts = {name: self._artifact(name, (needs or {}).get(name, ())) for name in stacks}
        (self.folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        for name, resources in stacks.items():
            values = {"Stack": {"Ref": "AWS::StackName"}, **(outputs or {}).get(name, {})}
            template = {
                "Resources": dict(resources),
                "Outputs": {key: {"Value": value} for key, value in values.items()},
                "Parameters": dict((parameters or {}).get(name, {})),
            }
            (self.folder / f"{name}.json").write_text(json.dumps(template))

    def stack(self, stack_id: str) -> StackSpec:
        return next(stack for stack in read_assembly(str(self.folder)) if stack.id == stack_id)

    def deploy_manually(self, aws: SandboxAws) -> dict[str, dict[str, str]]:
        """Deploy all stacks with CloudFormation alone, without Slipway. Returns the outputs by stack id."""
        formation = aws.client("cloudformation")
        return {stack.id: _deploy_manually(formation, stack) for stack in read_assembly(str(self.folder))}

    def cluster(self) -> dict[str, Any]:
        properties = {
            "ClusterName": self.name,
            "KafkaVersion": "3.6.0",
            "NumberOfBrokerNodes": 3,
            "BrokerNodeGroupInfo": {"InstanceType": "kafka.m5.large", "ClientSubnets": ["subnet-1"]},
            "ClientAuthentication": {"Sasl": {"Iam": {"Enabled": True}}},
            "EncryptionInfo": {"EncryptionInTransit": {"ClientBroker": "TLS_PLAINTEXT"}},
        }
        return {"Type": "AWS::MSK::Cluster", "Properties": properties}

    def parameter(self, name: str, value: str) -> dict[str, Any]:
        properties = {"Name": f"/{self.name}/{name}", "Type": "String", "Value": value}
        return {"Type": "AWS::SSM::Parameter", "Properties": properties}

    def bucket(self, name: str) -> dict[str, Any]:
        return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"{self.name}-{name}"}}

    def _artifact(self, name: str, needs: Sequence[str]) -> dict[str, Any]:
        properties = {
            "stackName": f"{self.name}-{name.lower()}",
            "templateFile": f"{name}.json",
            "terminationProtection": True,
        }
        return {"type": "aws:cloudformation:stack", "properties": properties, "dependencies": list(needs)}


def _deploy_manually(formation: Any, stack: StackSpec) -> dict[str, str]:
    change_set = formation.create_change_set(
        StackName=stack.name, ChangeSetName="manual", ChangeSetType="CREATE", TemplateBody=stack.template
    )
    polling = {"Delay": 0.1, "MaxAttempts": 600}
    formation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set["Id"], WaiterConfig=polling)
    formation.execute_change_set(ChangeSetName=change_set["Id"])
    formation.get_waiter("stack_create_complete").wait(StackName=change_set["StackId"], WaiterConfig=polling)
    (found,) = formation.describe_stacks(StackName=change_set["StackId"])["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def make_project(name: str, folder: Path) -> Project:
    """An empty project whose environment has short polls and its state in the folder."""
    assembly = folder / "assembly"
    assembly.mkdir()
    environment = production(folder / "store")
    limits = environment.stacks.model_copy(
        update={
            "assembly": str(assembly),
            "poll": timedelta(milliseconds=50),
            "deadline": timedelta(seconds=60),
        }
    )
    return Project(name, environment.model_copy(update={"stacks": limits}), assembly)
