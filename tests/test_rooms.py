"""The arrows between the rooms point one way: `codecs` and `store` never meet, and only the doors know the settings."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import PACKAGE, ROOMS, parsed

ARROWS = {
    "codecs": set[str](),
    "store": set[str](),
    "workers": {"codecs", "store"},
    "api": {"workers", "store", "settings"},
    "migrations": {"store"},
}
FOR_EVERYONE = {"errors", "limits", "crashpoints", "__version__"}


def wrong_arrows(package: Path) -> list[str]:
    """One sentence for each import that leaves its room in a direction that ARROWS does not have."""
    return [
        f"{path.relative_to(package.parent)}:{line}: {room} → {target}"
        for room in ARROWS
        for path in sorted((package / room).rglob("*.py"))
        for line, target in imported(path, package)
        if target not in allowed(room, path)
    ]


def allowed(room: str, path: Path) -> set[str]:
    """Where the file may reach; a migration that has run is history, and must not change with the code."""
    return set() if path.parent.name == "versions" else ARROWS[room] | FOR_EVERYONE | {room}


def imported(path: Path, package: Path) -> Iterator[tuple[int, str]]:
    """Line and room (or top-level file) of each thing of ours that the file names, at any depth of its code."""
    own = ("lithify", *path.relative_to(package).parent.parts)
    for node in ast.walk(parsed(path)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = own[: len(own) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            names = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value] if is_room(node.value) else []  # what import_module may be given
        for name in names:
            if name.startswith("lithify."):
                yield getattr(node, "lineno", 0), name.split(".")[1].partition(":")[0]


def is_room(text: str) -> bool:
    """Whether a string spells something inside a room, such as "lithify.codecs.raw.zstd:Zstd"."""
    parts = text.replace(":", ".").split(".")
    return len(parts) > 2 and parts[0] == "lithify" and parts[1] in ROOMS and all(map(str.isidentifier, parts))


def test_every_import_follows_the_arrows() -> None:
    assert wrong_arrows(PACKAGE) == []


def test_every_room_is_looked_at() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(ROOMS)
    assert set(ROOMS) == set(ARROWS)
    assert all(any((PACKAGE / room).rglob("*.py")) for room in ROOMS)


@pytest.mark.parametrize(
    ("file", "line", "arrow"),
    [
        ("store/planted.py", "import lithify.codecs.frame", "store → codecs"),
        ("store/planted.py", "from lithify import codecs", "store → codecs"),
        ("store/planted.py", "from ..codecs import frame", "store → codecs"),
        ("codecs/planted.py", "from lithify.store.blobs import Blobs", "codecs → store"),
        ("codecs/raw/planted.py", "from ...store import blobs", "codecs → store"),
        ("codecs/planted.py", "def late():\n    from lithify.workers import loop", "codecs → workers"),
        ("workers/planted.py", "import_module('lithify.api.cli')", "workers → api"),
        ("workers/planted.py", "from lithify.settings import Settings", "workers → settings"),
        ("api/planted.py", "from lithify.codecs.raw.zstd import Zstd", "api → codecs"),
        ("migrations/versions/planted.py", "from lithify.store import tables", "migrations → store"),
    ],
)
def test_a_planted_import_is_caught(tmp_path: Path, file: str, line: str, arrow: str) -> None:
    planted = tmp_path / "lithify" / file
    planted.parent.mkdir(parents=True)
    planted.write_text(f"{line}\n")
    assert [f"lithify/{file}:{line.count(chr(10)) + 1}: {arrow}"] == wrong_arrows(tmp_path / "lithify")
