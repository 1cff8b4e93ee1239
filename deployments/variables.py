"""Which of the installer's environment variables each run gets."""

from collections.abc import Mapping
from dataclasses import dataclass

# Prefect's minimum. The automation that detects missing heartbeats relies on it.
HEARTBEAT_SECONDS = 30
PREFIXES = ("SLIPWAY_", "AWS_")
NAMES = ("KUBECONFIG", "NO_PROXY", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "SSL_CERT_FILE")
SECRETS = ("SLIPWAY_NOTICES__WEBHOOK_URL", "HTTP_PROXY", "HTTPS_PROXY")
SECRET_WORDS = ("TOKEN", "SECRET", "KEY", "PASSWORD")
# Specific to the machine of the worker, which may be another one.
OF_THIS_MACHINE = ("SLIPWAY_CACHE",)
# They expire within hours; a work pool does not.
TEMPORARY = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
OF_TEMPORARY = (*TEMPORARY, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True)
class RunVariables:
    """plain: shown in the Prefect UI. secret: stored in Secret blocks. left_out: names that a run has to get from its
    worker.
    """

    plain: dict[str, str]
    secret: dict[str, str]
    left_out: tuple[str, ...]


def choose_variables(environ: Mapping[str, str]) -> RunVariables:
    """The variables that a run needs, of those that `slipway install` was called with."""
    is_temporary = any(name in environ for name in TEMPORARY)
    left_out = tuple(name for name in OF_TEMPORARY if name in environ) if is_temporary else ()
    chosen = {name: value for name, value in sorted(environ.items()) if is_wanted(name) and name not in left_out}
    plain = {name: value for name, value in chosen.items() if not is_secret(name)}
    plain["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] = str(HEARTBEAT_SECONDS)
    secret = {name: value for name, value in chosen.items() if is_secret(name)}
    return RunVariables(plain, secret, left_out)


def is_wanted(name: str) -> bool:
    return (name.startswith(PREFIXES) or name in NAMES) and name not in OF_THIS_MACHINE


def is_secret(name: str) -> bool:
    """By its name, since AWS's clients read more variables than are known here."""
    return name in SECRETS or any(word in name.upper() for word in SECRET_WORDS)
