"""Who reaches whom on the network, derived from the templates: pods reach the data systems, nothing else does."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.infrastructure.assembly import list_resources, read_properties, read_stacks, read_template

ANYWHERE = "0.0.0.0/0"
SSM = "AWS::SSM::Parameter"


class Way(NamedTuple):
    """Who may open a connection to whom, on which ports."""

    source: str
    target: str
    ports: tuple[int, int]


def published_by(stack: str) -> dict[str, str]:
    """Parameter path -> the logical id of what its value is of."""
    parameters = [r["Properties"] for r in read_template(stack)["Resources"].values() if r["Type"] == SSM]
    return {one["Name"]: origin(one["Value"]) for one in parameters if isinstance(one["Value"], dict)}


def origin(value: dict[str, Any]) -> str:
    return value["Fn::GetAtt"][0] if "Fn::GetAtt" in value else next(iter(value.values()))


def group_behind(stack: str, reference: dict[str, Any]) -> str:
    """The description of the security group of SecurityStack that a reference in any stack leads to."""
    name = origin(reference)
    parameters = read_template(stack).get("Parameters", {})
    if name in parameters:
        name = published_by("SecurityStack")[parameters[name]["Default"]]
    return read_template("SecurityStack")["Resources"][name]["Properties"]["GroupDescription"]


def list_ways() -> Iterator[Way]:
    """Every rule that lets somebody in, written beside a group or apart from it."""
    for stack in read_stacks():
        for rule in (one["Properties"] for one in list_resources("AWS::EC2::SecurityGroupIngress", stack)):
            source, target = (group_behind(stack, rule[key]) for key in ("SourceSecurityGroupId", "GroupId"))
            yield Way(source, target, (rule["FromPort"], rule["ToPort"]))
        for group in (one["Properties"] for one in list_resources("AWS::EC2::SecurityGroup", stack)):
            for rule in group.get("SecurityGroupIngress", []):
                yield Way(str(rule), group["GroupDescription"], (rule.get("FromPort", 0), rule.get("ToPort", 65535)))


def carried_groups(stack: str, kind: str, *path: str) -> list[str]:
    """The groups that a resource carries; path: where its properties name them."""
    groups: Any = read_properties(kind)
    for key in path:
        groups = groups[key]
    return [group_behind(stack, reference) for reference in groups]


def test_pods_reach_brokers_database_and_cache_on_their_ports_and_nothing_else_does() -> None:
    pods = "genai-demo-production workload"
    brokers = carried_groups("MSKStack", "AWS::MSK::Cluster", "BrokerNodeGroupInfo", "SecurityGroups")
    database = carried_groups("RDSStack", "AWS::RDS::DBInstance", "VPCSecurityGroups")
    cache = carried_groups("RDSStack", "AWS::ElastiCache::ReplicationGroup", "SecurityGroupIds")
    assert [len(groups) for groups in (brokers, database, cache)] == [1, 1, 1]
    assert set(list_ways()) == {
        Way(pods, brokers[0], (9098, 9098)),
        Way(pods, database[0], (5432, 5432)),
        Way(pods, cache[0], (6379, 6379)),
    }


def test_each_data_system_listens_where_it_is_reached() -> None:
    database, cache = read_properties("AWS::RDS::DBInstance"), read_properties("AWS::ElastiCache::ReplicationGroup")
    brokers = read_properties("AWS::MSK::Cluster")["ClientAuthentication"]
    # PostgreSQL's own port, unless told; MSK listens on 9098 for IAM and on nothing else with these settings.
    assert database.get("Port", "5432") == "5432"
    assert cache["Port"] == 6379
    assert brokers == {"Sasl": {"Iam": {"Enabled": True}}, "Unauthenticated": {"Enabled": False}}


def test_the_nodes_that_pods_run_on_carry_the_workload_group() -> None:
    data = read_properties("AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    cluster, workload = data["SecurityGroupIds"]
    assert cluster["Fn::GetAtt"] == ["Cluster", "ClusterSecurityGroupId"]
    assert group_behind("EKSStack", workload) == "genai-demo-production workload"
    assert len(list_resources("AWS::EKS::Nodegroup")) == 1
    assert "LaunchTemplate" in read_properties("AWS::EKS::Nodegroup")


def test_no_data_system_has_a_way_out() -> None:
    """A group without a rule of its own lets everything out; CDK writes one that leads nowhere instead."""
    for group in (one["Properties"] for one in list_resources("AWS::EC2::SecurityGroup")):
        ways = {rule["CidrIp"] for rule in group["SecurityGroupEgress"]}
        is_workload = group["GroupDescription"].endswith("workload")
        assert ways == ({ANYWHERE} if is_workload else {"255.255.255.255/32"})


def test_data_stands_in_subnets_without_a_way_to_the_internet() -> None:
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
