"""The requirements of the guide and its security checklist for the stacks."""

import json
from typing import Any

from tests.infrastructure.assembly import list_resources, read_properties, read_template


def test_three_availability_zones_of_any_region_have_three_subnets_each() -> None:
    zones = [subnet["Properties"]["AvailabilityZone"] for subnet in list_resources("AWS::EC2::Subnet")]
    assert sorted(zone["Fn::Select"][0] for zone in zones) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert {json.dumps(zone["Fn::Select"][1]) for zone in zones} == {'{"Fn::GetAZs": ""}'}


def test_private_subnets_have_a_route_to_a_nat_gateway_of_their_zone() -> None:
    through_nat = [
        route["Properties"]["NatGatewayId"]["Ref"]
        for route in list_resources("AWS::EC2::Route")
        if "NatGatewayId" in route["Properties"]
    ]
    assert len(set(through_nat)) == len(through_nat) == 3


def test_the_flow_log_contains_all_traffic() -> None:
    assert read_properties("AWS::EC2::FlowLog")["TrafficType"] == "ALL"


def test_each_key_is_rotated() -> None:
    keys = list_resources("AWS::KMS::Key")
    assert keys
    assert all(key["Properties"]["EnableKeyRotation"] is True for key in keys)


def test_the_trail_is_logging_with_validated_log_files() -> None:
    trail = read_properties("AWS::CloudTrail::Trail")
    assert trail["TrailName"] == "genai-demo-production-trail"
    assert trail["IsLogging"]
    assert trail["IsMultiRegionTrail"]
    assert trail["EnableLogFileValidation"]
    assert "KMSKeyId" in trail


def test_three_brokers_use_tls_authentication_and_a_customer_managed_key() -> None:
    cluster = read_properties("AWS::MSK::Cluster")
    assert cluster["NumberOfBrokerNodes"] == len(cluster["BrokerNodeGroupInfo"]["ClientSubnets"]) == 3
    assert cluster["EncryptionInfo"]["EncryptionInTransit"] == {"ClientBroker": "TLS", "InCluster": True}
    assert "Ref" in cluster["EncryptionInfo"]["EncryptionAtRest"]["DataVolumeKMSKeyId"]
    assert cluster["ClientAuthentication"]["Sasl"]["Iam"]["Enabled"] is True
    assert cluster["ClientAuthentication"]["Unauthenticated"]["Enabled"] is False


def test_the_brokers_run_a_kafka_version_that_the_topic_api_supports() -> None:
    major, minor = read_properties("AWS::MSK::Cluster")["KafkaVersion"].split(".")[:2]
    assert (int(major), int(minor)) >= (3, 7)


def test_the_brokers_configuration_is_attached() -> None:
    cluster, configuration = read_properties("AWS::MSK::Cluster"), read_properties("AWS::MSK::Configuration")
    assert cluster["ConfigurationInfo"]["Arn"] == {"Fn::GetAtt": ["Configuration", "Arn"]}
    assert configuration["KafkaVersionsList"] == [cluster["KafkaVersion"]]
    assert configuration["ServerProperties"].split() == [
        "auto.create.topics.enable=false",
        "default.replication.factor=3",
        "min.insync.replicas=2",
    ]


def test_the_database_is_encrypted_multi_az_backed_up_and_protected_from_deletion() -> None:
    database = read_properties("AWS::RDS::DBInstance")
    assert database["DBInstanceIdentifier"] == "genai-demo-production-db"
    assert database["StorageEncrypted"]
    assert database["MultiAZ"]
    assert database["DeletionProtection"]
    assert database["BackupRetentionPeriod"] >= 7
    assert database["PubliclyAccessible"] is False


def test_the_database_is_created_last_because_a_rollback_cannot_delete_it() -> None:
    assert read_template("RDSStack")["Resources"]["Database"]["DependsOn"] == ["Cache"]


def test_the_database_refuses_connections_without_tls() -> None:
    assert read_properties("AWS::RDS::DBParameterGroup")["Parameters"] == {"rds.force_ssl": "1"}
    assert read_properties("AWS::RDS::DBInstance")["DBParameterGroupName"] == {"Ref": "DatabaseParameters"}


def test_no_template_contains_the_password_of_the_database() -> None:
    reference = json.dumps(read_properties("AWS::RDS::DBInstance")["MasterUserPassword"])
    assert "{{resolve:secretsmanager:" in reference
    assert "SecretString" not in read_properties("AWS::SecretsManager::Secret")


def test_the_cache_is_encrypted_at_rest_and_in_transit_and_survives_the_loss_of_a_node() -> None:
    cache = read_properties("AWS::ElastiCache::ReplicationGroup")
    assert cache["AtRestEncryptionEnabled"]
    assert cache["TransitEncryptionEnabled"]
    assert cache["AutomaticFailoverEnabled"]
    assert cache["NumCacheClusters"] >= 2


def test_the_kubernetes_api_is_open_to_the_listed_networks_and_the_vpc() -> None:
    access = read_properties("AWS::EKS::Cluster")["ResourcesVpcConfig"]
    assert access["EndpointPrivateAccess"]
    assert access["PublicAccessCidrs"] == ["203.0.113.0/24"]


def test_the_worker_has_access_to_the_cluster_and_its_creator_has_none() -> None:
    access = read_properties("AWS::EKS::Cluster")["AccessConfig"]
    entry = read_properties("AWS::EKS::AccessEntry")
    assert access == {"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": False}
    assert json.dumps(entry["PrincipalArn"]).endswith(':role/genai-demo-production-worker"]]}')
    assert [policy["AccessScope"] for policy in entry["AccessPolicies"]] == [{"Type": "cluster"}]


def test_each_service_account_has_its_own_role() -> None:
    bound = [one["Properties"] for one in list_resources("AWS::EKS::PodIdentityAssociation")]
    accounts = {(one["Namespace"], one["ServiceAccount"]): one["RoleArn"]["Fn::GetAtt"][0] for one in bound}
    assert set(accounts) == {
        ("genai-demo-production", "genai-demo-service-account"),
        ("kube-system", "aws-load-balancer-controller"),
        ("argo-rollouts", "argo-rollouts"),
        ("amazon-cloudwatch", "cloudwatch-agent"),
    }
    assert len(set(accounts.values())) == len(accounts)


def test_pods_can_read_and_write_topics_and_cannot_create_or_delete_them() -> None:
    actions = {action for one in list_statements("AppRole") for action in as_list(one["Action"])}
    assert {"kafka-cluster:ReadData", "kafka-cluster:WriteData"} <= actions
    assert not [action for action in actions if "*" in action or "CreateTopic" in action or "DeleteTopic" in action]


def test_the_load_balancer_controller_changes_only_resources_with_its_tag() -> None:
    tag = "elbv2.k8s.aws/cluster"
    for statement in list_statements("LoadBalancerControllerRole"):
        is_change = any(
            action.endswith(("DeleteLoadBalancer", "CreateLoadBalancer")) for action in as_list(statement["Action"])
        )
        if is_change:
            assert tag in json.dumps(statement["Condition"])


def list_statements(role: str) -> list[dict[str, Any]]:
    """The statements of the policies of a role in EKSStack. role: its logical id without the hash at the end."""
    policies = [one["Properties"] for one in list_resources("AWS::IAM::Policy", "EKSStack")]
    (own,) = [one for one in policies if one["Roles"][0]["Ref"].startswith(role)]
    return own["PolicyDocument"]["Statement"]


def as_list(value: str | list[str]) -> list[str]:
    """The actions of a statement, also if it has one action without a list."""
    return [value] if isinstance(value, str) else value
