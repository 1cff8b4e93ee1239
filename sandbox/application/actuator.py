"""The metrics endpoints of the actuator, in the formats of Spring Boot and Prometheus."""

from sandbox.application.meters import Meters, Request, Timer, add_up

REQUESTS = "http.server.requests"


def metric_names(meters: Meters) -> dict[str, object]:
    return {"names": sorted([*meters.counters(), REQUESTS, "process.uptime"])}


def metric(meters: Meters, name: str, tags: list[str]) -> dict[str, object] | None:
    """One meter. Tags such as `status:200` filter the requests. None if the meter does not exist."""
    if name == REQUESTS:
        return request_metric(meters, tags)
    values = {**meters.counters(), "process.uptime": meters.uptime_seconds()}
    if name not in values:
        return None
    return {"name": name, "measurements": [{"statistic": "COUNT", "value": values[name]}], "availableTags": []}


def request_metric(meters: Meters, tags: list[str]) -> dict[str, object]:
    chosen = {request: timer for request, timer in meters.requests().items() if has_tags(request, tags)}
    total = add_up(list(chosen.values()))
    return {
        "name": REQUESTS,
        "baseUnit": "seconds",
        "measurements": [
            {"statistic": "COUNT", "value": total.count},
            {"statistic": "TOTAL_TIME", "value": total.total_seconds},
            {"statistic": "MAX", "value": total.max_seconds},
        ],
        "availableTags": [
            {"tag": tag, "values": sorted({str(getattr(request, tag)) for request in chosen})}
            for tag in ("method", "uri", "status")
        ],
    }


def has_tags(request: Request, tags: list[str]) -> bool:
    wanted = (tag.partition(":") for tag in tags)
    return all(str(getattr(request, name, None)) == value for name, _, value in wanted)


def prometheus(meters: Meters) -> str:
    counters = [
        f"{name.replace('.', '_').replace('-', '_')}_total {value}" for name, value in sorted(meters.counters().items())
    ]
    requests = [line for request, timer in meters.requests().items() for line in prometheus_timer(request, timer)]
    return "\n".join([*counters, *requests, f"process_uptime_seconds {meters.uptime_seconds():.3f}", ""])


def prometheus_timer(request: Request, timer: Timer) -> list[str]:
    labels = f'{{method="{request.method}",uri="{request.uri}",status="{request.status}"}}'
    return [
        f"http_server_requests_seconds_count{labels} {timer.count}",
        f"http_server_requests_seconds_sum{labels} {timer.total_seconds:.6f}",
        f"http_server_requests_seconds_max{labels} {timer.max_seconds:.6f}",
    ]
