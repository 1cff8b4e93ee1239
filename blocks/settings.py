"""Reads the settings of an environment: its file, overlays and SLIPWAY_* variables. Later sources override earlier."""

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
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import SettingsError
from delivery.release import Release

PREFIX = "SLIPWAY_"
CHECKOUT = Path(__file__).parent.parent
# Variables that are not settings of an environment.
OTHER_VARIABLES = {"SLIPWAY_ENVIRONMENTS", "SLIPWAY_OVERLAYS", "SLIPWAY_CACHE"}
NOTHING_STARTED = "Nothing was started. Fix these settings and try again."


class Layers(BaseSettings):
    """The content of the files is passed as keywords. Variables override it."""

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
    """All settings of an environment."""


class ManifestsFolder(BaseModel):
    """manifests: folder, relative to the checkout."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    manifests: str


class CanarySettings(Layers):
    """The settings of a canary. The other settings are not read, because some exist only for a real AWS account."""

    model_config = SettingsConfigDict(extra="ignore")
    application: ManifestsFolder
    canary: Canary


Settings = TypeVar("Settings", bound=Layers)


def load_environment(name: str) -> Environment:
    """The environment's settings, complete and valid.

    Raises SettingsError, which names all wrong files, keys and variables at once and contains no secret.
    """
    return Environment.model_validate(load(name, EnvironmentSettings).model_dump())


def load_context(release: Release) -> ReleaseContext:
    """The release with the settings of its environment. Raises SettingsError as `load_environment` does."""
    return ReleaseContext(load_environment(release.environment), release)


def load_canary_settings(name: str) -> CanarySettings:
    """The settings that simulate a canary of the environment. Raises SettingsError as `load_environment` does."""
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
        problems += [] if settings.name == name else [describe_other_name(settings.name, name)]
        if not problems:
            return settings
    raise SettingsError("\n".join([*problems, NOTHING_STARTED]))


def require_environment(name: str) -> None:
    """Raises SettingsError, which names the existing environments, if this one has no file."""
    own, *_ = settings_files(name)
    if not own.is_file():
        raise SettingsError(describe_missing(own))


def describe_missing(own: Path) -> str:
    names = sorted(path.stem for path in own.parent.glob("*.toml") if read_toml(path).get("name") == path.stem)
    existing = f"Existing environments: {', '.join(names)}." if names else "No environment exists in this folder."
    return f"There is no environment {own.stem!r}: {own} does not exist. {existing} Nothing was started."


def describe_other_name(found: str, wanted: str) -> str:
    return f"name is {found!r}. It must be {wanted!r}, like the name of the file {wanted}.toml."


def settings_files(name: str) -> list[Path]:
    """The environment's own file, then the overlays in their order."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        allowed = "Use only lowercase letters, digits and dashes, and begin with a letter."
        raise SettingsError(f"{name!r} is not a name of an environment. {allowed} Nothing was started.")
    folder = Path(os.environ.get("SLIPWAY_ENVIRONMENTS") or CHECKOUT / "environments")
    overlays = os.environ.get("SLIPWAY_OVERLAYS", "").split(":")
    return [folder / f"{name}.toml", *(Path(overlay) for overlay in overlays if overlay)]


def overlays_of(name: str) -> tuple[str, ...]:
    """What can change the canary's settings in the environment's file: the overlays, then the names of variables."""
    _, *files = settings_files(name)
    prefixes = f"{PREFIX}CANARY__", f"{PREFIX}APPLICATION__MANIFESTS"
    return (*map(str, files), *sorted(variable for variable in os.environ if variable.startswith(prefixes)))


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise SettingsError(f"{path} does not exist. SLIPWAY_OVERLAYS names it. {NOTHING_STARTED}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}. {NOTHING_STARTED}") from error


def merge_all(layers: Any) -> dict[str, Any]:
    """Later layers override earlier ones key by key. A list is replaced as a whole."""
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
    """SLIPWAY_* variables whose section does not exist. pydantic-settings ignores them."""
    sections = {field.upper() for field in Environment.model_fields}
    names = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in OTHER_VARIABLES)
    return [name for name in names if name.removeprefix(PREFIX).partition("__")[0].upper() not in sections]


def describe(detail: ErrorDetails, files: dict[Path, dict[str, Any]]) -> str:
    """One problem: the file or variable, the key, and what is wrong."""
    path = detail["loc"]
    key, variable = ".".join(map(str, path)), variable_of(path)
    if detail["type"] == "missing":
        return f"{key} is missing. Set it in {next(iter(files))}, in an overlay, or as {variable}."
    if detail["type"] == "value_error":  # About several settings together, each of which is valid by itself.
        return f"{key}: {detail.get('ctx', {}).get('error')}."
    source = variable if variable in os.environ else f"{file_of(path, files)}: {key}"
    if detail["type"] == "extra_forbidden":
        return describe_unknown(source, key)
    problem = detail["msg"].replace(repr(timedelta()), "0 s")
    return f"{source}: {show_value(detail, path)}{problem[0].lower()}{problem[1:]}."


def key_of(variable: str) -> str:
    """`SLIPWAY_LOCK__WAIT` -> `lock.wait`."""
    return variable.removeprefix(PREFIX).replace("__", ".").lower()


def variable_of(path: tuple[int | str, ...]) -> str:
    """The variable of the setting. An entry of a list has none, so it is the variable of the list."""
    names = [str(part) for part in path]
    indexes = [index for index, part in enumerate(path) if isinstance(part, int)]
    return PREFIX + "__".join(names[: indexes[0]] if indexes else names).upper()


def file_of(path: tuple[int | str, ...], files: dict[Path, dict[str, Any]]) -> Path:
    """The last file that contains the key."""
    return next((file for file in reversed(files) if has_key(files[file], path)), next(iter(files)))


def has_key(content: Any, path: tuple[int | str, ...]) -> bool:
    for part in path:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def show_value(detail: ErrorDetails, path: tuple[int | str, ...]) -> str:
    """The wrong value and a colon; nothing if the value is a secret or too long to read."""
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
