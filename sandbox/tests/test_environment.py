import subprocess
import tomllib

from sandbox.environment import parts_environment
from sandbox.instance import Sandbox


def test_environment_toml_resolves_the_site_to_the_load_balancer(sandbox: Sandbox) -> None:
    content = tomllib.loads((sandbox.state / "environment.toml").read_text())
    assert content["resolve"]["api.genai-demo.com:443"] == sandbox.addresses.load_balancer
    assert content["tls"]["ca_bundle"] == str(sandbox.state / "ca" / "ca.pem")
    assert content["aws"]["account_id"] == sandbox.settings.account_id


def test_env_sh_sets_the_addresses_of_the_sandbox(sandbox: Sandbox) -> None:
    script = f"source {sandbox.state / 'env.sh'} && echo $AWS_ENDPOINT_URL $KUBECONFIG $PREFECT_API_URL"
    printed = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert printed == [sandbox.addresses.aws, str(sandbox.state / "kubeconfig"), sandbox.addresses.prefect]


def test_parts_inherit_the_folder_of_the_cache_and_no_setting_of_slipway() -> None:
    inherited = parts_environment({"SLIPWAY_CACHE": "/var/cache/slipway", "SLIPWAY_STATE__URL": "s3://work"})
    assert inherited["SLIPWAY_CACHE"] == "/var/cache/slipway"
    assert "SLIPWAY_STATE__URL" not in inherited


def test_parts_inherit_no_aws_profile_and_no_proxy() -> None:
    inherited = parts_environment({"AWS_PROFILE": "work", "HTTP_PROXY": "http://proxy", "PATH": "/bin"})
    assert "AWS_PROFILE" not in inherited
    assert inherited["NO_PROXY"] == "*"
    assert inherited["PATH"] == "/bin"
