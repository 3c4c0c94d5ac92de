"""Installs the codec of tests/outsider as any package would: a folder on sys.path, and an entry point that names it."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lithify import limits
from lithify.codecs import registry
from lithify.workers.sandbox import Sandbox

PACKAGE = "an_outsider"
CODEC = "outsider.steps"
HOLDER = "outsider.holder"


@dataclass(frozen=True)
class Outsider:
    """Where the package and the user's cache are."""

    package: Path
    cache: Path

    def write(self, name: str, text: str) -> None:
        """Replace a file of the package, as an upgrade would."""
        (self.package / name).write_text(text)

    @property
    def kept(self) -> list[Path]:
        """The folders that kernels are kept in."""
        return sorted((self.cache / "lithify" / "kernels").glob("*"))

    @contextmanager
    def sandbox(self, **terms: float) -> Iterator[Sandbox]:
        """A sandbox whose children know the codec, and its tasks."""
        terms.setdefault("memory_bytes", limits.GIB)
        with Sandbox(modules=(f"{PACKAGE}.codec",), **terms) as opened:  # type: ignore[arg-type]
            yield opened


@contextmanager
def installed(folder: Path) -> Iterator[Outsider]:
    """The outsider, installed under `folder` for as long as this lasts."""
    site = folder / "site"
    shutil.copytree(Path(__file__).parent / "outsider", site / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    facts = site / f"{PACKAGE}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n")
    entries = {"0x8001": "Steps", "0x8003": "Holder"}
    lines = [f"{number} = {PACKAGE}.codec:{name}\n" for number, name in entries.items()]
    (facts / "entry_points.txt").write_text("".join([f"[{registry.ENTRY_POINT_GROUP}]\n", *lines]))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        _forget()
        try:
            yield Outsider(site / PACKAGE, folder / "cache")
        finally:
            _forget()


def _forget() -> None:
    registry.known_formats.cache_clear()
    registry.codec_class.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
