"""Restoring a tree: nothing is ever written outside the folder, and files appear whole or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lithify.api.commands.tree import Tree
from lithify.errors import BadName, Conflict
from tests.examples import examples


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def tree(root: Path) -> Iterator[Tree]:
    with Tree(root) as tree:
        yield tree


def write(tree: Tree, name: str, data: bytes = b"new", *, force: bool = False) -> None:
    with tree.file(name, force=force) as file:
        file.write(data)


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_folders_on_the_way_are_made(tree: Tree, root: Path) -> None:
    write(tree, "a/b/c.txt", b"deep")
    assert (root / "a/b/c.txt").read_bytes() == b"deep"


HOSTILE = [
    "../outside",
    "a/../../outside",
    "/etc/lithify-outside",
    "..",
    ".",
    "",
    "a//b",
    "a/",
    "./a",
    "a/./b",
    "a\0b",
    "a/../..",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_leads_elsewhere_is_refused(tree: Tree, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadName):
        write(tree, name)
    assert everything(tmp_path) == ["root"]


@pytest.mark.parametrize(
    "name", ["C:\\windows\\a", "a\\..\\..\\b", "\u2215etc\u2215passwd", "．．/a", "~/a", "-rf", "a:b"]
)
def test_a_name_that_only_looks_dangerous_stays_inside(tree: Tree, root: Path, tmp_path: Path, name: str) -> None:
    write(tree, name)
    assert (root / name).read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_a_linked_folder_on_the_way_is_not_followed(tree: Tree, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "a").symlink_to(outside)
    for name in ("a/file", "a/b/file"):
        with pytest.raises(Conflict, match="on the way"):
            write(tree, name, force=True)
    assert not list(outside.iterdir())


def test_a_file_on_the_way_is_not_taken_for_a_folder(tree: Tree, root: Path) -> None:
    (root / "a").write_bytes(b"old")
    with pytest.raises(Conflict, match="on the way"):
        write(tree, "a/file", force=True)
    assert (root / "a").read_bytes() == b"old"


def test_an_existing_file_is_replaced_only_by_force(tree: Tree, root: Path) -> None:
    (root / "a").write_bytes(b"old")
    with pytest.raises(Conflict, match="--force"):
        write(tree, "a")
    assert (root / "a").read_bytes() == b"old"
    write(tree, "a", force=True)
    assert (root / "a").read_bytes() == b"new"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tree: Tree, root: Path) -> None:
    def race() -> None:
        with tree.file("a", force=False) as file:
            file.write(b"new")
            (root / "a").write_bytes(b"somebody else's")

    with pytest.raises(Conflict, match="already there"):
        race()
    assert (root / "a").read_bytes() == b"somebody else's"
    assert everything(root) == ["a"]


@pytest.mark.parametrize("force", [False, True])
def test_links_devices_and_pipes_in_the_way_are_left_alone(tree: Tree, root: Path, tmp_path: Path, force: bool) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    (root / "link").symlink_to(target)
    (root / "dangling").symlink_to(tmp_path / "not-there")
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    before = everything(root)
    for name in before:
        with pytest.raises(Conflict, match="no regular file"):
            write(tree, name, force=force)
    assert target.read_bytes() == b"old"
    assert everything(root) == before
    assert not (tmp_path / "not-there").exists()


def test_a_hard_link_to_the_outside_is_replaced_and_not_written_through(tree: Tree, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"old")
    os.link(outside, root / "a")
    write(tree, "a", force=True)
    assert outside.read_bytes() == b"old"
    assert (root / "a").read_bytes() == b"new"


def test_a_restore_that_fails_leaves_nothing_behind(tree: Tree, root: Path) -> None:
    def fail_half_way() -> None:
        with tree.file("a", force=False) as file:
            file.write(b"half")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_half_way()
    assert everything(root) == []


def test_the_folder_stays_the_one_that_was_opened(tree: Tree, root: Path, tmp_path: Path) -> None:
    root.rename(tmp_path / "moved")
    (tmp_path / "outside").mkdir()
    root.symlink_to(tmp_path / "outside")
    write(tree, "a")
    assert (tmp_path / "moved/a").read_bytes() == b"new"
    assert not list((tmp_path / "outside").iterdir())


PIECES = st.sampled_from(["..", ".", "", "a", "b", "\\", "C:", "link", "é", "e\u0301", "A", "\0", "x" * 300, " ", "\n"])


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.lists(PIECES, min_size=1, max_size=5).map("/".join), force=st.booleans())
def test_no_name_at_all_writes_outside(tree: Tree, root: Path, tmp_path: Path, name: str, force: bool) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(exist_ok=True)
    if not (root / "link").is_symlink():
        (root / "link").symlink_to(outside)
    try:
        write(tree, name, force=force)
    except (BadName, Conflict, OSError):
        pass
    else:
        assert (root / name).read_bytes() == b"new"
    assert {path.name for path in tmp_path.iterdir()} == {"root", "outside"}
    assert not list(outside.iterdir())
