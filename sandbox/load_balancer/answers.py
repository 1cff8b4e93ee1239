"""The responses of the load balancer itself: errors, redirects and fixed responses."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from sandbox.load_balancer.configuration import Document
from sandbox.load_balancer.headers import Headers
from sandbox.load_balancer.rules import RoutedRequest


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes


def own_answer(status: int) -> Answer:
    """An error page of AWS: `<h1>503 Service Temporarily Unavailable</h1>`."""
    phrase = "Service Temporarily Unavailable" if status == 503 else HTTPStatus(status).phrase
    text = f"<html><head><title>{status} {phrase}</title></head><body><h1>{status} {phrase}</h1></body></html>\r\n"
    return Answer(status, [(b"content-type", b"text/html"), (b"server", b"awselb/2.0")], text.encode())


def redirect(action: Document, request: RoutedRequest, protocol: str, port: int) -> Answer:
    """The redirect of an action, with its `#{…}` replaced from the request."""
    config = action["RedirectConfig"]
    url = urlsplit(request.target)
    known = {"protocol": protocol, "host": request.host, "port": str(port), "path": url.path[1:], "query": url.query}
    scheme = filled(config.get("Protocol", "#{protocol}"), known).lower()
    host, path = filled(config.get("Host", "#{host}"), known), filled(config.get("Path", "/#{path}"), known)
    query = filled(config.get("Query", "#{query}"), known)
    number = filled(config.get("Port", "#{port}"), known)
    suffix = "" if (scheme, number) in (("https", "443"), ("http", "80")) else f":{number}"
    location = f"{scheme}://{host}{suffix}{path}{'?' + query if query else ''}"
    status = int(config["StatusCode"].removeprefix("HTTP_"))
    return Answer(status, [(b"location", location.encode()), (b"server", b"awselb/2.0")], b"")


def filled(template: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        template = template.replace(f"#{{{name}}}", value)
    return template


def fixed_response(action: Document) -> Answer:
    config = action["FixedResponseConfig"]
    content_type = config.get("ContentType") or "text/plain"
    body = (config.get("MessageBody") or "").encode()
    return Answer(int(config["StatusCode"]), [(b"content-type", content_type.encode())], body)
