"""The routes of the application and their functions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import valkey

from sandbox.application import actuator
from sandbox.application.events import events_error
from sandbox.application.health import Health
from sandbox.application.meters import Meters
from sandbox.application.publisher import NotPublished, Publisher

PRODUCTS = (
    {"id": "p-100", "name": "Notebook", "price": "1299.00"},
    {"id": "p-200", "name": "Headphones", "price": "199.00"},
    {"id": "p-300", "name": "Keyboard", "price": "89.00"},
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: object
    content_type: str = "application/json"

    def encoded(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Call:
    """The request for a route function. rest: the last segment of the path."""

    rest: str = ""
    query: Mapping[str, list[str]] = field(default_factory=dict)
    body: bytes = b""


Handler = Callable[[Call], Answer]


class Application:
    """The functions of the routes."""

    def __init__(self, meters: Meters, health: Health, publisher: Publisher, cache: valkey.Valkey) -> None:
        self._meters, self._health, self._publisher, self._cache = meters, health, publisher, cache
        self._routes: dict[tuple[str, str], Handler] = {
            ("GET", "/actuator/health"): lambda _: Answer(*health.overall()),
            ("GET", "/actuator/health/liveness"): lambda _: Answer(*health.liveness()),
            ("GET", "/actuator/health/readiness"): lambda _: Answer(*health.readiness()),
            ("GET", "/actuator/health/{component}"): self.component,
            ("GET", "/actuator/metrics"): lambda _: Answer(200, actuator.metric_names(meters)),
            ("GET", "/actuator/metrics/{name}"): self.metric,
            ("GET", "/actuator/prometheus"): lambda _: Answer(200, actuator.prometheus(meters), "text/plain"),
            ("GET", "/api/products"): self.products,
            ("POST", "/api/analytics/events"): self.receive_events,
        }

    def find(self, method: str, target: str) -> tuple[str, Handler, Call]:
        """The route, its function and its call. For an unknown path or method, a function that returns 404 or 405."""
        url = urlsplit(target)
        parent, _, last = url.path.rpartition("/")
        candidates = (url.path, f"{parent}/{{component}}", f"{parent}/{{name}}")
        for path in candidates:
            if handler := self._routes.get((method, path)):
                return path, handler, Call(last, parse_qs(url.query))
        known = any(path in candidates for _, path in self._routes)
        return "/**", not_allowed if known else not_found, Call()

    def component(self, call: Call) -> Answer:
        found = self._health.component(call.rest)
        return Answer(*found) if found else not_found(call)

    def metric(self, call: Call) -> Answer:
        found = actuator.metric(self._meters, call.rest, call.query.get("tag", []))
        return Answer(200, found) if found else not_found(call)

    def products(self, _call: Call) -> Answer:
        """The products of the shop, and the number of page views."""
        views = self._cache.get("events:page_view") or 0
        return Answer(200, {"products": PRODUCTS, "pageViews": int(str(views))})

    def receive_events(self, call: Call) -> Answer:
        """Publish a list of events. The response is sent when the brokers have them."""
        try:
            events = json.loads(call.body)
        except ValueError:
            return problem(400, "the body is not JSON")
        if error := events_error(events):
            return problem(400, error)
        self._meters.count("observability.events.received", len(events))
        return self._publish(events)

    def _publish(self, events: list[dict[str, object]]) -> Answer:
        try:
            self._publisher.publish(events)
        except NotPublished as error:
            self._meters.count("observability.events.failed", len(events))
            return problem(503, f"not published: {error}")
        self._meters.count("observability.events.published", len(events))
        return Answer(200, {"accepted": len(events)})


def problem(status: int, detail: str) -> Answer:
    return Answer(status, {"status": status, "detail": detail}, "application/problem+json")


def not_found(_call: Call) -> Answer:
    return problem(404, "the path does not exist")


def not_allowed(_call: Call) -> Answer:
    return problem(405, "the path does not support this method")
