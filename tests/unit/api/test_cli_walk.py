"""What `put` finds on disk: regular files in order; everything else is named, nothing is lost silently."""

import os
from pathlib import Path

import pytest

from lithify.api.commands.walk import File, Skipped, walk
from lithify.errors import BadArgument, BadName, LithifyError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "b").mkdir(parents=True)
    for name in ("z.txt", "b/2", "b/10", "a"):
        (folder / name).write_text(name)
    return folder


def names(*paths: Path) -> list[str]:
    return [found.name for found in walk(paths) if isinstance(found, File)]


def errors(*paths: Path) -> list[LithifyError]:
    return [found for found in walk(paths) if isinstance(found, LithifyError)]


def test_a_folder_is_walked_in_order_under_its_own_name(folder: Path) -> None:
    assert names(folder) == ["tree/a", "tree/b/10", "tree/b/2", "tree/z.txt"]


def test_the_current_folder_has_a_name_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert names(Path()) == names(Path("../tree")) == names(folder)


def test_a_file_is_named_by_its_own_name(folder: Path) -> None:
    assert names(folder / "b/2", folder / "a") == ["2", "a"]


def test_links_and_special_files_inside_are_skipped_and_named(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "a")
    (folder / "folder-link").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    skipped = {found.path.name: found.why for found in walk([folder]) if isinstance(found, Skipped)}
    assert skipped == {"link": "a symbolic link", "folder-link": "a symbolic link", "pipe": "not a regular file"}
    assert len(names(folder)) == 4


def test_a_link_that_was_named_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "to-file").symlink_to(folder / "a")
    (tmp_path / "to-folder").symlink_to(folder / "b")
    assert names(tmp_path / "to-file", tmp_path / "to-folder") == ["to-file", "to-folder/10", "to-folder/2"]


def test_a_special_file_that_was_named_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    [error] = errors(tmp_path / "pipe")
    assert isinstance(error, BadArgument)
    assert "put - --name" in error.message


def test_a_name_that_is_not_utf8_is_named_and_the_rest_goes_on(folder: Path) -> None:
    Path(os.fsdecode(bytes(folder) + b"/caf\xe9.txt")).write_text("x")
    Path(os.fsdecode(bytes(folder) + b"/\xff")).mkdir()
    Path(os.fsdecode(bytes(folder) + b"/\xff/inside")).write_text("x")
    found = errors(folder)
    assert all(isinstance(error, BadName) for error in found)
    assert ["\\xe9.txt" in found[0].message, "\\xff/inside" in found[1].message] == [True, True]
    assert len(names(folder)) == 4


def test_a_name_no_object_can_have_is_named_and_the_rest_goes_on(folder: Path) -> None:
    (folder / "two\nlines").write_text("x")
    [error] = errors(folder)
    assert "U+000A" in error.message
    assert len(names(folder)) == 4


def test_what_is_not_there_is_named_and_the_rest_goes_on(folder: Path) -> None:
    assert [type(error) for error in errors(folder / "nothing", folder)] == [BadArgument]
    assert len(names(folder / "nothing", folder)) == 4


def test_two_paths_that_would_get_one_name_are_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "tree"
    other.mkdir(parents=True)
    (other / "a").write_text("another a")
    [error] = errors(folder, other)
    assert "both be named tree" in error.message


def test_the_archive_itself_is_left_out(folder: Path) -> None:
    archive = folder / "archive"
    archive.mkdir()
    (archive / "catalog.sqlite").write_text("x")
    found = list(walk([folder], leave_out=archive))
    assert [one.path for one in found if isinstance(one, Skipped)] == [archive]
    assert len([one for one in found if isinstance(one, File)]) == 4


def test_a_deep_tree_is_walked_to_its_end(tmp_path: Path) -> None:
    deep = tmp_path / "t" / "/".join(["d"] * 400)
    deep.mkdir(parents=True)
    (deep / "f").write_text("x")
    assert names(tmp_path / "t") == ["t/" + "d/" * 400 + "f"]
