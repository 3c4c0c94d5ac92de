"""What each coder made of an array is heard by whoever listens, and what a library is missing for is told."""

from importlib import util
from typing import Any

import numpy as np
import pytest

from lithify.codecs.arrays import films
from lithify.codecs.arrays.payload import encode_file
from lithify.codecs.arrays.values import Bound, Floor, encode_values
from lithify.codecs.inside import Inside
from lithify.codecs.reasons import reasons_given
from lithify.codecs.tried import Heard, add_tries, tell_try, tries_heard, trying
from lithify.limits import TRIES_MAX
from tests.unit.codecs.arrays.fields import scenes
from tests.unit.codecs.arrays.files import Nc3Variable, netcdf3, npy, smooth

FILE = netcdf3([Nc3Variable(name, ["y", "x"], smooth((40, 50), kind, 3)) for name, kind in (("t", "f4"), ("n", "i2"))])


def test_each_variable_tells_which_coders_were_tried_and_what_each_gave() -> None:
    with tries_heard() as heard:
        found = encode_file(FILE, "default", None)
    coders = {what: {row.codec for row in heard.values() if row.what == what} for what, _ in heard}
    assert "predicted" in coders["t"]
    assert any(coder.startswith("a piece on ") for coder in coders["t"])
    assert "predicted" in coders["n"]
    whole = heard["the whole, streams opened", "arrays and the rest"]
    assert (len(FILE), len(found.payload)) == (whole.original_bytes, whole.stored_bytes)
    kept = heard["t", "predicted"]
    assert 40 * 50 * 4 == kept.original_bytes
    assert kept.stored_bytes < len(found.payload)


def test_at_the_greatest_effort_pictures_are_in_the_race() -> None:
    pytest.importorskip("imagecodecs")
    with tries_heard() as heard:
        encode_values(smooth((3, 40, 50), "i2"), bound=None, effort="max")
    rows = {coder: row for (_, coder), row in heard.items()}
    assert rows["JPEG XL"].original_bytes == rows["predicted"].original_bytes


def test_a_bound_tells_of_the_wavelet_under_the_numbers() -> None:
    with tries_heard() as heard:
        encode_values(smooth((12, 64, 64), "f4"), bound=Bound("rel", 1e-2), effort="default")
    assert any("over a wavelet" in coder for _, coder in heard)


def test_lists_inside_of_payloads_are_not_told() -> None:
    few = np.random.default_rng(1).choice(np.array([1.5, 2.25, 9.0, 11.5], "f4"), (4, 40, 50))
    with tries_heard() as heard:
        encode_values(few, bound=None, effort="default")
    assert all(row.original_bytes % 4 == 0 and row.count < 9 for row in heard.values())


def test_who_does_not_listen_hears_nothing_and_not_too_many_things_are_kept() -> None:
    tell_try("nobody", 1, 1)
    with tries_heard() as outer:
        with tries_heard(listening=False) as heard:
            tell_try("a", 1, 1)
        assert heard == outer == {}
        for number in range(TRIES_MAX + 9):
            with trying(f"thing {number}"):
                tell_try("a", 3, 2)
                tell_try("a", 3, 2)
    assert len(outer) == TRIES_MAX
    assert outer["thing 0", "a"] == Inside("thing 0", "a", 6, 4, count=2)
    sums: Heard = {}
    add_tries(sums, outer.values())
    add_tries(sums, outer.values())
    assert sums["thing 5", "a"].count == 4


def _without(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    find: Any = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == module else find(name))


def test_a_library_that_is_missing_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "imagecodecs")
    with reasons_given() as reasons:
        encode_file(npy(smooth((3, 40, 50), "i2")), "max", None)
    assert reasons == ["JPEG XL was not tried: imagecodecs is not installed: pip install 'lithify[arrays]'"]
    _without(monkeypatch, "av")
    with reasons_given() as reasons:
        encode_values(scenes(5), bound=Floor("psnr", 36), effort="max")
    assert "AV1 was not tried: PyAV is not installed: pip install 'lithify[media]'" in reasons


def test_an_encoder_that_makes_no_film_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "fenced_or_none", lambda work: None)
    with reasons_given() as reasons:
        encode_values(scenes(5), bound=Floor("psnr", 36), effort="max")
    assert any("made no film" in reason for reason in reasons)
