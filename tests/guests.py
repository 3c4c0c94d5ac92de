"""Lets a codec of the tests in, as its package would: for this process, and for codecs' processes."""

import contextlib
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lithify.codecs import registry
from lithify.codecs.codec import Codec
from lithify.workers import archive, needs, pack, primer_files, teach
from lithify.workers.sandbox import Sandbox


@contextlib.contextmanager
def installed(codec: type[Codec], folder: Path) -> Iterator[None]:
    """Inside, the codec is there as if its package were installed. Its module needs a table TASKS, which may be empty:
    the zygote loads it, so that its children, who can open no files, have it."""
    about = folder / f"{codec.facts.name}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {codec.facts.name}\nVersion: 1.0\n")
    target = f"{codec.__module__}:{codec.__name__}"
    (about / "entry_points.txt").write_text(
        f"[{registry.ENTRY_POINT_GROUP}]\n0x{codec.facts.format.id:04x} = {target}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(folder)])
        for module in (archive, needs, pack, primer_files):
            patch.setattr(module, "Sandbox", partial(Sandbox, modules=(codec.__module__,)))
        _look_again()
        yield
    _look_again()


def _look_again() -> None:
    for known in (registry.known_formats, registry.codec_class, teach.somebody_learns):
        known.cache_clear()
