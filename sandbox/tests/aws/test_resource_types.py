"""The services return the properties of a template, after the creation and after an update."""

import base64
import json
from typing import Any

from sandbox.aws.cloud import Cloud
from sandbox.testing import eventually
from sandbox.tests.aws.conftest import AwsClient
from sandbox.tests.aws.stacks import deployed, finished, one, outputs, planned

ANYONE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def brokers(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "ClusterName": name,
        "KafkaVersion": "3.9.x",
        "NumberOfBrokerNodes": 3,
        "BrokerNodeGroupInfo": {"InstanceType": "kafka.m7g.large", "ClientSubnets": ["subnet-a", "subnet-b"]},
        "EncryptionInfo": {"EncryptionInTransit": {"ClientBroker": "TLS", "InCluster": True}},
        "ClientAuthentication": {"Sasl": {"Iam": {"Enabled": True}}},
        **properties,
    }


def test_a_broker_cluster_has_its_encryption_and_the_addresses_of_the_brokers(
    cfn: Any, aws: AwsClient, cloud: Cloud, name: str
) -> None:
    arn = outputs(deployed(cfn, name, one("AWS::MSK::Cluster", brokers(name))))["Ref"]
    cluster = aws("kafka").describe_cluster(ClusterArn=arn)["ClusterInfo"]
    assert (cluster["State"], cluster["EncryptionInfo"]["EncryptionInTransit"]["ClientBroker"]) == ("ACTIVE", "TLS")
    found = aws("kafka").get_bootstrap_brokers(ClusterArn=arn)
    assert found["BootstrapBrokerStringSaslIam"] == ",".join(cloud.addresses.kafka_iam)
    assert "BootstrapBrokerString" not in found


def test_a_cluster_gets_a_new_revision_of_its_configuration(cfn: Any, aws: AwsClient, name: str) -> None:
    def template(text: str) -> dict[str, Any]:
        info = {"Arn": {"Ref": "Settings"}, "Revision": {"Fn::GetAtt": ["Settings", "LatestRevision.Revision"]}}
        body = one("AWS::MSK::Cluster", brokers(name, ConfigurationInfo=info))
        settings = {"Name": name, "KafkaVersionsList": ["3.9.x"], "ServerProperties": text}
        body["Resources"]["Settings"] = {"Type": "AWS::MSK::Configuration", "Properties": settings}
        return body

    deployed(cfn, name, template("auto.create.topics.enable=true\n"))
    arn = outputs(deployed(cfn, name, template("auto.create.topics.enable=false\n"), "UPDATE"))["Ref"]
    software = aws("kafka").describe_cluster(ClusterArn=arn)["ClusterInfo"]["CurrentBrokerSoftwareInfo"]
    revision = aws("kafka").describe_configuration_revision(Arn=software["ConfigurationArn"], Revision=2)
    assert software["ConfigurationRevision"] == 2
    assert revision["ServerProperties"] == b"auto.create.topics.enable=false\n"


def test_a_cache_has_its_address_and_can_be_updated(cfn: Any, aws: AwsClient, cloud: Cloud, name: str) -> None:
    def group(kept: int) -> dict[str, Any]:
        wanted = {
            "ReplicationGroupId": name,
            "ReplicationGroupDescription": "a cache",
            "TransitEncryptionEnabled": True,
            "NumCacheClusters": 2,
            "SnapshotRetentionLimit": kept,
        }
        return one("AWS::ElastiCache::ReplicationGroup", wanted, "PrimaryEndPoint.Address", "PrimaryEndPoint.Port")

    values = outputs(deployed(cfn, name, group(7)))
    assert f"{values['PrimaryEndPointAddress']}:{values['PrimaryEndPointPort']}" == cloud.addresses.valkey_tls
    deployed(cfn, name, group(14), "UPDATE")
    found = aws("elasticache").describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]
    assert found["MemberClusters"] == [f"{name}-001", f"{name}-002"]
    assert (found["Status"], found["SnapshotRetentionLimit"], found["TransitEncryptionEnabled"]) == (
        "available",
        14,
        True,
    )


def test_a_cluster_has_the_endpoint_and_the_authority_of_the_kubernetes_api(
    cfn: Any, aws: AwsClient, cloud: Cloud, name: str
) -> None:
    network = {"SubnetIds": ["subnet-a", "subnet-b"]}
    wanted = {"Name": name, "RoleArn": "arn:aws:iam::123456789012:role/x", "ResourcesVpcConfig": network}
    deployed(cfn, name, one("AWS::EKS::Cluster", wanted))
    found = aws("eks").describe_cluster(name=name)["cluster"]
    authority = base64.b64decode(found["certificateAuthority"]["data"])
    assert (found["status"], found["endpoint"]) == ("ACTIVE", cloud.addresses.kubernetes)
    assert authority == (cloud.state / "ca" / "ca.pem").read_bytes()


