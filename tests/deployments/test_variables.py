import pytest

from deployments.variables import choose_variables


def test_a_run_gets_settings_and_endpoints_and_nothing_else_of_the_installers_environment() -> None:
    chosen = choose_variables({"SLIPWAY_OVERLAYS": "a.toml", "AWS_ENDPOINT_URL": "http://aws", "HOME": "/root"})
    assert chosen.plain == {
        "SLIPWAY_OVERLAYS": "a.toml",
        "AWS_ENDPOINT_URL": "http://aws",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    }


def test_secrets_are_not_among_what_prefect_shows() -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": "s", "AWS_ACCESS_KEY_ID": "i", "SLIPWAY_NOTICES__WEBHOOK_URL": "https://hook"}
    chosen = choose_variables(secrets)
    assert chosen.secret == secrets
    assert not set(secrets) & set(chosen.plain)


@pytest.mark.parametrize(
    "name", ["AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK", "SLIPWAY_X__PASSWORD"]
)
def test_a_variable_that_is_called_a_secret_is_one(name: str) -> None:
    chosen = choose_variables({name: "hidden"})
    assert (chosen.secret, name in chosen.plain) == ({name: "hidden"}, False)


def test_the_older_name_of_a_session_token_marks_temporary_credentials_too() -> None:
    chosen = choose_variables({"AWS_SECURITY_TOKEN": "t", "AWS_ACCESS_KEY_ID": "i"})
    assert (chosen.secret, set(chosen.left_out)) == ({}, {"AWS_SECURITY_TOKEN", "AWS_ACCESS_KEY_ID"})


def test_temporary_credentials_are_left_to_the_worker() -> None:
    chosen = choose_variables({"AWS_SESSION_TOKEN": "t", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ACCESS_KEY_ID": "i"})
    assert chosen.secret == {}
    assert set(chosen.left_out) == {"AWS_SESSION_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"}


def test_a_run_does_not_get_the_cache_folder_of_the_installers_machine() -> None:
    assert "SLIPWAY_CACHE" not in choose_variables({"SLIPWAY_CACHE": "/var/cache/slipway"}).plain
