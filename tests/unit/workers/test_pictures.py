"""Pictures that come back in another form: through the sandbox, the archive and the command line."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

from lithify.codecs.fidelity import Contract
from lithify.codecs.media.stills.reading import read_still
from lithify.errors import BadArgument, NotFound
from lithify.workers.archive import Archive
from lithify.workers.loop import Worker
from lithify.workers.pack import frame_info, pack_file, unpack_file
from lithify.workers.plot import plot_files, plot_frame
from lithify.workers.route import Route, choose
from lithify.workers.sweep import sweep
from tests.unit.api.running import run
from tests.unit.codecs.media.stills import exif, photo, saved
from tests.unit.workers.conftest import Opening

FLOOR = "floor:ssim=0.95"
CODEC = "media.image"
FORMS = {"image/avif", "image/jxl", "image/webp"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, opening: Opening) -> Iterator[Archive]:
    """With two pictures: one under a floor, one exactly."""
    with opening(tmp_path_factory.mktemp("archive")) as opened:
        for collection, contract in (("loose", FLOOR), ("exact", "exact")):
            codecs = [CODEC] if contract == FLOOR else ["raw.zstd"]
            opened.put(collection, "first", [b"makes the collection"], contract="exact")
            opened.set_policy(collection, codecs=codecs)
            opened.put(collection, "a.png", [picture()], contract=contract, content_type="image/png")
        Worker(opened).run(until_idle=True)
        yield opened


def picture() -> bytes:
    return saved(photo(80, 96), "PNG", exif=exif(6))


def packed(folder: Path, contract: str = FLOOR, **wishes: object) -> Path:
    """A frame of the picture beside it."""
    (folder / "a.png").write_bytes(picture())
    with (folder / "a.png").open("rb") as file, (folder / "a.lith").open("w+b") as frame:
        pack_file(file, frame, contract=contract, codec=CODEC, **wishes)  # type: ignore[arg-type]
    return folder / "a.lith"


def test_an_object_with_a_floor_says_in_which_form_it_comes_back(archive: Archive) -> None:
    view = archive.stat("loose", "a.png")
    with archive.get("loose", "a.png") as content:
        back = read_still(b"".join(content))

    assert (CODEC, FLOOR) == (view.codec, view.fidelity)
    assert view.content_type in FORMS
    measured = view.encodings[-1].measured
    assert measured["ssim"] >= 0.95
    assert (True, view.content_type) == (measured["turned_upright"], measured["media_type"])
    assert ((96, 80, 3), view.content_type) == (back.picture.shape, back.media_type)
    assert view.encodings[-1].original_bytes == len(picture())
    assert [view.content_type] == [one.content_type for one in archive.list("loose") if one.name == "a.png"]


def test_an_object_kept_exactly_has_the_form_that_was_told(archive: Archive) -> None:
    assert "image/png" == archive.stat("exact", "a.png").content_type


def test_the_original_stands_for_a_while_and_is_then_gone(tmp_path: Path, opening: Opening) -> None:
    with opening(tmp_path / "archive", grace_seconds=0) as archive:
        archive.put("loose", "first", [b"makes the collection"], contract="exact")
        archive.set_policy("loose", codecs=[CODEC])
        archive.put("loose", "a.png", [picture()], contract=FLOOR)
        Worker(archive).run(until_idle=True)
        with archive.original("loose", "a.png") as content:
            assert picture() == b"".join(content)
            assert ("exact", len(picture())) == (content.view.fidelity, content.view.length)
        sweep(archive)
        sweep(archive)
        with pytest.raises(NotFound, match="its original is gone"):
            archive.original("loose", "a.png")
        refused = lithify(archive, "stat", "loose/a.png", "--plot", str(tmp_path / "a.png"))
    assert (2, "--against FILE" in refused.stderr) == (refused.exit_code, True)


def test_a_frame_gives_the_new_form_back_and_says_so(tmp_path: Path) -> None:
    with packed(tmp_path).open("rb") as frame, (tmp_path / "back").open("w+b") as back:
        found = unpack_file(frame, back)
        assert FLOOR == frame_info(frame)["contract"]

    assert (found["media_type"] in FORMS, FLOOR) == (True, found["contract"])


def test_original_and_what_comes_back_are_drawn(tmp_path: Path) -> None:
    drawn = io.BytesIO()
    frame = packed(tmp_path, picture=drawn)
    with frame.open("rb") as file, (tmp_path / "a.png").open("rb") as original:
        assert drawn.getvalue() == plot_frame(file, original)
        with pytest.raises(BadArgument, match="no longer has its original"):
            plot_frame(file)
        with pytest.raises(BadArgument, match="was made of a file with SHA-256"):
            plot_frame(file, file)
        assert b"\x89PNG" == plot_files(original, original)[:4]


def test_nothing_is_drawn_of_what_no_codec_draws(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"loose sand settles\n" * 40)
    with (tmp_path / "a.txt").open("rb") as file, pytest.raises(BadArgument, match="what can be drawn is"):
        plot_files(file, file)


def promise(ratio: float, **facts: object) -> dict[str, object]:
    estimate = {
        "ratio": ratio,
        "encode_bytes_per_second": 1e6,
        "decode_bytes_per_second": 1e6,
        "peak_memory_bytes": 1,
        "confidence": 0.5,
    }
    return {"contracts": ["exact"], "seams": "whole", "estimate": estimate, **facts}


def route(contract: str) -> Route:
    codecs = {
        "media.deflate": promise(4.0),
        CODEC: promise(1.5, contracts=["content", "floor"]),
        "media.png": promise(1.4),
        "raw.stored": promise(1.0),
    }
    probe = {"kind": {"kind": "image", "reason": "its looks"}, "codecs": codecs}
    return choose(probe, Contract.parse(contract), "default", (), 1_000_000)


def test_a_codec_for_looser_contracts_takes_no_other_ones_place() -> None:
    assert {"media.deflate", CODEC, "media.png", "raw.stored"} == set(route(FLOOR).runs)
    assert {"media.deflate", "media.png", "raw.stored"} == set(route("exact").runs)


# --- the command line -------------------------------------------------------------------------------------


def lithify(archive: Archive, *words: str) -> Result:
    return run(*words, environment={"LITHIFY_ARCHIVE": str(archive.folder)})


def test_the_command_line_tells_the_form_and_draws(archive: Archive, tmp_path: Path) -> None:
    back, drawn = tmp_path / "a.png", tmp_path / "drawn.png"
    got = lithify(archive, "get", "loose/a.png", "-o", str(back))
    assert (0, "a.png has become image/" in got.stderr) == (got.exit_code, True)
    (tmp_path / "original.png").write_bytes(picture())
    shown = lithify(archive, "stat", "loose/a.png")
    assert f"original  {len(picture()) / 1024:.1f} KiB" in shown.stdout
    assert "(of what comes back)" in shown.stdout

    assert 0 == lithify(archive, "stat", "loose/a.png", "--plot", str(drawn)).exit_code  # the original still stands
    first = drawn.read_bytes()
    words = ("stat", "loose/a.png", "--plot", str(drawn), "--force", "--against")
    other = lithify(archive, *words, str(back))
    assert (2, "the original had" in other.stderr) == (other.exit_code, True)
    assert 0 == lithify(archive, *words, str(tmp_path / "original.png")).exit_code
    assert first == drawn.read_bytes()
    with Image.open(drawn) as sheet:
        assert "PNG" == sheet.format
    exact = lithify(archive, "stat", "exact/a.png", "--plot", str(drawn), "--force", "--json")
    assert (0, "exact") == (exact.exit_code, json.loads(exact.stdout)["fidelity"])


def test_pack_and_info_draw_too(archive: Archive, tmp_path: Path) -> None:
    file, drawn = tmp_path / "a.png", tmp_path / "drawn.png"
    file.write_bytes(picture())
    words = ("--contract", FLOOR, "--codec", CODEC, "--plot", str(drawn))
    assert 0 == lithify(archive, "pack", str(file), *words).exit_code
    first = drawn.read_bytes()
    again = lithify(archive, "info", f"{file}.lith", "--plot", str(drawn), "--against", str(file), "--force")
    assert (0, first) == (again.exit_code, drawn.read_bytes())
    back = lithify(archive, "unpack", f"{file}.lith", "-o", str(tmp_path / "b.png"))
    assert (0, "b.png has become image/" in back.stderr) == (back.exit_code, True)
    for wrong in (("pack", str(file), "--plot", "a.svg"), ("info", f"{file}.lith", "--against", str(file))):
        assert 2 == lithify(archive, *wrong).exit_code


def test_what_was_found_inside_is_a_table_and_a_document(archive: Archive, tmp_path: Path) -> None:
    shown = lithify(archive, "stat", "loose/a.png", "--contents").stdout
    assert "what was found inside" in shown
    assert "comes back as image/" in shown
    told = json.loads(lithify(archive, "stat", "loose/a.png", "--contents", "--json").stdout)["contents"]
    assert (["chunk"], CODEC) == ([one["what"] for one in told if not one["depth"]], told[0]["codec"])

    file = tmp_path / "a.png"
    file.write_bytes(picture())
    lithify(archive, "pack", str(file), "--contract", FLOOR, "--codec", CODEC)
    told = json.loads(lithify(archive, "info", f"{file}.lith", "--contents", "--json").stdout)["contents"]
    assert [0, 1] == [one["depth"] for one in told]
    assert "comes back as" in lithify(archive, "info", f"{file}.lith", "--contents").stdout
    assert "contents" not in json.loads(lithify(archive, "info", f"{file}.lith", "--json").stdout)
