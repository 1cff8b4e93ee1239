"""A database instance in a template becomes a database in PostgreSQL."""

import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sandbox.aws.cloud import Cloud
from sandbox.programs.postgres import as_unprivileged_user, create_database_cluster, server
from sandbox.tests.aws.conftest import AwsClient
from sandbox.tests.aws.stacks import deployed, finished, one, outputs


@pytest.fixture(scope="module")
def database(cloud: Cloud) -> Iterator[str]:
    """The PostgreSQL of the sandbox, at the address that the imitated AWS uses."""
    data = cloud.state / "postgres"
    create_database_cluster(data)
    process = subprocess.Popen(
        [*as_unprivileged_user(), *server(data, cloud.addresses.postgres)], stderr=subprocess.DEVNULL
    )
    yield cloud.addresses.postgres
    process.kill()
    process.wait()


def instance(name: str, secret: str, **properties: Any) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": "db.r6g.large",
        "Engine": "postgres",
        "EngineVersion": "16.4",
        "AllocatedStorage": "100",
        "DBName": name,
        "MasterUsername": f"{name}_admin",
        "MasterUserPassword": f"{{{{resolve:secretsmanager:{secret}:SecretString:password}}}}",
        **properties,
    }


def test_the_master_user_can_connect_to_the_database_of_an_instance(
    cfn: Any, aws: AwsClient, cloud: Cloud, database: str, name: str
) -> None:
    aws("secretsmanager").create_secret(Name=name, SecretString='{"password": "pass\'word"}')
    template = one("AWS::RDS::DBInstance", instance(name, name), "Endpoint.Address", "Endpoint.Port")
    values = outputs(deployed(cfn, name, template))
    assert f"{values['EndpointAddress']}:{values['EndpointPort']}" == cloud.addresses.postgres_tls
    host, port = database.split(":")
    with psycopg.connect(
        host=host, port=int(port), user=f"{name}_admin", password="pass'word", dbname=name
    ) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (f"{name}_admin",)


def test_an_update_of_a_database_instance_is_read_back(cfn: Any, aws: AwsClient, database: str, name: str) -> None:
    aws("secretsmanager").create_secret(Name=name, SecretString='{"password": "x"}')
    deployed(cfn, name, one("AWS::RDS::DBInstance", instance(name, name, BackupRetentionPeriod=14)))
    wanted = instance(name, name, BackupRetentionPeriod=30, DeletionProtection=True, MultiAZ=True)
    deployed(cfn, name, one("AWS::RDS::DBInstance", wanted), "UPDATE")
    found = aws("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    read = (found["DBInstanceStatus"], found["BackupRetentionPeriod"], found["DeletionProtection"], found["MultiAZ"])
    assert read == ("available", 30, True, True)


def test_a_protected_database_instance_prevents_the_deletion_of_its_stack(
    cfn: Any, aws: AwsClient, database: str, name: str
) -> None:
    aws("secretsmanager").create_secret(Name=name, SecretString='{"password": "x"}')
    deployed(cfn, name, one("AWS::RDS::DBInstance", instance(name, name, DeletionProtection=True)))
    cfn.delete_stack(StackName=name)
    assert finished(cfn, name)["StackStatus"] == "DELETE_FAILED"
