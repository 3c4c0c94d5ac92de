"""Whoever lets something be lost and gets every byte back is told why; so is whoever has a file that does not open."""

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lithify import limits
from lithify.codecs.arrays.codec import Arrays, ArraysParams
from lithify.codecs.codec import Codec
from lithify.codecs.media.containers.codec import Budget, Deflate
from lithify.codecs.media.fence import fenced_or_none
from lithify.codecs.media.gif import Gif
from lithify.codecs.media.png import PngCodec
from lithify.codecs.media.whole_file import EffortParams
from lithify.codecs.reasons import give_reason, reasons_given
from lithify.errors import BadArgument
from lithify.workers.archive import Archive
from lithify.workers.loop import Worker
from lithify.workers.pack import pack_file
from tests.suites.codec_suite import framed
from tests.unit.api.running import run
from tests.unit.codecs.arrays import files
from tests.unit.codecs.arrays.test_containers import hdf5
from tests.unit.codecs.media.archives import gz, zipped
from tests.unit.codecs.media.clips import y4m
from tests.unit.codecs.media.corpus import sample_bytes, tone, wav
from tests.unit.codecs.media.streams import paragraphs
from tests.unit.workers.conftest import Opening

NOISE = b"YUV4MPEG2 W32 H32 F25:1 C420\n" + b"".join(
    b"FRAME\n" + random.Random(number).randbytes(1536) for number in range(4)
)

SOUND = wav(sample_bytes(tone(6000, 1, 9000.0), 2), 1, 2)


def given(codec: Codec, data: bytes) -> list[str]:
    """The reasons that a codec gives while it encodes."""
    with reasons_given() as reasons:
        framed(codec, data)
    return reasons


def packed(folder: Path, data: bytes, contract: str, name: str) -> dict[str, Any]:
    (folder / name).write_bytes(data)
    with (folder / name).open("rb") as original, (folder / "x.lith").open("w+b") as frame:
        return pack_file(original, frame, contract=contract, effort="fast")


# --- saying -------------------------------------------------------------------------------------------


def test_reasons_reach_whoever_listens_once_each_and_nobody_else() -> None:
    give_reason("nobody hears this")
    with reasons_given() as reasons:
        for number in range(100):
            give_reason(f"{number // 2}" + "!" * 1000)
    assert limits.REASONS_MAX == len(reasons) == len(set(reasons))
    assert all(len(reason) == limits.REASON_LENGTH_MAX for reason in reasons)


def test_an_encoder_that_cannot_says_what_it_said() -> None:
    def raises() -> bytes:
        raise ValueError("three eyes are too many")

    with reasons_given() as reasons:
        assert fenced_or_none(raises) is None
    assert ["an encoder: ValueError: three eyes are too many"] == reasons


# --- contracts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "contract", "why"),
    [
        ("a.wav", SOUND, "floor:ssim=0.98", "sound comes back to the sample"),
        ("a.y4m", NOISE, "floor:psnr=90", "no coder reaches floor:psnr=90"),
        ("a.y4m", NOISE, "content", "no coder keeps its pictures in less"),
        ("a.gz", gz(paragraphs(40)), "content", "what lies in another file comes back byte for byte"),
        ("a.txt", paragraphs(40), "bounded:abs=1", "no codec here keeps less than every byte of"),
    ],
    ids=["sound", "floor", "content", "archive", "text"],
)
def test_a_file_that_is_kept_exactly_all_the_same_says_why(
    tmp_path: Path, name: str, data: bytes, contract: str, why: str
) -> None:
    found = packed(tmp_path, data, contract, name)
    assert "exact" == found["fidelity"]["kept"]
    assert why in found["fidelity"]["because"]
    assert found["fidelity"]["because"] == "; ".join(found["route"]["exact_because"])


def test_what_makes_use_of_its_contract_has_nothing_to_explain(tmp_path: Path) -> None:
    found = packed(tmp_path, y4m(6), "floor:ssim=0.9", "a.y4m")
    assert "floor:ssim=0.9" == found["fidelity"]["kept"]
    assert "because" not in found["fidelity"]
    assert "because" not in packed(tmp_path, NOISE, "exact", "a.y4m")["fidelity"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, opening: Opening) -> Iterator[Archive]:
    with opening(tmp_path_factory.mktemp("archive")) as opened:
        opened.put("c", "a.wav", [SOUND], contract="floor:ssim=0.98")
        Worker(opened).run(until_idle=True)
        yield opened


