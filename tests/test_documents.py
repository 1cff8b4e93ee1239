"""The documents name files of the checkout as they are."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
DOCUMENTS = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").glob("*.md"), CHECKOUT / "sandbox" / "README.md"]
FOLDERS = {found.name for found in CHECKOUT.iterdir() if found.is_dir() and not found.name.startswith(".")}
# In backticks, such as `tasks/state/lock.py`; what has a placeholder in it is no file.
PATH = re.compile(r"`([\w.-]+(?:/[\w.{},-]+)+/?)`")
PLACEHOLDER = re.compile(r"[{}]|ENVIRONMENT")
LINK = re.compile(r"\]\(([^)#:\s]+)")


def paths_of(document: Path) -> set[str]:
    found = PATH.findall(document.read_text())
    return {path for path in found if path.partition("/")[0] in FOLDERS and not PLACEHOLDER.search(path)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_each_file_that_a_document_names_exists(document: Path) -> None:
    assert [path for path in sorted(paths_of(document)) if not (CHECKOUT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_each_link_of_a_document_leads_to_a_file(document: Path) -> None:
    links = LINK.findall(document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_documents_name_files_at_all() -> None:
    assert sum(len(paths_of(document)) for document in DOCUMENTS) > 50
