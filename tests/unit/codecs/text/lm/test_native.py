"""Models in floating point: any of Hugging Face's, bound to the machine, and only where asked for by name."""

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from lithify.codecs.text.lm.codec import TOLD_NATIVELY, LmParams, TextLm
from lithify.errors import BadArgument, Corrupt, Truncated, Unsound
from tests.unit.codecs.text.corpus import PROSE
from tests.unit.codecs.text.lm.folders import SMALL, byte_level, small_model, weights, write_folder

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

TEXT = PROSE[:120] + b"\xff"


def bundled(folder: Path) -> memoryview:
    from lithify.codecs.text.lm.native import bundle

    bundle(folder, out := BytesIO())
    return memoryview(out.getvalue())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> memoryview:
    return bundled(write_folder(tmp_path_factory.mktemp("native"), byte_level()))


def codec(data: memoryview, machine: str = "") -> TextLm:
    return TextLm(LmParams(model=hashlib.sha256(data).hexdigest(), machine=machine)).with_model(data)


@pytest.mark.filterwarnings("default")
def test_a_text_comes_back_on_the_machine_that_wrote_it(data: memoryview) -> None:
    from lithify.codecs.text.lm.native import machine

    native = codec(data)
    assert native._native is not None
    payload = native._told_natively(TEXT, native._native)

    assert TOLD_NATIVELY == payload[0]
    assert machine().encode() in native.decoder_params()
    assert TEXT == codec(data, machine()).decode(payload, shared=b"", length=len(TEXT))


def test_another_machine_is_told_that_it_is_another(data: memoryview) -> None:
    with pytest.raises(Unsound, match="only there"):
        codec(data, "0123456789abcdef")


@pytest.mark.filterwarnings("default")
def test_it_says_nearly_what_whole_numbers_say(data: memoryview) -> None:
    from lithify.codecs.text.lm.engine import Engine
    from lithify.codecs.text.lm.native import NativeModel

    read = np.arange(12)[None] * 7
    native, whole = NativeModel(data).reader().read(read), Engine(small_model(), 1).read(read)
    assert native is not None
    assert whole is not None
    assert np.corrcoef(native.ravel(), whole.ravel())[0, 1] > 0.99


def test_wrong_files_are_refused(data: memoryview, tmp_path: Path) -> None:
    for wrong in (data[:20], data[:-1], memoryview(bytes(data) + b"x")):
        with pytest.raises(Truncated):
            codec(wrong)
    numbers = weights(SMALL)
    del numbers["model.norm.weight"]
    with pytest.raises(Corrupt, match=r"model\.norm\.weight"):
        codec(bundled(write_folder(tmp_path, byte_level(), numbers)))
    for part in ("config.json", "model.safetensors"):
        folder = write_folder(tmp_path / f"without {part}", byte_level())
        (folder / part).write_bytes(b"\xff" * 20)
        with pytest.raises(Corrupt, match="cannot be built"):
            codec(bundled(folder))
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(BadArgument, match=r"tokenizer\.json"):
        bundled(tmp_path)
