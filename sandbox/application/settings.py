"""The settings of the application, from its environment variables: `env` in the pod template."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CONFIGURATION = "app/config/application.yml"
BEHAVIOURS = ("healthy", "errors", "few-errors", "slow", "crash-loop", "silent")


@dataclass(frozen=True)
class ApplicationSettings:
    """ca_bundle: file with the certificate authorities for TLS, as the trust store of Java. database_ca: the same for
    the database, which has its own authorities; None: no TLS to the database. broker_protocol: a value of Kafka's
    `security.protocol`.
    """

    host: str
    port: int
    pod: str
    project: str
    environment: str
    behaviour: str
    bootstrap_servers: str
    broker_protocol: str
    region: str
    database_host: str
    database_port: int
    database_name: str
    database_username: str
    database_password: str
    cache_host: str
    cache_port: int
    cache_tls: bool
    ca_bundle: str | None
    database_ca: str | None
    aws_endpoint: str | None
    metric_step_seconds: float

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Read the settings. SystemExit, which names the variables, if one is missing or wrong."""
        refuse_missing(variables)
        return cls(
            host=variables.get("POD_IP", "127.0.0.1"),
            port=int(variables.get("SERVER_PORT", "8080")),
            pod=variables.get("HOSTNAME", "unnamed"),
            project=variables.get("PROJECT", "genai-demo"),
            environment=variables.get("ENVIRONMENT", "production"),
            behaviour=read_behaviour(variables),
            bootstrap_servers=variables["MSK_BOOTSTRAP_SERVERS"],
            broker_protocol=variables.get("MSK_SECURITY_PROTOCOL", "SASL_SSL"),
            region=variables.get("AWS_REGION", "us-east-1"),
            database_host=variables["DB_HOST"],
            database_port=int(variables.get("DB_PORT", "5432")),
            database_name=variables.get("DB_NAME", "genai_demo"),
            database_username=variables.get("DB_USERNAME", "genai_demo"),
            database_password=variables["DB_PASSWORD"],
            cache_host=variables["REDIS_HOST"],
            cache_port=int(variables.get("REDIS_PORT", "6379")),
            cache_tls=variables.get("REDIS_TLS", "false").lower() == "true",
            ca_bundle=variables.get("SSL_CERT_FILE"),
            database_ca=read_database_ca(variables),
            aws_endpoint=variables.get("AWS_ENDPOINT_URL"),
            metric_step_seconds=float(variables.get("METRIC_STEP_SECONDS", "5")),
        )

    def topic(self, stream: str) -> str:
        return f"{self.project}.{self.environment}.observability.{stream}"


def refuse_missing(variables: Mapping[str, str]) -> None:
    if (profile := variables.get("SPRING_PROFILES_ACTIVE", "msk")) != "msk":
        raise SystemExit(f"SPRING_PROFILES_ACTIVE={profile} is unknown. The only profile is msk.")
    wanted = ("MSK_BOOTSTRAP_SERVERS", "DB_HOST", "DB_PASSWORD", "REDIS_HOST")
    if missing := [name for name in wanted if not variables.get(name)]:
        raise SystemExit(f"Not started. These environment variables are not set: {', '.join(missing)}.")


def read_behaviour(variables: Mapping[str, str]) -> str:
    behaviour = variables.get("BEHAVIOUR", "healthy")
    if behaviour not in BEHAVIOURS:
        raise SystemExit(f"BEHAVIOUR={behaviour} is unknown. The behaviours are {', '.join(BEHAVIOURS)}.")
    return behaviour


def read_database_ca(variables: Mapping[str, str]) -> str | None:
    """The file in `sslrootcert` of the mounted configuration. Without it, the file in SSL_CERT_FILE."""
    root = Path(variables.get("POD_ROOT", "/"))
    configuration = root / CONFIGURATION
    text = configuration.read_text() if configuration.is_file() else ""
    named = re.search(r"[?&]sslrootcert=/([^&\s]+)", text)
    return str(root / named[1]) if named else variables.get("SSL_CERT_FILE")
