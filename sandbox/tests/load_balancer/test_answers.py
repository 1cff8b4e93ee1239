from sandbox.load_balancer.answers import fixed_response, own_answer, redirect
from sandbox.load_balancer.headers import find
from sandbox.load_balancer.rules import RoutedRequest

REQUEST = RoutedRequest("GET", "api.genai-demo.com", "/api/products?page=2")


def test_a_redirect_to_https_keeps_host_path_and_query() -> None:
    action = {"RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    answer = redirect(action, REQUEST, "HTTP", 80)
    assert answer.status == 301
    assert find(answer.headers, b"location") == b"https://api.genai-demo.com/api/products?page=2"


def test_a_redirect_to_another_port_names_it() -> None:
    action = {"RedirectConfig": {"Port": "8443", "Path": "/new/#{path}", "Query": "", "StatusCode": "HTTP_302"}}
    answer = redirect(action, REQUEST, "HTTPS", 443)
    assert find(answer.headers, b"location") == b"https://api.genai-demo.com:8443/new/api/products"


def test_a_fixed_response_is_that_of_the_action() -> None:
    answer = fixed_response({"FixedResponseConfig": {"StatusCode": "404", "MessageBody": "none"}})
    assert (answer.status, answer.body) == (404, b"none")


def test_the_error_for_no_target_is_that_of_aws() -> None:
    assert b"<h1>503 Service Temporarily Unavailable</h1>" in own_answer(503).body
