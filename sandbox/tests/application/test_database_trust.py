"""The certificate of the database is verified only with the authorities in the mounted configuration of the pod."""

import shutil
from pathlib import Path

import psycopg
import pytest

from sandbox.application.settings import CONFIGURATION, ApplicationSettings
from sandbox.application.storage import Database
from sandbox.certificates import write_certificates
from sandbox.instance import Sandbox
from sandbox.tests.application.process import variables

CONFIGURATION_FILE = """
spring:
  datasource:
    url: jdbc:postgresql://${DB_HOST}:${DB_PORT}/${DB_NAME}?sslmode=verify-full&sslrootcert=/app/config/database-ca.pem
"""


def pod(sandbox: Sandbox, root: Path, authorities: Path) -> Database:
    """The database as the application in a pod opens it, with its volume in `root`. Its role does not exist."""
    mounted = root / CONFIGURATION
    mounted.parent.mkdir(parents=True)
    mounted.write_text(CONFIGURATION_FILE)
    shutil.copy(authorities, mounted.with_name("database-ca.pem"))
    own = {"POD_ROOT": str(root), "DB_USERNAME": "unknown"}
    return Database(ApplicationSettings.read(variables(sandbox, "127.0.0.1") | own))


@pytest.fixture(autouse=True)
def database(sandbox: Sandbox) -> None:
    sandbox.require("postgres", "nginx")


def test_a_certificate_of_the_mounted_authorities_is_accepted(sandbox: Sandbox, tmp_path: Path) -> None:
    database = pod(sandbox, tmp_path, sandbox.state / "ca" / "ca.pem")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        database.ping()


def test_a_certificate_of_other_authorities_is_rejected_even_if_the_machine_trusts_them(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    write_certificates(tmp_path)
    database = pod(sandbox, tmp_path / "pod", tmp_path / "ca" / "ca.pem")
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        database.ping()