def test_the_reason_stands_in_stat(archive: Archive) -> None:
    shown = run("--archive", str(archive.folder), "stat", "c/a.wav")
    assert "kept: exact (media.audio: sound comes back to the sample" in shown.stdout
    document = json.loads(run("--archive", str(archive.folder), "stat", "c/a.wav", "--json").stdout)
    assert "sound comes back to the sample" in document["encodings"][-1]["route"]["exact_because"][0]


def test_arrays_say_why_nothing_was_loosened() -> None:
    def under(contract: str, data: bytes) -> list[str]:
        return given(Arrays(ArraysParams(contract=contract)), data)

    whole = files.npy(np.arange(4000, dtype=np.int32))
    assert ["none of its 1 arrays holds measurements that bounded:abs=1 loosens"] == under("bounded:abs=1", whole)
    archived = files.zipped({"a.npy": files.npy(files.smooth((60, 70), "<f4"))})
    (why,) = under("bounded:abs=1", archived)
    assert why.startswith("a lie compressed or under a checksum of the file's own")
    assert ["no arrays were found in it"] == under("floor:psnr=60", b"\x93NUMPY" + bytes(100))
    assert ["only files of HDF5 and GRIB may come back as other bytes that say the same"] == under("content", whole)
    assert [] == under("bounded:abs=1", files.npy(files.smooth((60, 70), "<f4")))


def test_a_file_too_long_to_be_written_anew_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def deflated(file: Any) -> None:
        file.create_dataset("t", data=files.smooth((9, 40, 50), "f4"), chunks=(3, 40, 50), compression="gzip")

    data = hdf5(deflated)
    codec = Arrays(ArraysParams(contract="bounded:abs=1"))
    assert [] == given(codec, data)
    monkeypatch.setattr(limits, "ARRAYS_REWRITTEN_BYTES_MAX", len(data) - 1)
    assert "values behind filters stay exact" in given(codec, data)[0]


@pytest.mark.parametrize("effort", ["fast", "default"])
def test_a_contract_that_names_a_variable_that_is_not_there_is_refused(tmp_path: Path, effort: str) -> None:
    np.save(tmp_path / "t.npy", np.linspace(0, 9, 6000, dtype="f4").reshape(3, 40, 50))
    with (
        (tmp_path / "t.npy").open("rb") as original,
        (tmp_path / "t.lith").open("w+b") as frame,
        pytest.raises(BadArgument, match="names 'rain'; the variables of the file are values"),
    ):
        pack_file(original, frame, contract="bounded:abs=0.1;rain=exact", effort=effort)


# --- files that are not what they seem ----------------------------------------------------------------


def test_codecs_of_pictures_say_that_a_file_does_not_open() -> None:
    for codec, data in ((PngCodec(), b"\x89PNG\r\n\x1a\n" + bytes(900)), (Gif(), b"GIF89a" + bytes(900))):
        assert given(codec, data)[-1].endswith("the file is kept as any other")


def test_streams_that_stay_closed_are_counted() -> None:
    text = paragraphs(60)
    codec = Deflate(EffortParams("fast"))
    codec._budget = Budget(len(text) // 2)
    assert any("plain bytes stay as they are" in reason for reason in given(codec, gzip.compress(text)))
    assert [] == given(Deflate(EffortParams("fast")), gzip.compress(text))


def test_what_a_codec_inside_an_archive_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from lithify.codecs.media.audio import Audio
    from lithify.errors import MissingExtra

    def refuses(*_: object) -> None:
        raise MissingExtra("this needs an extra that is not here")

    monkeypatch.setattr(Audio, "encode", refuses)
    reasons = given(Deflate(EffortParams("fast")), zipped({"a.wav": SOUND}))
    assert any(reason.endswith("this needs an extra that is not here") for reason in reasons)
