"""Kernels in other people's programs: fresh whatever changed, and there where nothing can be kept."""

import importlib.util
from pathlib import Path
from typing import Any

import numba
import pytest
from numba.core import caching

from lithify.codecs import kernel as kernels
from lithify.codecs import kernel_sources

_TWICE = """
from lithify.codecs.kernel import kernel


@kernel
def twice(number):
    return 2 * number
"""


@pytest.fixture(autouse=True)
def _as_in_a_program_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(numba.config, "CACHE_LOCATOR_CLASSES", "")


def twice(folder: Path) -> Any:
    """The kernel of a module that was imported anew, after it ran."""
    spec = importlib.util.spec_from_file_location("twice_module", folder / "twice.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert 42 == module.twice(21)
    return module.twice


def test_a_kernel_is_kept_until_anything_changes_that_it_may_be_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "twice.py").write_text(_TWICE)
    assert 0 == len(twice(tmp_path).stats.cache_hits)
    assert 1 == len(twice(tmp_path).stats.cache_hits)
    monkeypatch.setattr(kernels, "digest_of", lambda _: "after an upgrade")
    assert 0 == len(twice(tmp_path).stats.cache_hits)


def test_a_kernel_is_made_in_memory_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "twice.py").write_text(_TWICE)
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    twice(tmp_path)
    assert [] == [*tmp_path.rglob("*.nb?")]


def test_another_fault_of_numba_is_none_of_places(monkeypatch: pytest.MonkeyPatch) -> None:
    def njit(**_: object) -> Any:
        raise RuntimeError("something else")

    monkeypatch.setattr(kernels, "_njit", njit)
    with pytest.raises(RuntimeError, match="something else"):
        kernels.kernel(lambda: 1)


@pytest.mark.parametrize(
    ("changed", "matters"),
    [("begin", True), ("near", True), ("far", True), ("pack/__init__", True), ("pack/inner", True), ("other", False)],
)
def test_what_counts_is_what_imports_lead_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, matters: bool
) -> None:
    texts = {
        "begin": "from lithify.near import (\n    one,\n    two,\n)\n",
        "near": "import lithify.far\nfrom lithify.pack import inner\n",
        "far": "from lithify.begin import three\n",
        "pack/__init__": "",
        "pack/inner": "",
        "other": "from lithify.begin import one\n",
    }
    house = tmp_path / "lithify"
    (house / "pack").mkdir(parents=True)
    monkeypatch.setattr(kernel_sources, "_HOUSE", house)
    for name, text in texts.items():
        (house / name).with_suffix(".py").write_text(text)
    digest_of, imported = kernel_sources.digest_of.__wrapped__, kernel_sources._imported.__wrapped__
    monkeypatch.setattr(kernel_sources, "_imported", imported)
    before = digest_of(house / "begin.py")
    assert before == digest_of(house / "begin.py")
    with (house / changed).with_suffix(".py").open("a") as file:
        file.write("# changed\n")
    assert matters is (before != digest_of(house / "begin.py"))
