"""Which files an assembly is made of, and their digests."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIGESTS = "sources.sha256"
PATTERNS = (
    "infrastructure/cdk/*.py",
    "infrastructure/cdk.json",
    "infrastructure/cdk/stacks/*.py",
    "infrastructure/dashboards/*.json",
    "requirements/synth.txt",
)


def list_sources(root: Path = ROOT) -> list[Path]:
    """Every file that decides what an assembly says, sorted."""
    return sorted(path for pattern in PATTERNS for path in root.glob(pattern))


def digest_sources(root: Path = ROOT) -> str:
    """One line a source, as `sha256sum --check` reads them in the repository's root."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(root).as_posix()}\n"
        for path in list_sources(root)
    )
