import pytest

from sandbox.application.settings import ApplicationSettings

COMPLETE = {"MSK_BOOTSTRAP_SERVERS": "a:1", "DB_HOST": "db", "DB_PASSWORD": "hidden-password", "REDIS_HOST": "cache"}


def test_the_guides_variables_are_enough() -> None:
    settings = ApplicationSettings.read(COMPLETE)
    assert (settings.database_port, settings.cache_port, settings.port) == (5432, 6379, 8080)
    assert settings.topic("user.behavior") == "genai-demo.production.observability.user.behavior"


@pytest.mark.parametrize("name", list(COMPLETE))
def test_what_is_missing_is_named_and_no_secret_with_it(name: str) -> None:
    with pytest.raises(SystemExit, match=name) as ended:
        ApplicationSettings.read({key: value for key, value in COMPLETE.items() if key != name})
    assert "hidden-password" not in str(ended.value)


def test_another_profile_is_refused() -> None:
    with pytest.raises(SystemExit, match="SPRING_PROFILES_ACTIVE=test"):
        ApplicationSettings.read({**COMPLETE, "SPRING_PROFILES_ACTIVE": "test"})


def test_an_unknown_behaviour_is_refused() -> None:
    with pytest.raises(SystemExit, match="BEHAVIOUR=odd is unknown"):
        ApplicationSettings.read({**COMPLETE, "BEHAVIOUR": "odd"})
