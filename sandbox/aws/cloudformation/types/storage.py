"""AWS::S3 and AWS::Logs: buckets, their policies, and log groups."""

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
from sandbox.aws.cloudformation.types.values import flag, flags, tag_list, tag_map


@resource_type("AWS::S3::Bucket", named_by="BucketName")
class Bucket(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        s3 = self.cloud.client("s3")
        where = {} if self.cloud.region == "us-east-1" else {"LocationConstraint": self.cloud.region}
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
        self._set(name, properties)
        domain = f"{name}.s3.amazonaws.com"
        regional = f"{name}.s3.{self.cloud.region}.amazonaws.com"
        return ReturnValues(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain, "RegionalDomainName": regional})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        self._set(deployed.physical_id, wanted)
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("s3").delete_bucket(Bucket=deployed.physical_id)

    def _set(self, name: str, properties: Properties) -> None:
        s3 = self.cloud.client("s3")
        if "BucketEncryption" in properties:
            rules = [
                _encryption_rule(rule) for rule in properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            ]
            s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
        versioning = properties.get("VersioningConfiguration", {}).get("Status", "Suspended")
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})
        if "PublicAccessBlockConfiguration" in properties:
            block = properties["PublicAccessBlockConfiguration"]
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=flags(block, *block))
        if "LifecycleConfiguration" in properties:
            rules = [_lifecycle_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
            s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
        if tag_list(properties):
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(properties)})


def _encryption_rule(rule: Properties) -> dict[str, Any]:
    default = rule["ServerSideEncryptionByDefault"]
    return {
        "ApplyServerSideEncryptionByDefault": default,
        "BucketKeyEnabled": flag(rule.get("BucketKeyEnabled", False)),
    }


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """The API requires a filter. A template may have a prefix or nothing."""
    wanted: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        wanted["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        wanted["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    if "NoncurrentVersionExpiration" in rule:
        wanted["NoncurrentVersionExpiration"] = {
            key: int(value) for key, value in rule["NoncurrentVersionExpiration"].items()
        }
    if "Transitions" in rule:
        wanted["Transitions"] = [
            {"Days": int(move["TransitionInDays"]), "StorageClass": move["StorageClass"]}
            for move in rule["Transitions"]
        ]
    return wanted


@resource_type("AWS::S3::BucketPolicy")
class BucketPolicy(PutType):
    def put(self, name: str, properties: Properties) -> ReturnValues:
        policy = json.dumps(properties["PolicyDocument"])
        self.cloud.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=policy)
        return ReturnValues(name)

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("s3").delete_bucket_policy(Bucket=deployed.properties["Bucket"])


@resource_type("AWS::Logs::LogGroup", named_by="LogGroupName")
class LogGroup(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        key = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
        self.cloud.client("logs").create_log_group(logGroupName=name, tags=tag_map(properties), **key)
        self._retain(name, properties)
        return ReturnValues(name, {"Arn": self.cloud.arn("logs", f"log-group:{name}:*")})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        self._retain(deployed.physical_id, wanted)
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("logs").delete_log_group(logGroupName=deployed.physical_id)

    def _retain(self, name: str, properties: Properties) -> None:
        logs = self.cloud.client("logs")
        if "RetentionInDays" in properties:
            logs.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
        else:
            logs.delete_retention_policy(logGroupName=name)
