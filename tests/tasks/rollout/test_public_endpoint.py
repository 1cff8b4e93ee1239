"""Each route to the backend in the Ingress of production, for browsers and for the API, uses the same weight."""

from collections import Counter
from pathlib import Path

import httpx
import pytest
import yaml

from delivery.rollout.manifests import Route, parse_manifests, parse_rollout_spec
from sandbox.testing import PATIENCE, eventually
from tests.environments import CHECKOUT
from tests.shop import Shop
from tests.tasks.canaries import install, reach_first_pause

pytestmark = pytest.mark.proof

PRODUCTION = CHECKOUT / "infrastructure" / "k8s" / "production"
SITE = "genai-demo.com"
STABLE, CANARY = 200, 202
REQUESTS = 200
# Five standard deviations of 200 requests at 30 %.
TOLERANCE = 33
# Answers all requests, except health checks, with the status of its revision.
SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else int(os.environ["STATUS"]))
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((os.environ["POD_IP"], 8000), Handler).serve_forever()
"""


def production_routes() -> tuple[Route, ...]:
    parsed = parse_manifests({path.name: path.read_text() for path in PRODUCTION.glob("*.yaml")})
    return parse_rollout_spec(manifest for manifests in parsed.values() for manifest in manifests).routes


def open_routes(shop: Shop, routes: tuple[Route, ...]) -> None:
    """Give the shop's Ingress the rules of production, with hosts of the shop."""
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    ingress = next(manifest for manifest in manifests if manifest["kind"] == "Ingress")
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    ingress["spec"]["rules"] = [
        {
            "host": host_in(shop, route),
            "http": {"paths": [{"path": route.path, "pathType": "Prefix", "backend": backend}]},
        }
        for route in routes
    ]
    path.write_text(yaml.safe_dump_all(manifests))


def host_in(shop: Shop, route: Route) -> str:
    return route.host.replace(SITE, shop.host)


def count_revisions(shop: Shop, route: Route, requests: int) -> Counter[int]:
    """Status -> number of requests that this revision answered, of requests to this route."""
    url = f"https://{shop.sandbox.addresses.load_balancer}{route.path}/work"
    with httpx.Client(verify=False, headers={"Host": host_in(shop, route)}, timeout=PATIENCE) as http:  # noqa: S501
        return Counter(http.get(url).status_code for _ in range(requests))


def test_each_host_and_path_for_browsers_and_the_api_uses_the_weight(shop: Shop) -> None:
    routes = production_routes()
    assert {route.host for route in routes} == {f"api.{SITE}", SITE, f"www.{SITE}"}
    open_routes(shop, routes)
    install(shop, shop.push("a", status=STABLE, program=SERVER))
    with shop.release(shop.push("b", status=CANARY, program=SERVER)) as context:
        _, canary = reach_first_pause(shop, context)
        # The load balancer uses a new weight a moment after elbv2 has returned it.
        eventually(lambda: count_revisions(shop, routes[0], 20)[CANARY] > 1)
        counted = {route: count_revisions(shop, route, REQUESTS) for route in routes}
    wanted = pytest.approx(REQUESTS * canary.steps[0].weight_percent / 100, abs=TOLERANCE)
    for route, counts in counted.items():
        assert counts[CANARY] == wanted, route
        assert counts[STABLE] + counts[CANARY] == REQUESTS, route
