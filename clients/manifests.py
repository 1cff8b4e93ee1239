"""The manifests' files."""

from pathlib import Path

from delivery.errors import SettingsError

CHECKOUT = Path(__file__).resolve().parents[1]


def read_manifests(directory: str) -> dict[str, str]:
    """Text of each manifest by its path.

    directory: relative to the checkout. Its files that end in .yml are the application's, and no manifests.
    Raises SettingsError when there is none.
    """
    folder = CHECKOUT / directory
    texts = {f"{directory}/{path.name}": path.read_text() for path in sorted(folder.glob("*.yaml"))}
    if not texts:
        raise SettingsError(f"[application] manifests: {folder} holds no manifest (*.yaml). Nothing was touched.")
    return texts
