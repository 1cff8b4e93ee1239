"""An environment's settings: its file, then the overlays, then SLIPWAY_* variables; read once, at the edge."""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as BadVariable

from blocks.renamed import describe_unknown
from delivery.canary.settings import Canary
from delivery.environment import Environment
from delivery.errors import SettingsError

PREFIX = "SLIPWAY_"
CHECKOUT = Path(__file__).parent.parent
# Variables that are not settings of an environment.
OTHER_VARIABLES = {"SLIPWAY_ENVIRONMENTS", "SLIPWAY_OVERLAYS", "SLIPWAY_CACHE"}
MEND = "Nothing was begun with these settings. Mend them and start again."


class Layers(BaseSettings):
    """Files come in as keywords; variables go before them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )
    name: str

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


class EnvironmentSettings(Environment, Layers):
    """All of an environment."""


class ManifestsFolder(BaseModel):
    """manifests: directory, relative to the checkout."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    manifests: str


class CanarySettings(Layers):
    """What a canary goes by. The environment's other settings are not looked at: some exist in a real account only."""

    model_config = SettingsConfigDict(extra="ignore")
    application: ManifestsFolder
    canary: Canary


Settings = TypeVar("Settings", bound=Layers)


def load_environment(name: str) -> Environment:
    """The environment's settings, complete and valid.

    Raises SettingsError that names every file, key and variable at fault at once, and shows no secret.
    """
    return Environment.model_validate(load(name, EnvironmentSettings).model_dump())


def load_canary_settings(name: str) -> CanarySettings:
    """Enough of the environment to simulate its canary; raises SettingsError as `load_environment` does."""
    return load(name, CanarySettings)


def load(name: str, kind: type[Settings]) -> Settings:
    require_environment(name)
    files = {path: read_toml(path) for path in settings_files(name)}
    problems = [describe_unknown(variable, key_of(variable)) for variable in unknown_variables()]
    try:
        settings = kind(**merge_all(files.values()))
    except ValidationError as error:
        problems += [describe(detail, files) for detail in error.errors()]
    except BadVariable as error:
        problems += [f"{error}."]
    else:
        problems += [] if settings.name == name else [f"{name}: its file names the environment {settings.name!r}."]
        if not problems:
            return settings
    raise SettingsError("\n".join([*problems, MEND]))


def require_environment(name: str) -> None:
    """Raises SettingsError where the environment has no file, which names those that have one."""
    own, *_ = settings_files(name)
    if not own.is_file():
        raise SettingsError(describe_missing(own))


def describe_missing(own: Path) -> str:
    there = sorted(path.stem for path in own.parent.glob("*.toml") if read_toml(path).get("name") == path.stem)
    known = f"There are: {', '.join(there)}." if there else "There is no other one either."
    return f"There is no environment {own.stem!r}: {own} does not exist. {known} Nothing was begun."


def settings_files(name: str) -> list[Path]:
    """The environment's own file, then the overlays in their order."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise SettingsError(f"{name!r} is no name of an environment: lowercase letters, digits, dashes. {MEND}")
    folder = Path(os.environ.get("SLIPWAY_ENVIRONMENTS") or CHECKOUT / "environments")
    overlays = os.environ.get("SLIPWAY_OVERLAYS", "").split(":")
    return [folder / f"{name}.toml", *(Path(overlay) for overlay in overlays if overlay)]


def overlays_of(name: str) -> tuple[str, ...]:
    """What was laid over the environment's own file for its canary: the overlays' files, then variables."""
    _, *files = settings_files(name)
    variables = [given for given in os.environ if given.startswith((f"{PREFIX}CANARY__", f"{PREFIX}APPLICATION__MAN"))]
    return (*map(str, files), *sorted(variables))


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise SettingsError(f"{path} does not exist; SLIPWAY_OVERLAYS names it. {MEND}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}. {MEND}") from error


def merge_all(layers: Any) -> dict[str, Any]:
    """Later layers win key by key; a list is replaced as a whole."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = merge(merged, layer)
    return merged


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: merge(below[key], above[key]) for key in below.keys() & above.keys() if is_table(below, above, key)}
    return {**below, **above, **both}


def is_table(below: Mapping[str, Any], above: Mapping[str, Any], key: str) -> bool:
    return isinstance(below[key], Mapping) and isinstance(above[key], Mapping)


def unknown_variables() -> list[str]:
    """SLIPWAY_* variables whose section does not exist; pydantic-settings passes over them."""
    sections = {field.upper() for field in Environment.model_fields}
    given = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in OTHER_VARIABLES)
    return [name for name in given if name.removeprefix(PREFIX).partition("__")[0].upper() not in sections]


def describe(detail: ErrorDetails, files: dict[Path, dict[str, Any]]) -> str:
    """One problem: where the value stands, its key, what is wrong."""
    path = detail["loc"]
    key, variable = ".".join(map(str, path)), variable_of(path)
    if detail["type"] == "missing":
        return f"{key} is missing: set it in {next(iter(files))}, in an overlay, or as {variable}."
    if detail["type"] == "value_error":  # Of several settings together, none of which is at fault by itself.
        return f"{key}: {detail.get('ctx', {}).get('error')}."
    source = variable if variable in os.environ else f"{file_of(path, files)}: {key}"
    if detail["type"] == "extra_forbidden":
        return describe_unknown(source, key)
    wrong = detail["msg"].replace(repr(timedelta()), "0 s")
    return f"{source}: {shown(detail, path)}{wrong[0].lower()}{wrong[1:]}."


def key_of(variable: str) -> str:
    """`SLIPWAY_LOCK__WAIT` -> `lock.wait`."""
    return variable.removeprefix(PREFIX).replace("__", ".").lower()


def variable_of(path: tuple[int | str, ...]) -> str:
    """The variable of the nearest setting that has one: entries of lists have none of their own."""
    names = [str(part) for part in path]
    numbers = [index for index, part in enumerate(path) if isinstance(part, int)]
    return PREFIX + "__".join(names[: numbers[0]] if numbers else names).upper()


def file_of(path: tuple[int | str, ...], files: dict[Path, dict[str, Any]]) -> Path:
    """The last file that says something about the key."""
    return next((file for file in reversed(files) if says(files[file], path)), next(iter(files)))


def says(content: Any, path: tuple[int | str, ...]) -> bool:
    for part in path:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def shown(detail: ErrorDetails, path: tuple[int | str, ...]) -> str:
    """The value at fault, unless it is a secret or too long to read."""
    value = detail.get("input")
    is_short = isinstance(value, str | int | float) and len(str(value)) <= 80
    return f"{value!r}: " if is_short and not is_secret(path) else ""


def is_secret(path: tuple[int | str, ...]) -> bool:
    model: Any = Environment
    annotation: Any = None
    for part in path:
        field = getattr(model, "model_fields", {}).get(part)
        annotation = field.annotation if field else None
        model = annotation
    return "SecretStr" in str(annotation)
