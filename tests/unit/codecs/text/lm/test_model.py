"""Model files: the same folder gives the same one, and what lies in one is not believed."""

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lithify.codecs.text.lm.model import WEIGHT_MAX, read_model
from lithify.codecs.text.lm.proof import prove
from lithify.codecs.text.lm.shape import HEAD_BYTES, read_shape
from lithify.codecs.text.lm.vocabulary import token_bytes
from lithify.errors import BadArgument, BadBytes, Corrupt, LimitExceeded, Truncated, Unsound
from tests.unit.codecs.text.lm.folders import (
    SMALL,
    byte_level,
    converted,
    sentence_piece,
    small_file,
    small_model,
    weights,
    write_folder,
)


def read(data: bytes) -> Any:
    return read_model(memoryview(data))


# --- folders ------------------------------------------------------------------------------------------


def test_the_same_folder_gives_the_same_file(tmp_path: Path) -> None:
    assert small_file() == converted(write_folder(tmp_path, byte_level()))


def test_weights_of_16_bits_are_read_as_what_they_are(tmp_path: Path) -> None:
    """Numbers that 16 bits hold give the same file, however wide they are written."""
    wide = {
        name: (array.view(np.uint32) & 0xFFFF0000).astype(np.uint32).view(np.float32)
        for name, array in weights(SMALL).items()
    }
    narrow = {name: (array.view(np.uint32) >> 16).astype(np.uint16) for name, array in wide.items()}
    expected = converted(write_folder(tmp_path / "wide", byte_level(), wide))
    folder = write_folder(tmp_path / "narrow", byte_level(), wide)
    head, at = {}, 0
    for name, array in narrow.items():
        head[name] = {"dtype": "BF16", "shape": array.shape, "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    told = json.dumps(head).encode()
    data = b"".join(array.tobytes() for array in narrow.values())
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(told)) + told + data)
    assert expected == converted(folder)


def test_weights_in_several_files_are_found(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    folder = write_folder(tmp_path, byte_level())
    (folder / "model.safetensors").unlink()
    numbers = weights(SMALL)
    names = sorted(numbers)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, chosen in parts.items():
        save_file({name: numbers[name] for name in chosen}, folder / file)
    places = {name: file for file, chosen in parts.items() for name in chosen}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    assert small_file() == converted(folder)


def test_an_untied_head_is_the_models_own(tmp_path: Path) -> None:
    model = read(converted(write_folder(tmp_path, byte_level(), tie_word_embeddings=False)))
    assert not np.array_equal(model.head.weights, small_model().head.weights)


def test_positions_may_be_stretched(tmp_path: Path) -> None:
    llama3 = {
        **{"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0},
        **{"high_freq_factor": 4.0, "original_max_position_embeddings": 64},
    }
    linear = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}
    plain = small_model().cosines
    slow = read(converted(write_folder(tmp_path / "a", byte_level(), rope_parameters=llama3))).cosines
    half = read(converted(write_folder(tmp_path / "b", byte_level(), rope_parameters=linear))).cosines

    assert np.array_equal(half[::2], plain[:16])
    assert np.array_equal(slow[:, 0], plain[:, 0])
    assert (slow[1:, -1] >= plain[1:, -1]).all()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"model_type": "gpt2"}, "'gpt2'"),
        ({"hidden_act": "gelu"}, "hidden_act"),
        ({"attention_bias": True}, "attention_bias"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "'yarn'"),
        ({"num_hidden_layers": 3}, "no weights called"),
    ],
)
def test_models_that_cannot_be_reckoned_with_are_refused(tmp_path: Path, changed: Any, sentence: str) -> None:
    folder = write_folder(tmp_path, byte_level(), weights(SMALL), **changed)
    with pytest.raises(BadArgument, match=sentence):
        converted(folder)


def test_folders_that_lack_something_are_refused_by_its_name(tmp_path: Path) -> None:
    for missing in ("config.json", "tokenizer.json", "model.safetensors"):
        folder = write_folder(tmp_path / missing, byte_level())
        (folder / missing).unlink()
        with pytest.raises(BadArgument, match=missing):
            converted(folder)
        (folder / missing).write_bytes(b"\xff" * 30)
        with pytest.raises(BadArgument):
            converted(folder)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    numbers = weights(SMALL)
    numbers["model.norm.weight"][3] = np.nan
    with pytest.raises(BadArgument, match=r"model\.norm\.weight"):
        converted(write_folder(tmp_path, byte_level(), numbers))


# --- vocabularies -------------------------------------------------------------------------------------


def test_every_byte_of_a_byte_level_vocabulary_is_a_token_and_special_ones_say_nothing() -> None:
    tokens = token_bytes(byte_level(), 300)
    assert {bytes([byte]) for byte in range(256)} <= set(tokens)
    assert tokens[0] == b""
    assert b"th" in tokens
    assert b" t" in tokens


def test_words_of_a_sentence_piece_vocabulary_begin_with_a_space() -> None:
    tokens = token_bytes(sentence_piece(), 200)
    assert b" sett" in tokens
    assert b"\x0a" in tokens
    assert "é".encode() in tokens
    assert tokens[:2] == [b"", b""]
    assert tokens[-1] == b""


def test_vocabularies_of_other_kinds_are_refused() -> None:
    for wrong in (b"", b"{}", b'{"model": {"type": "WordPiece", "vocab": {}}}', b"[" * 9999):
        with pytest.raises(BadArgument):
            token_bytes(wrong, 300)
    with pytest.raises(BadArgument, match="the model knows 20"):
        token_bytes(byte_level(), 20)


# --- files --------------------------------------------------------------------------------------------


def test_every_cut_of_the_head_and_of_the_file_is_refused() -> None:
    for cut in (0, 3, 5, 60, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, len(small_file()) - 1):
        with pytest.raises(Truncated):
            read(small_file()[:cut])
    with pytest.raises(Truncated):
        read(small_file() + b"\0")


def test_heads_that_make_no_sense_are_refused_before_anything_is_made_room_for() -> None:
    whole = small_file()
    for at in range(14):
        for value in (0, 3, 2**31, 2**32 - 1):
            changed = whole[: 5 + 4 * at] + struct.pack("<I", value) + whole[9 + 4 * at :]
            if changed != whole:
                try:
                    read_shape(memoryview(changed))
                except BadBytes:
                    continue
    with pytest.raises(Corrupt, match="begins with"):
        read(b"LTHP\x01" + whole[5:])
    with pytest.raises(LimitExceeded, match="layers"):
        read(whole[:5] + struct.pack("<I", 10_000) + whole[9:])
    with pytest.raises(Corrupt, match="mean nothing"):
        read(whole[: HEAD_BYTES - 1] + b"\x01" + whole[HEAD_BYTES:])


def test_weights_beyond_seven_bits_are_refused() -> None:
    shape, _ = read_shape(memoryview(small_file()))
    section = next(one for one in shape.sections() if one.name == "1.down.weights")
    for wrong in (WEIGHT_MAX + 1, 256 - WEIGHT_MAX - 1, 128):
        data = bytearray(small_file())
        data[section.offset + 7] = wrong
        with pytest.raises(Corrupt, match=r"1\.down"):
            read(bytes(data))


def test_tokens_that_do_not_add_up_are_refused() -> None:
    data = bytearray(small_file())
    data[HEAD_BYTES + 8] += 1
    with pytest.raises(Corrupt, match="tokens"):
        read(bytes(data))


def test_a_machine_that_reckons_otherwise_is_told_so() -> None:
    prove(small_model())
    with pytest.raises(Unsound, match="on this machine"):
        prove(replace(small_model(), proof=bytes(32)))