def test_addons_and_pod_identities_of_a_cluster_can_be_read(cfn: Any, aws: AwsClient, name: str) -> None:
    network = {"SubnetIds": ["subnet-a", "subnet-b"]}
    template = one(
        "AWS::EKS::Cluster",
        {"Name": name, "RoleArn": "arn:aws:iam::123456789012:role/x", "ResourcesVpcConfig": network},
    )
    cluster = {"ClusterName": {"Ref": "It"}}
    addon = {**cluster, "AddonName": "eks-pod-identity-agent"}
    identity = {**cluster, "Namespace": "ns", "ServiceAccount": "sa", "RoleArn": "arn:aws:iam::123456789012:role/a"}
    template["Resources"]["Addon"] = {"Type": "AWS::EKS::Addon", "Properties": addon}
    template["Resources"]["Identity"] = {"Type": "AWS::EKS::PodIdentityAssociation", "Properties": identity}
    deployed(cfn, name, template)
    eks = aws("eks")
    assert eks.list_addons(clusterName=name)["addons"] == ["eks-pod-identity-agent"]
    found = eks.list_pod_identity_associations(clusterName=name, namespace="ns")["associations"][0]
    read = eks.describe_pod_identity_association(clusterName=name, associationId=found["associationId"])
    assert read["association"]["roleArn"].endswith("role/a")


def test_a_secret_is_generated_once(cfn: Any, aws: AwsClient, name: str) -> None:
    generate = {"SecretStringTemplate": '{"username": "app"}', "GenerateStringKey": "password", "PasswordLength": 20}

    def secret(description: str) -> dict[str, Any]:
        wanted = {"Name": name, "Description": description, "GenerateSecretString": generate}
        return one("AWS::SecretsManager::Secret", wanted)

    def read() -> dict[str, str]:
        return json.loads(aws("secretsmanager").get_secret_value(SecretId=name)["SecretString"])

    deployed(cfn, name, secret("first"))
    first = read()
    deployed(cfn, name, secret("second"), "UPDATE")
    assert (first["username"], len(first["password"])) == ("app", 20)
    assert read() == first


def test_the_retention_of_a_log_group_is_updated(cfn: Any, aws: AwsClient, name: str) -> None:
    for kind, days in (("CREATE", 30), ("UPDATE", 90)):
        deployed(cfn, name, one("AWS::Logs::LogGroup", {"LogGroupName": name, "RetentionInDays": days}), kind)
        found = aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
        assert found["retentionInDays"] == days


def test_a_role_and_its_policy_are_updated_in_place(cfn: Any, aws: AwsClient, name: str) -> None:
    def template(action: str, managed: list[str]) -> dict[str, Any]:
        body = one(
            "AWS::IAM::Role", {"RoleName": name, "AssumeRolePolicyDocument": ANYONE, "ManagedPolicyArns": managed}
        )
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        policy = {"PolicyName": name, "Roles": [{"Ref": "It"}], "PolicyDocument": document}
        body["Resources"]["Policy"] = {"Type": "AWS::IAM::Policy", "Properties": policy}
        return body

    iam, named = aws("iam"), ["CAPABILITY_NAMED_IAM"]
    deployed(cfn, name, template("s3:GetObject", []), Capabilities=named)
    managed = ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"]
    deployed(cfn, name, template("s3:PutObject", managed), "UPDATE", Capabilities=named)
    document = iam.get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"]
    assert document["Statement"][0]["Action"] == "s3:PutObject"
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == managed


def test_rules_of_a_security_group_are_added_and_removed(cfn: Any, aws: AwsClient, name: str) -> None:
    def group(*ports: int) -> dict[str, Any]:
        rules = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "10.0.0.0/8"} for port in ports]
        return one("AWS::EC2::SecurityGroup", {"GroupDescription": "a group", "SecurityGroupIngress": rules}, "GroupId")

    first = outputs(deployed(cfn, name, group(80, 443)))["GroupId"]
    second = outputs(deployed(cfn, name, group(443, 8443), "UPDATE"))["GroupId"]
    found = aws("ec2").describe_security_groups(GroupIds=[first])["SecurityGroups"][0]["IpPermissions"]
    assert first == second
    assert sorted(rule["FromPort"] for rule in found) == [443, 8443]


def test_an_update_that_moto_does_not_execute_fails(cfn: Any, name: str) -> None:
    def stream(shards: int) -> dict[str, Any]:
        return one("AWS::Kinesis::Stream", {"Name": name, "ShardCount": shards})

    deployed(cfn, name, stream(1))
    assert deployed(cfn, name, stream(2), "UPDATE")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_a_cluster_is_creating_until_its_duration_is_over(aws: AwsClient, cloud: Cloud, name: str) -> None:
    cfn, kafka = aws("cloudformation"), aws("kafka")
    plan = planned(cfn, name, one("AWS::MSK::Cluster", brokers(name)))
    cfn.execute_change_set(ChangeSetName=plan["ChangeSetId"])
    found = eventually(lambda: kafka.list_clusters(ClusterNameFilter=name)["ClusterInfoList"])
    assert found[0]["State"] == "CREATING"
    finished(cfn, name)
    assert kafka.list_clusters(ClusterNameFilter=name)["ClusterInfoList"][0]["State"] == "ACTIVE"
