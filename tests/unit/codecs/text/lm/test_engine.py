"""Every way of reckoning with a model gives the same numbers: the promise that all else stands on."""

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithify.codecs.text.lm.engine import Engine
from lithify.codecs.text.lm.plain import NumpyOperations, PlainEngine, TorchOperations
from lithify.codecs.text.lm.proof import told_digest
from tests.house import ROOT
from tests.unit.codecs.text.lm.folders import byte_level as tokenizer_of_bytes
from tests.unit.codecs.text.lm.folders import converted, small_file, small_model, write_folder

STEPS = 20


def tokens(streams: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).integers(0, small_model().shape.vocabulary, (streams, STEPS))


def said(reader: Any, read: Any, cuts: tuple[int, ...] = ()) -> Any:
    """What the reader says of all tokens, read in pieces."""
    ends = (*cuts, read.shape[1])
    pieces = zip((0, *cuts), ends, strict=True)
    return np.concatenate([reader.read(read[:, start:end]) for start, end in pieces], axis=1)


def reference(read: Any) -> Any:
    return said(PlainEngine(small_model(), len(read)), read)


@pytest.mark.parametrize("way", ["loop", "float32", "float64"])
def test_every_way_of_making_products_says_what_whole_numbers_say(way: Any) -> None:
    read = tokens(3)
    assert np.array_equal(reference(read), said(Engine(small_model(), 3, way), read))


@pytest.mark.parametrize("streams", [1, 7, 64])
def test_a_stream_is_told_the_same_alone_and_among_others(streams: int) -> None:
    read = tokens(64)
    alone = said(Engine(small_model(), 64), read)[:streams]
    assert np.array_equal(alone, said(Engine(small_model(), streams), read[:streams]))


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(1, STEPS - 1), max_size=6), st.integers(0, 1000))
def test_reading_in_pieces_is_reading_at_once(cuts: set[int], seed: int) -> None:
    read = tokens(2, seed)
    whole = said(Engine(small_model(), 2), read)
    assert np.array_equal(whole, said(Engine(small_model(), 2), read, tuple(sorted(cuts))))


def test_beginning_again_forgets_all() -> None:
    engine, read = Engine(small_model(), 2), tokens(2)
    first = said(engine, read)
    engine.begin()
    assert np.array_equal(first, said(engine, read))


def test_reading_without_telling_remembers_all_the_same() -> None:
    engine, read = Engine(small_model(), 2), tokens(2)
    whole = said(Engine(small_model(), 2), read)
    assert engine.read(read[:, :8], telling=False) is None
    assert np.array_equal(whole[:, 8:], said(engine, read[:, 8:]))


def test_torch_on_the_processor_says_the_same() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    read = tokens(3)
    assert np.array_equal(reference(read), said(PlainEngine(small_model(), 3, TorchOperations()), read, (5, 6)))


def test_torch_on_a_graphics_processor_says_the_same() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("there is no graphics processor that torch can use")
    read = tokens(3)
    assert np.array_equal(reference(read), said(PlainEngine(small_model(), 3, TorchOperations("cuda")), read, (5, 6)))


_PROCESS = """
import hashlib, sys
from pathlib import Path
import numpy as np
from lithify.codecs.text.lm.engine import Engine
from lithify.codecs.text.lm.model import read_model
model = read_model(memoryview(Path(sys.argv[1]).read_bytes()))
read = np.arange(9 * 20).reshape(9, 20) % model.shape.vocabulary
digest = hashlib.sha256()
for way in ("loop", "float32", "float64"):
    digest.update(Engine(model, 9, way).read(read).tobytes())
print(digest.hexdigest())
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"OPENBLAS_NUM_THREADS": "1"},
        {"OPENBLAS_NUM_THREADS": "2"},
        {"OPENBLAS_CORETYPE": "Prescott"},
        {"OPENBLAS_CORETYPE": "Haswell"},
        {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
        {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512_SKX"},
    ],
    ids=str,
)
def test_other_processors_and_numbers_of_threads_say_the_same(tmp_path: Path, environment: dict[str, str]) -> None:
    assert expected_digest(3) == digest_in(_PROCESS, tmp_path, environment)


_TORCH = """
import hashlib, sys
from pathlib import Path
import numpy as np
import torch
from lithify.codecs.text.lm.model import read_model
from lithify.codecs.text.lm.plain import PlainEngine, TorchOperations
model = read_model(memoryview(Path(sys.argv[1]).read_bytes()))
read = np.arange(9 * 20).reshape(9, 20) % model.shape.vocabulary
digest = hashlib.sha256()
for threads in (1, 2):
    torch.set_num_threads(threads)
    digest.update(PlainEngine(model, 9, TorchOperations()).read(read).tobytes())
print(digest.hexdigest())
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
        {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
        {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    ],
    ids=lambda environment: environment["ONEDNN_MAX_CPU_ISA"],
)
def test_torch_says_the_same_with_the_instructions_of_other_processors(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """Without VNNI, oneDNN's products of bytes saturate: ours are of single precision, and what they hold is exact."""
    if find_spec("torch") is None:
        pytest.skip("torch is not installed")
    assert expected_digest(2) == digest_in(_TORCH, tmp_path, environment)


def expected_digest(times: int) -> str:
    """Of what whole numbers say of tokens that scripts make too, so many times."""
    read = np.arange(9 * STEPS).reshape(9, STEPS) % small_model().shape.vocabulary
    return hashlib.sha256(reference(read).tobytes() * times).hexdigest()


def digest_in(script: str, folder: Path, environment: dict[str, str]) -> str:
    """What a script prints of the small model, in a process of its own."""
    (folder / "model").write_bytes(small_file())
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(folder / "model")],
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )
    return found.stdout.strip()


def test_sums_that_single_precision_could_not_hold_are_made_in_pieces(tmp_path: Path) -> None:
    """Rows of 2,400 weights that are all as large as they can be: 2400 * 63 * 127 is above 2^24."""
    from lithify.codecs.text.lm.model import read_model
    from tests.unit.codecs.text.lm.folders import SMALL, weights

    config = {**SMALL, "intermediate_size": 2400, "num_hidden_layers": 1}
    numbers = weights(config)
    numbers["model.layers.0.mlp.down_proj.weight"][:] = 0.05
    folder = write_folder(tmp_path, tokenizer_of_bytes(), numbers, intermediate_size=2400, num_hidden_layers=1)
    model = read_model(memoryview(converted(folder)))
    read = tokens(5)

    assert model.layers[0].down.pieces == 2
    expected = said(PlainEngine(model, 5), read)
    for way in ("loop", "float32"):
        assert np.array_equal(expected, said(Engine(model, 5, way), read))


@pytest.mark.parametrize("bits", [9, 12])
def test_activations_of_more_bits_are_reckoned_with_alike(tmp_path: Path, bits: int) -> None:
    from lithify.codecs.text.lm.model import read_model

    model = read_model(memoryview(converted(write_folder(tmp_path, tokenizer_of_bytes()), activation_bits=bits)))
    read = tokens(5)
    expected = said(PlainEngine(model, 5), read)
    assert not np.array_equal(expected, reference(read))
    for way in ("loop", "float32"):
        assert np.array_equal(expected, said(Engine(model, 5, way), read))


def test_a_model_carries_what_is_right_to_say_and_it_is_what_is_said() -> None:
    model = small_model()
    assert model.proof == told_digest(Engine(model, 1), model.shape.vocabulary)
    assert model.proof == told_digest(PlainEngine(model, 1, NumpyOperations), model.shape.vocabulary)
