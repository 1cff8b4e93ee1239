"""What the guide and its security checklist ask of the stacks."""

import json
from typing import Any

from tests.infrastructure.assembly import list_resources, read_properties, read_template


def test_three_zones_of_whatever_region_hold_three_subnets_each() -> None:
    zones = [subnet["Properties"]["AvailabilityZone"] for subnet in list_resources("AWS::EC2::Subnet")]
    assert sorted(zone["Fn::Select"][0] for zone in zones) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert {json.dumps(zone["Fn::Select"][1]) for zone in zones} == {'{"Fn::GetAZs": ""}'}


def test_private_subnets_reach_the_internet_through_a_gateway_of_their_zone() -> None:
    through_nat = [
        route["Properties"]["NatGatewayId"]["Ref"]
        for route in list_resources("AWS::EC2::Route")
        if "NatGatewayId" in route["Properties"]
    ]
    assert len(set(through_nat)) == len(through_nat) == 3


def test_all_traffic_is_logged() -> None:
    assert read_properties("AWS::EC2::FlowLog")["TrafficType"] == "ALL"


def test_every_key_is_rotated() -> None:
    keys = list_resources("AWS::KMS::Key")
    assert keys
    assert all(key["Properties"]["EnableKeyRotation"] is True for key in keys)


def test_the_trail_records_and_can_be_proved_unchanged() -> None:
    trail = read_properties("AWS::CloudTrail::Trail")
    assert trail["TrailName"] == "genai-demo-production-trail"
    assert trail["IsLogging"]
    assert trail["IsMultiRegionTrail"]
    assert trail["EnableLogFileValidation"]
    assert "KMSKeyId" in trail


def test_three_brokers_speak_tls_know_their_clients_and_use_our_key() -> None:
    cluster = read_properties("AWS::MSK::Cluster")
    assert cluster["NumberOfBrokerNodes"] == len(cluster["BrokerNodeGroupInfo"]["ClientSubnets"]) == 3
    assert cluster["EncryptionInfo"]["EncryptionInTransit"] == {"ClientBroker": "TLS", "InCluster": True}
    assert "Ref" in cluster["EncryptionInfo"]["EncryptionAtRest"]["DataVolumeKMSKeyId"]
    assert cluster["ClientAuthentication"]["Sasl"]["Iam"]["Enabled"] is True
    assert cluster["ClientAuthentication"]["Unauthenticated"]["Enabled"] is False


def test_the_brokers_run_a_kafka_that_the_topic_api_knows() -> None:
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


def test_the_database_is_encrypted_doubled_backed_up_and_hard_to_delete() -> None:
    database = read_properties("AWS::RDS::DBInstance")
    assert database["DBInstanceIdentifier"] == "genai-demo-production-db"
    assert database["StorageEncrypted"]
    assert database["MultiAZ"]
    assert database["DeletionProtection"]
    assert database["BackupRetentionPeriod"] >= 7
    assert database["PubliclyAccessible"] is False


def test_the_database_is_made_last_since_a_rollback_cannot_delete_it() -> None:
    assert read_template("RDSStack")["Resources"]["Database"]["DependsOn"] == ["Cache"]


def test_the_database_refuses_connections_without_tls() -> None:
    assert read_properties("AWS::RDS::DBParameterGroup")["Parameters"] == {"rds.force_ssl": "1"}
    assert read_properties("AWS::RDS::DBInstance")["DBParameterGroupName"] == {"Ref": "DatabaseParameters"}


def test_no_template_holds_the_databases_password() -> None:
    reference = json.dumps(read_properties("AWS::RDS::DBInstance")["MasterUserPassword"])
    assert "{{resolve:secretsmanager:" in reference
    assert "SecretString" not in read_properties("AWS::SecretsManager::Secret")


def test_the_cache_is_encrypted_both_ways_and_survives_a_node() -> None:
    cache = read_properties("AWS::ElastiCache::ReplicationGroup")
    assert cache["AtRestEncryptionEnabled"]
    assert cache["TransitEncryptionEnabled"]
    assert cache["AutomaticFailoverEnabled"]
    assert cache["NumCacheClusters"] >= 2


def test_the_kubernetes_api_answers_the_listed_networks_and_the_vpc() -> None:
    access = read_properties("AWS::EKS::Cluster")["ResourcesVpcConfig"]
    assert access["EndpointPrivateAccess"]
    assert access["PublicAccessCidrs"] == ["203.0.113.0/24"]


def test_the_worker_is_let_into_the_cluster_and_who_creates_it_is_not() -> None:
    access = read_properties("AWS::EKS::Cluster")["AccessConfig"]
    entry = read_properties("AWS::EKS::AccessEntry")
    assert access == {"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": False}
    assert json.dumps(entry["PrincipalArn"]).endswith(':role/genai-demo-production-worker"]]}')
    assert [policy["AccessScope"] for policy in entry["AccessPolicies"]] == [{"Type": "cluster"}]


def test_each_service_account_has_a_role_of_its_own() -> None:
    bound = [one["Properties"] for one in list_resources("AWS::EKS::PodIdentityAssociation")]
    accounts = {(one["Namespace"], one["ServiceAccount"]): one["RoleArn"]["Fn::GetAtt"][0] for one in bound}
    assert set(accounts) == {
        ("genai-demo-production", "genai-demo-service-account"),
        ("kube-system", "aws-load-balancer-controller"),
        ("argo-rollouts", "argo-rollouts"),
        ("amazon-cloudwatch", "cloudwatch-agent"),
    }
    assert len(set(accounts.values())) == len(accounts)


def test_pods_read_and_write_topics_but_neither_create_nor_delete_any() -> None:
    actions = {action for one in list_statements("AppRole") for action in as_list(one["Action"])}
    assert {"kafka-cluster:ReadData", "kafka-cluster:WriteData"} <= actions
    assert not [action for action in actions if "*" in action or "CreateTopic" in action or "DeleteTopic" in action]


def test_the_load_balancer_controller_changes_only_what_bears_its_mark() -> None:
    mark = "elbv2.k8s.aws/cluster"
    for statement in list_statements("LoadBalancerControllerRole"):
        is_change = any(
            action.endswith(("DeleteLoadBalancer", "CreateLoadBalancer")) for action in as_list(statement["Action"])
        )
        if is_change:
            assert mark in json.dumps(statement["Condition"])


def list_statements(role: str) -> list[dict[str, Any]]:
    """What the policies attached to a role of EKSStack say; a role's logical id ends in a hash."""
    policies = [one["Properties"] for one in list_resources("AWS::IAM::Policy", "EKSStack")]
    (own,) = [one for one in policies if one["Roles"][0]["Ref"].startswith(role)]
    return own["PolicyDocument"]["Statement"]


def as_list(value: str | list[str]) -> list[str]:
    """A policy's action or actions."""
    return [value] if isinstance(value, str) else value
