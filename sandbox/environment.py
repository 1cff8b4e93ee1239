"""The files for the user of a sandbox: `env.sh` to source, and `environment.toml` with addresses and the CA."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from sandbox.addresses import Addresses
from sandbox.kafka.jars import CACHE_VARIABLE
from sandbox.settings import SECRET_ACCESS_KEY, SandboxSettings

CHECKOUT = Path(__file__).parents[1]
SITE = ("api.genai-demo.com", "genai-demo.com", "www.genai-demo.com")
DIRECT = "127.0.0.1,localhost"

ENVIRONMENT_TOML = """\
# The addresses of this sandbox. They are valid until the sandbox stops.
[aws]
account_id = "{account_id}"

[state]
url = "file://{state}/store"

[application]
database_ca = "{state}/ca/ca.pem"

[tls]
ca_bundle = "{state}/ca/ca.pem"

[resolve]
{resolve}
"""


def write_environment(state: Path, addresses: Addresses, settings: SandboxSettings) -> None:
    (state / "store").mkdir(exist_ok=True)
    (state / "environment.toml").write_text(render_environment_toml(state, addresses, settings))
    lines = (f"export {name}={shlex.quote(value)}" for name, value in variables(state, addresses, settings).items())
    (state / "env.sh").write_text("unset AWS_PROFILE AWS_SESSION_TOKEN\n" + "\n".join(lines) + "\n")


def render_environment_toml(state: Path, addresses: Addresses, settings: SandboxSettings) -> str:
    resolve = "\n".join(f'"{host}:443" = "{addresses.load_balancer}"' for host in SITE)
    return ENVIRONMENT_TOML.format(state=state, account_id=settings.account_id, resolve=resolve)


def variables(state: Path, addresses: Addresses, settings: SandboxSettings) -> dict[str, str]:
    """The environment variables with which the clients of AWS, Kubernetes and Prefect use this sandbox."""
    return {
        "AWS_ENDPOINT_URL": addresses.aws,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ACCESS_KEY_ID": "operator",
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "KUBECONFIG": str(state / "kubeconfig"),
        "PREFECT_API_URL": addresses.prefect,
        "PREFECT_HOME": str(state / "prefect"),
        "SLIPWAY_OVERLAYS": f"{CHECKOUT / 'environments' / 'sandbox.toml'}:{state / 'environment.toml'}",
        "NO_PROXY": DIRECT,
        "no_proxy": DIRECT,
    }


def parts_environment(own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of the parts: that of this process, without variables that select another cloud or a proxy."""
    foreign = {name for name in own if name.startswith(("AWS_", "SLIPWAY_", "PREFECT_"))} - {CACHE_VARIABLE}
    kept = {name: value for name, value in own.items() if name not in foreign}
    # Parts and pods start often. Without byte code, each start would compile everything that it imports.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {"NO_PROXY": "*", "no_proxy": "*", "AWS_EC2_METADATA_DISABLED": "true"}
