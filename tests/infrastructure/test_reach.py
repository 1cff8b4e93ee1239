"""The allowed connections, from the templates: only pods can connect to brokers, database and cache."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.infrastructure.assembly import list_resources, read_properties, read_stacks, read_template

ANYWHERE = "0.0.0.0/0"
SSM = "AWS::SSM::Parameter"


class Connection(NamedTuple):
    """An allowed connection. source, target: descriptions of security groups. ports: first and last."""

    source: str
    target: str
    ports: tuple[int, int]


def published_by(stack: str) -> dict[str, str]:
    """Name in Parameter Store -> logical id of the resource whose attribute is the value."""
    parameters = [r["Properties"] for r in read_template(stack)["Resources"].values() if r["Type"] == SSM]
    return {one["Name"]: origin(one["Value"]) for one in parameters if isinstance(one["Value"], dict)}


def origin(value: dict[str, Any]) -> str:
    return value["Fn::GetAtt"][0] if "Fn::GetAtt" in value else next(iter(value.values()))


def group_behind(stack: str, reference: dict[str, Any]) -> str:
    """The description of the security group in SecurityStack that a reference in any stack refers to."""
    name = origin(reference)
    parameters = read_template(stack).get("Parameters", {})
    if name in parameters:
        name = published_by("SecurityStack")[parameters[name]["Default"]]
    return read_template("SecurityStack")["Resources"][name]["Properties"]["GroupDescription"]


def list_connections() -> Iterator[Connection]:
    """The connections of all ingress rules, inside security groups and as separate resources."""
    for stack in read_stacks():
        for rule in (one["Properties"] for one in list_resources("AWS::EC2::SecurityGroupIngress", stack)):
            source, target = (group_behind(stack, rule[key]) for key in ("SourceSecurityGroupId", "GroupId"))
            yield Connection(source, target, (rule["FromPort"], rule["ToPort"]))
        for group in (one["Properties"] for one in list_resources("AWS::EC2::SecurityGroup", stack)):
            for rule in group.get("SecurityGroupIngress", []):
                yield Connection(
                    str(rule), group["GroupDescription"], (rule.get("FromPort", 0), rule.get("ToPort", 65535))
                )


def groups_of(stack: str, kind: str, *path: str) -> list[str]:
    """The security groups of a resource. path: to their list in its properties."""
    groups: Any = read_properties(kind)
    for key in path:
        groups = groups[key]
    return [group_behind(stack, reference) for reference in groups]


def test_only_pods_can_connect_to_brokers_database_and_cache_and_only_to_their_ports() -> None:
    pods = "genai-demo-production workload"
    brokers = groups_of("MSKStack", "AWS::MSK::Cluster", "BrokerNodeGroupInfo", "SecurityGroups")
    database = groups_of("RDSStack", "AWS::RDS::DBInstance", "VPCSecurityGroups")
    cache = groups_of("RDSStack", "AWS::ElastiCache::ReplicationGroup", "SecurityGroupIds")
    assert [len(groups) for groups in (brokers, database, cache)] == [1, 1, 1]
    assert set(list_connections()) == {
        Connection(pods, brokers[0], (9098, 9098)),
        Connection(pods, database[0], (5432, 5432)),
        Connection(pods, cache[0], (6379, 6379)),
    }


def test_brokers_database_and_cache_listen_on_the_allowed_ports() -> None:
    database, cache = read_properties("AWS::RDS::DBInstance"), read_properties("AWS::ElastiCache::ReplicationGroup")
    brokers = read_properties("AWS::MSK::Cluster")["ClientAuthentication"]
    # 5432 is the default of PostgreSQL. With these settings, MSK listens only on 9098, for IAM.
    assert database.get("Port", "5432") == "5432"
    assert cache["Port"] == 6379
    assert brokers == {"Sasl": {"Iam": {"Enabled": True}}, "Unauthenticated": {"Enabled": False}}


def test_the_nodes_have_the_workload_group() -> None:
    data = read_properties("AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    cluster, workload = data["SecurityGroupIds"]
    assert cluster["Fn::GetAtt"] == ["Cluster", "ClusterSecurityGroupId"]
    assert group_behind("EKSStack", workload) == "genai-demo-production workload"
    assert len(list_resources("AWS::EKS::Nodegroup")) == 1
    assert "LaunchTemplate" in read_properties("AWS::EKS::Nodegroup")


def test_brokers_database_and_cache_cannot_open_connections() -> None:
    """A security group without an egress rule allows all connections. CDK adds a rule for an unusable address."""
    for group in (one["Properties"] for one in list_resources("AWS::EC2::SecurityGroup")):
        networks = {rule["CidrIp"] for rule in group["SecurityGroupEgress"]}
        is_workload = group["GroupDescription"].endswith("workload")
        assert networks == ({ANYWHERE} if is_workload else {"255.255.255.255/32"})


def test_database_and_cache_are_in_subnets_without_a_route_to_the_internet() -> None:
    gateways = ("NatGatewayId", "GatewayId")
    routed = {
        origin(route["RouteTableId"])
        for route in (one["Properties"] for one in list_resources("AWS::EC2::Route"))
        if any(gateway in route for gateway in gateways)
    }
    tables = {
        origin(one["Properties"]["SubnetId"]): origin(one["Properties"]["RouteTableId"])
        for one in list_resources("AWS::EC2::SubnetRouteTableAssociation")
    }
    isolated = [subnet for path, subnet in published_by("NetworkStack").items() if "Isolated" in path]
    assert len(isolated) == 3
    assert not {tables[subnet] for subnet in isolated} & routed
    for kind in ("AWS::RDS::DBSubnetGroup", "AWS::ElastiCache::SubnetGroup"):
        names = [
            read_template("RDSStack")["Parameters"][origin(one)]["Default"]
            for one in read_properties(kind)["SubnetIds"]
        ]
        assert all("Isolated" in name for name in names)
        assert len(names) == 3
