"""AWS::KMS, AWS::SecretsManager, AWS::CloudTrail and AWS::SSM: keys, secrets, trails and parameters."""

import json
from typing import Any

from sandbox.aws.cloudformation.model.resource_type import (
    Deployed,
    Properties,
    PutType,
    ResourceType,
    ReturnValues,
    resource_type,
)
from sandbox.aws.cloudformation.types.values import flag, flags, numbers, picked, tag_list

PASSWORD_FLAGS = (
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "ExcludeLowercase",
    "IncludeSpace",
    "RequireEachIncludedType",
)


@resource_type("AWS::KMS::Key")
class Key(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tag_list(properties)]
        wanted = picked(properties, "KeySpec", "KeyUsage", "Origin")
        key = self.cloud.client("kms").create_key(
            Description=properties.get("Description", name), Policy=_policy(properties), Tags=tags, **wanted
        )["KeyMetadata"]
        self._rotate(key["KeyId"], properties)
        return ReturnValues(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        kms, key = self.cloud.client("kms"), deployed.physical_id
        kms.update_key_description(KeyId=key, Description=wanted.get("Description", ""))
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=_policy(wanted))
        self._rotate(key, wanted)
        return None

    def delete(self, deployed: Deployed) -> None:
        days = int(deployed.properties.get("PendingWindowInDays", 30))
        self.cloud.client("kms").schedule_key_deletion(KeyId=deployed.physical_id, PendingWindowInDays=days)

    def _rotate(self, key: str, properties: Properties) -> None:
        kms = self.cloud.client("kms")
        turn = kms.enable_key_rotation if flag(properties.get("EnableKeyRotation", False)) else kms.disable_key_rotation
        turn(KeyId=key)


def _policy(properties: Properties) -> str:
    policy = properties.get("KeyPolicy", {})
    return policy if isinstance(policy, str) else json.dumps(policy)


@resource_type("AWS::SecretsManager::Secret", named_by="Name")
class Secret(ResourceType):
    """A secret is generated once. An update changes it only if GenerateSecretString or SecretString changes."""

    def create(self, name: str, properties: Properties) -> ReturnValues:
        wanted = picked(properties, "KmsKeyId", "Description")
        arn = self.cloud.client("secretsmanager").create_secret(
            Name=name, SecretString=self._value(properties), Tags=tag_list(properties), **wanted
        )["ARN"]
        return ReturnValues(arn, {"Id": arn})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        changes = picked(wanted, "KmsKeyId", "Description")
        content = ("GenerateSecretString", "SecretString")
        if picked(wanted, *content) != picked(deployed.properties, *content):
            changes["SecretString"] = self._value(wanted)
        self.cloud.client("secretsmanager").update_secret(SecretId=deployed.physical_id, **changes)
        return None

    def delete(self, deployed: Deployed) -> None:
        secrets = self.cloud.client("secretsmanager")
        secrets.delete_secret(SecretId=deployed.physical_id, ForceDeleteWithoutRecovery=True)

    def _value(self, properties: Properties) -> str:
        generator = properties.get("GenerateSecretString")
        if generator is None:
            return properties.get("SecretString", "")
        wanted = {
            **picked(generator, "ExcludeCharacters"),
            **numbers(generator, "PasswordLength"),
            **flags(generator, *PASSWORD_FLAGS),
        }
        password = self.cloud.client("secretsmanager").get_random_password(**wanted)["RandomPassword"]
        if "GenerateStringKey" not in generator:
            return password
        template = json.loads(generator.get("SecretStringTemplate", "{}"))
        return json.dumps({**template, generator["GenerateStringKey"]: password})


@resource_type("AWS::CloudTrail::Trail", named_by="TrailName")
class Trail(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        trail = self.cloud.client("cloudtrail")
        arn = trail.create_trail(Name=name, TagsList=tag_list(properties), **_trail(properties))["TrailARN"]
        self._log(arn, properties)
        return ReturnValues(name, {"Arn": arn})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        self.cloud.client("cloudtrail").update_trail(Name=deployed.physical_id, **_trail(wanted))
        self._log(deployed.attributes["Arn"], wanted)
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("cloudtrail").delete_trail(Name=deployed.physical_id)

    def _log(self, arn: str, properties: Properties) -> None:
        trail = self.cloud.client("cloudtrail")
        turn = trail.start_logging if flag(properties.get("IsLogging", True)) else trail.stop_logging
        turn(Name=arn)


def _trail(properties: Properties) -> dict[str, Any]:
    wanted = picked(properties, "S3BucketName", "S3KeyPrefix", "SnsTopicName")
    wanted |= flags(properties, "IncludeGlobalServiceEvents", "IsMultiRegionTrail", "EnableLogFileValidation")
    return {**wanted, "KmsKeyId": properties["KMSKeyId"]} if "KMSKeyId" in properties else wanted


@resource_type("AWS::SSM::Parameter", named_by="Name")
class Parameter(PutType):
    def put(self, name: str, properties: Properties) -> ReturnValues:
        ssm = self.cloud.client("ssm")
        wanted = picked(properties, "Type", "Value", "Description", "Tier", "AllowedPattern", "DataType")
        ssm.put_parameter(Name=name, Overwrite=True, **wanted)
        if tag_list(properties):
            ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tag_list(properties))
        return ReturnValues(name, {"Type": properties["Type"], "Value": properties["Value"]})

    def create(self, name: str, properties: Properties) -> ReturnValues:
        if self.cloud.client("ssm").get_parameters(Names=[name])["Parameters"]:
            raise ParameterExists(f"{name} already exists")
        return self.put(name, properties)

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("ssm").delete_parameter(Name=deployed.physical_id)


class ParameterExists(Exception):
    """The parameter exists already. CloudFormation does not adopt it."""
