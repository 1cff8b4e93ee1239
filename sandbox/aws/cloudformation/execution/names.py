"""Generates names for resources without a name in the template, within the limits of each service."""

import secrets
import string

ALPHABET = string.ascii_uppercase + string.digits
LONGEST = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": 32,
    "AWS::ElasticLoadBalancingV2::TargetGroup": 32,
    "AWS::ElastiCache::ReplicationGroup": 40,
    "AWS::XRay::Group": 32,
    "AWS::S3::Bucket": 63,
    "AWS::IAM::Role": 64,
}
LOWER_CASE = {"AWS::S3::Bucket", "AWS::ElastiCache::ReplicationGroup", "AWS::RDS::DBInstance", "AWS::ECR::Repository"}


def generated_name(stack_name: str, resource_type: str, logical_id: str) -> str:
    """`<stack>-<logical id>-<12 random characters>`, as CloudFormation generates it."""
    suffix = "".join(secrets.choice(ALPHABET) for _ in range(12))
    longest = LONGEST.get(resource_type, 128) - len(suffix) - 1
    name = f"{f'{stack_name}-{logical_id}'[:longest].rstrip('-')}-{suffix}"
    return name.lower() if resource_type in LOWER_CASE else name
