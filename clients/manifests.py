"""The manifest files of the application."""

from pathlib import Path

from delivery.errors import SettingsError

CHECKOUT = Path(__file__).resolve().parents[1]


def read_manifests(directory: str) -> dict[str, str]:
    """Path -> text of each manifest.

    directory: relative to the checkout. Its files *.yml are configuration of the application, not manifests.
    Raises SettingsError if there is no manifest.
    """
    folder = CHECKOUT / directory
    texts = {f"{directory}/{path.name}": path.read_text() for path in sorted(folder.glob("*.yaml"))}
    if not texts:
        raise SettingsError(f"[application] manifests: {folder} contains no manifest (*.yaml). Nothing was changed.")
    return texts
