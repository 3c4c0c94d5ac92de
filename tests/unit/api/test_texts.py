"""Surprise, likeness and models at the doors: the same here and over the wire, as tables, as JSON, as a picture."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.api import documents, png
from lithify.api.svg import curve
from lithify.codecs.text.models import ENGLISH, MODELS
from lithify.errors import Unsound
from lithify.store.views import LikeView, SurpriseView
from tests.serving import Served
from tests.unit.api.running import Ask, run
from tests.unit.codecs.text.corpus import FOREIGN, PROSE

TEXT = (
    b"".join(b"7 grains settle, and turn to rock %d\n" % n for n in range(60)) + b"<b>\xff \x1b[31m & all else is sand"
)


pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def letters(served: Served, collection: str) -> str:
    for name, data in {"a.txt": TEXT, "b.txt": TEXT[:-40], "c.txt": PROSE, "de/d.txt": FOREIGN, "empty": b""}.items():
        served.archive.put(collection, name, [data])
    return collection


# --- surprise ---------------------------------------------------------------------------------------------


def test_surprising_lines_are_a_table_and_documents(lithify: Ask, letters: str) -> None:
    shown = lithify("surprise", f"{letters}/a.txt", "--lines", "2").stdout.splitlines()
    assert shown[0].startswith(f"{letters}/a.txt: 61 lines, ")
    assert f"; by {ENGLISH.name}, as " in shown[0]
    assert ["line", "bits", "bits/byte", "bytes", "text"] == shown[1].split()
    assert 4 == len(shown)
    assert "\x1b" not in "".join(shown)

    told = [json.loads(line) for line in lithify("surprise", f"{letters}/a.txt", "--json").stdout.splitlines()]
    assert 20 == len(told)
    odd = next(one for one in told if one["number"] == 61)
    assert "<b>\\xff \x1b[31m & all else is sand" == odd["text"]
    assert odd["bits_per_byte"] == pytest.approx(odd["bits"] / odd["bytes"])


def test_stat_shows_them_too(lithify: Ask, letters: str, tmp_path: Path) -> None:
    picture = tmp_path / "a.svg"
    shown = lithify("stat", f"{letters}/a.txt", "--surprise", "--plot", str(picture)).stdout
    assert lithify("surprise", f"{letters}/a.txt").stdout == shown
    assert picture.read_text("utf-8").startswith("<svg")
    raster = picture.with_suffix(".PNG")
    assert shown == lithify("stat", f"{letters}/a.txt", "--surprise", "--plot", str(raster)).stdout
    assert raster.read_bytes().startswith(b"\x89PNG")
    refused = lithify("stat", f"{letters}/a.txt", "--plot", str(picture))
    assert (refused.exit_code, "drawn as PNG" in refused.stderr) == (2, True)
    refused = lithify("stat", f"{letters}/a.txt", "--plot", str(picture.with_suffix(".png")))
    assert (refused.exit_code, "what can be drawn is" in refused.stderr) == (2, True)


def test_surprising_lines_may_follow_each_other_as_they_do_in_the_text(lithify: Ask, letters: str) -> None:
    lines = lithify("surprise", f"{letters}/a.txt", "--in-order", "--by", "rate", "--json").stdout.splitlines()
    numbers = [json.loads(line)["number"] for line in lines]
    assert sorted(numbers) == numbers


def test_here_and_over_the_wire_lines_surprise_alike(served: Served, letters: str) -> None:
    with served.client() as client:
        assert client.surprise(letters, "a.txt", lines=7) == served.archive.surprise(letters, "a.txt", lines=7)
        assert client.like(letters, "a.txt", among=letters) == served.archive.like(letters, "a.txt", among=letters)


def test_a_surprise_is_what_its_schema_says(http: httpx.Client, letters: str) -> None:
    answer = http.get(f"/v1/surprise/{letters}/a.txt", params={"lines": 3, "by": "bits"})
    documents.schema(SurpriseView).model_validate_json(answer.content, strict=True)
    assert (200, 3, "bits") == (answer.status_code, len(answer.json()["items"]), answer.json()["by"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("no.txt", 404),
        ("a.txt?lines=0", 400),
        ("a.txt?lines=10001", 400),
        ("a.txt?by=luck", 400),
        ("a.txt?revision=x", 404),
    ],
)
def test_surprises_that_cannot_be_had_are_refused(http: httpx.Client, letters: str, path: str, status: int) -> None:
    assert status == http.get(f"/v1/surprise/{letters}/{path}").status_code


def test_a_picture_is_drawn_beside_the_table(lithify: Ask, letters: str, tmp_path: Path) -> None:
    picture = tmp_path / "a.svg"
    assert 0 == lithify("surprise", f"{letters}/a.txt", "--plot", str(picture)).exit_code
    drawn = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
    assert drawn.tag.endswith("svg")
    assert f"{letters}/a.txt" in {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    again = lithify("surprise", f"{letters}/a.txt", "--plot", str(picture))
    assert (2, "") == (again.exit_code, again.stdout)
    assert "already there" in again.stderr
    assert 0 == lithify("surprise", f"{letters}/a.txt", "--plot", str(picture), "--force").exit_code


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "COLLECTION/NAME, or --file FILE"),
        (["a/b", "--file", "x"], "one of them"),
        (["a/b", "--plot", "x.pdf"], "x.pdf: this is drawn as SVG or PNG"),
        (["a/b", "--plot", "-"], "this is drawn as SVG"),
        (["a/b", "--primer", "x"], "--primer is for --file"),
        (["--file", "x", "--revision", "r"], "--revision is for an object"),
        (["--file", "absent"], "absent: No such file"),
    ],
)
def test_surprises_asked_for_in_a_wrong_way_are_refused_before_anything_is_done(words: list[str], said: str) -> None:
    result = run("surprise", *words)
    assert (2, "") == (result.exit_code, result.stdout)
    assert said in result.stderr


def test_a_file_needs_no_archive_to_surprise(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT)
    (tmp_path / "empty.txt").write_bytes(b"")
    shown = run("--archive", str(tmp_path / "none"), "surprise", "--file", str(tmp_path / "a.txt"))
    assert (0, f"{tmp_path}/a.txt: 61 lines") == (shown.exit_code, shown.stdout.partition(",")[0])
    assert not (tmp_path / "none").exists()
    empty = run("surprise", "--file", str(tmp_path / "empty.txt"), "--plot", str(tmp_path / "empty.svg"))
    assert 0 == empty.exit_code
    assert "0 lines, 0 bytes of surprise in 0;" in empty.stdout
    ElementTree.parse(tmp_path / "empty.svg")


def test_what_was_not_weighed_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lithify.limits.WEIGHED_BYTES_MAX", 1000)
    (tmp_path / "a.txt").write_bytes(TEXT)
    result = run("surprise", "--file", str(tmp_path / "a.txt"))
    assert result.stdout.startswith("the first 1000 B of ")
    assert "only the first 1000 B of 2." in result.stderr
    assert "partial" in json.loads(run("surprise", "--json", "--file", str(tmp_path / "a.txt")).stderr)


@settings(deadline=None)
@given(st.lists(st.floats(0, 130), max_size=50), st.integers(1, 10**7), st.text(max_size=20))
def test_any_curve_is_a_picture_within_its_frame(values: list[float], step: int, title: str) -> None:
    title = "".join(char for char in title if char.isprintable())
    mean = sum(values) / max(1, len(values))
    terms: dict[str, Any] = {"step": step, "end": step * len(values), "title": title, "mean": mean}
    text = curve(values, **terms, across="x", up="y")
    assert png.curve(values, **terms, across="x", up="y").startswith(b"\x89PNG")
    drawn = ElementTree.fromstring(text)
    points = [
        point for line in drawn.iter("{http://www.w3.org/2000/svg}polyline") for point in line.get("points", "").split()
    ]
    assert 2 * len(values) == len(points)
    assert all(0 <= float(x) <= 960 and 0 <= float(y) <= 320 for x, y in (point.split(",") for point in points))


# --- like -------------------------------------------------------------------------------------------------


def test_what_resembles_an_object_is_a_table_and_documents(lithify: Ask, letters: str) -> None:
    shown = lithify("like", f"{letters}/a.txt", "--among", letters).stdout.splitlines()
    assert f"like {letters}/a.txt: of 3 others 3 read, 3 measured" == shown[0]
    assert shown[2].endswith(f"{letters}/b.txt")
    told = [
        json.loads(line)
        for line in lithify("like", f"{letters}/a.txt", "--among", letters, "--json").stdout.splitlines()
    ]
    assert "b.txt" == told[0]["name"]
    assert told[0]["likeness"] > 0.5
    assert told[1]["likeness"] < 0.2


def test_a_likeness_is_what_its_schema_says(http: httpx.Client, letters: str) -> None:
    answer = http.post("/v1/like", json={"collection": letters, "name": "a.txt", "among": letters, "limit": 1})
    documents.schema(LikeView).model_validate_json(answer.content, strict=True)
    assert (200, 1) == (answer.status_code, len(answer.json()["items"]))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "no.txt"}, 404),
        ({"name": "empty"}, 409),
        ({"among": "no-such-place"}, 404),
        ({"among": "No Such"}, 400),
        ({"limit": 0}, 400),
        ({"limit": 33}, 400),
        ({"colour": "red"}, 400),
    ],
)
def test_likeness_that_cannot_be_had_is_refused(
    http: httpx.Client, letters: str, change: dict[str, object], status: int
) -> None:
    assert status == http.post("/v1/like", json={"collection": letters, "name": "a.txt", **change}).status_code


def test_a_key_that_may_only_write_is_told_nothing(served: Served, letters: str) -> None:
    _, key = served.archive.add_key("writer", ["write"])
    with served.http(key) as http:
        assert 403 == http.get(f"/v1/surprise/{letters}/a.txt").status_code
        assert 403 == http.post("/v1/like", json={"collection": letters, "name": "a.txt"}).status_code


# --- models -----------------------------------------------------------------------------------------------


def test_models_are_listed_and_described_without_an_archive() -> None:
    listed = run("model", "list").stdout.splitlines()
    assert ["model", "role", "format", "size", "classes", "sha256"] == listed[0].split()
    assert [model.name for model in MODELS] == [line.split()[0] for line in listed[1:]]
    told, *_ = [json.loads(line) for line in run("model", "list", "--json").stdout.splitlines()]
    assert told == json.loads(run("model", "info", ENGLISH.name, "--json").stdout)
    assert (ENGLISH.digest, ENGLISH.path.stat().st_size) == (told["digest"], told["packed_bytes"])
    described = run("model", "info").stdout
    assert all(pack.licences in described and pack.sources in described for pack in ENGLISH.data)


def test_models_that_are_sound_are_said_to_be() -> None:
    shown = run("model", "verify")
    assert (0, "") == (shown.exit_code, shown.stderr)
    assert [f"{model.name} is sound" for model in MODELS] == [line.split(":")[0] for line in shown.stdout.splitlines()]
    assert json.loads(run("model", "verify", ENGLISH.name, "--json").stdout)["sound"]


def test_a_model_that_is_not_sound_ends_with_three_and_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsound(name: str) -> None:
        raise Unsound(f"the tables of {name} are others")

    monkeypatch.setattr("lithify.workers.models.verify_model", unsound)
    shown = run("model", "verify", ENGLISH.name)
    assert (3, "") == (shown.exit_code, shown.stdout)
    assert f"lithify: {ENGLISH.name}: the tables of" in shown.stderr
    error = json.loads(run("model", "verify", ENGLISH.name, "--json").stderr)["error"]
    assert ("unsound", 3) == (error["code"], error["exit_code"])


@pytest.mark.parametrize("verb", ["info", "verify"])
def test_a_model_that_does_not_exist_is_refused(verb: str) -> None:
    shown = run("model", verb, "nothing", ENGLISH.name)
    assert 2 == shown.exit_code
    assert ENGLISH.name in shown.stderr
