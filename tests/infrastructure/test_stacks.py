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


def test_the_workload_reaches_brokers_database_and_cache_on_their_port_alone() -> None:
    rules = [rule["Properties"] for rule in list_resources("AWS::EC2::SecurityGroupIngress")]
    assert sorted((rule["FromPort"], rule["ToPort"]) for rule in rules) == [(5432, 5432), (6379, 6379), (9098, 9098)]
    assert {name_group(rule["SourceSecurityGroupId"]) for rule in rules} == {"genai-demo-production workload"}


def test_no_group_admits_an_address() -> None:
    groups = list_resources("AWS::EC2::SecurityGroup")
    assert not [group for group in groups if "SecurityGroupIngress" in group["Properties"]]


def test_nodes_carry_the_workload_group_and_the_clusters_own() -> None:
    template = read_properties("AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    cluster, workload = template["SecurityGroupIds"]
    assert cluster["Fn::GetAtt"][1] == "ClusterSecurityGroupId"
    default = read_template("EKSStack")["Parameters"][workload["Ref"]]["Default"]
    assert default == "/genai-demo/production/WorkloadSecurityGroupId"
    assert "LaunchTemplate" in read_properties("AWS::EKS::Nodegroup")


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


def test_the_applications_service_account_has_a_role() -> None:
    identity = read_properties("AWS::EKS::PodIdentityAssociation")
    assert (identity["Namespace"], identity["ServiceAccount"]) == (
        "genai-demo-production",
        "genai-demo-service-account",
    )


def test_pods_read_and_write_topics_but_neither_create_nor_delete_any() -> None:
    (policy,) = list_resources("AWS::IAM::Policy", "EKSStack")
    actions = {
        action for one in policy["Properties"]["PolicyDocument"]["Statement"] for action in as_list(one["Action"])
    }
    assert {"kafka-cluster:ReadData", "kafka-cluster:WriteData"} <= actions
    assert not [action for action in actions if "*" in action or "CreateTopic" in action or "DeleteTopic" in action]


def as_list(value: str | list[str]) -> list[str]:
    """A policy's action or actions."""
    return [value] if isinstance(value, str) else value


def name_group(reference: dict[str, Any]) -> str:
    """The description of the security group that a reference points to."""
    group = read_template("SecurityStack")["Resources"][reference["Fn::GetAtt"][0]]
    return group["Properties"]["GroupDescription"]
