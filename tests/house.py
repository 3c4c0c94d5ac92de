"""What the tests about the code itself share: where it lies, and every file of it parsed."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lithify"
ROOMS = ("store", "codecs", "workers", "api", "migrations")


def python_files(*folders: str) -> Iterator[Path]:
    """Every Python file of these top-level folders, in order; the links to the rooms are not followed."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))
