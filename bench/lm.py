"""Texts told by a language model: whole numbers beside floating point, what the text itself teaches, how fast.

python -m bench lm MODEL [--bytes N] [FILE...]

MODEL is a Hugging Face folder (`python -m lithify.codecs.text.lm.train_small` makes a small one). Of each file the
first N bytes; without files, some of the evaluation pack. Floating point is measured where torch and transformers are
installed. One thread; speeds are kilobytes (1,000 bytes) a second of processor time.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.figures import table
from bench.text_files import TextFile, text_files
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.text.codec import Text
from lithify.codecs.text.lm.convert import convert
from lithify.codecs.text.lm.engine import Engine
from lithify.codecs.text.lm.model import ExactModel, read_model
from lithify.codecs.text.lm.proof import told_digest
from lithify.codecs.text.lm.stream import decode_text, encode_text, streams_for
from lithify.codecs.text.lm.tokens import speller_of

CHOSEN = ("alice29.txt", "book1", "paper1", "rust_book.md", "flask.py", "twitter.json", "deu_novel.txt")
_LOG2_E = 1 / float(np.log(2))
Logarithms = npt.NDArray[np.float64]
Says = Callable[[npt.NDArray[np.int64]], Logarithms]
"""From tokens to the logarithms behind each, of base 2 and without their sum."""


def main(arguments: list[str]) -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(prog="python -m bench lm")
    parser.add_argument("model", nargs="?", type=Path, help="a Hugging Face folder")
    parser.add_argument("files", nargs="*", type=Path, help="texts")
    parser.add_argument("--bytes", type=int, default=40_000, help="of each text")
    parser.add_argument("--activations", type=int, default=8, help="bits of an activation")
    asked = parser.parse_args(arguments)
    files = [one for one in text_files(asked.files) if asked.files or one.name.rsplit("/", 1)[-1] in CHOSEN]
    if asked.model is None or not files:
        print("nothing to measure with: name a language model's folder, and texts if there is no evaluation pack")
        return
    model = _model(asked.model, asked.activations)
    print(f"{model.shape}\nit says {told_digest(Engine(model, 1), model.shape.vocabulary).hex()[:16]}…")
    cut = [TextFile(one.name, one.data[: asked.bytes]) for one in files]
    _ratios(model, _floating(asked.model), cut)
    _speeds(model, cut)


def _model(folder: Path, activation_bits: int) -> ExactModel:
    out = BytesIO()
    convert(folder, out, activation_bits=activation_bits)
    return read_model(memoryview(out.getvalue()))


# --- ratios ---------------------------------------------------------------------------------------------


def _ratios(model: ExactModel, floating: Says | None, files: Sequence[TextFile]) -> None:
    rows = []
    for file in files:
        symbols, length = speller_of(model).spell(file.data).astype(np.int64), len(file.data)
        floats = "–" if floating is None else f"{_cost(model, floating, symbols) / length:.4f}"
        whole = _cost(model, partial(_whole, model), symbols) / length
        taught = [8 * len(encode_text(file.data, model, streams=count)) / length for count in (1, None)]
        others = [8 * len(one) / length for one in (Text().encode_group(file.data), Ppmd().encode_block(file.data))]
        name = f"{file.name.rsplit('/', 1)[-1]}, {length / 1000:.0f} KB"
        figures = (f"{one:.3f}" for one in (*taught, *others))
        rows.append((name, f"{length / len(symbols):.2f}", floats, f"{whole:.4f}", *figures))
    streams = streams_for(10_000, model.shape)
    titles = ("fp32", "whole numbers", "and taught, 1 stream", f"{streams} or so", "text.mixing", "PPMd")
    table(("bits per byte", "bytes a token", *titles), rows)


def _whole(model: ExactModel, tokens: npt.NDArray[np.int64]) -> Logarithms:
    said = Engine(model, 1).read(tokens[None])
    assert said is not None
    found: Logarithms = said[0] / 65536.0
    return found


def _floating(folder: Path) -> Says | None:
    """The model as others run it, in single precision; None where that is not installed."""
    try:
        import torch
        from transformers import LlamaForCausalLM
    except ModuleNotFoundError:
        return None
    torch.set_num_threads(1)
    model: Any = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)

    def says(tokens: npt.NDArray[np.int64]) -> Logarithms:
        with torch.no_grad():
            found: Logarithms = model(input_ids=torch.from_numpy(tokens)[None]).logits[0].double().numpy()
        return found * _LOG2_E

    return says


def _cost(model: ExactModel, says: Says, symbols: npt.NDArray[np.int64]) -> float:
    """Bits of all symbols, of which every one is a token, in one stream as the codec has them."""
    context, begin = model.shape.context, model.shape.begin
    before = np.concatenate([[begin], symbols])
    at, bits = 0, 0.0
    while at < len(symbols):
        kept = context // 2 if at else 0
        read = before[:context] if not at else np.concatenate([[begin], before[at - kept + 1 : at - kept + context]])
        told = says(read)[kept:][: len(symbols) - at]
        peak = told.max(axis=1)
        sums = peak + np.log2(np.exp2(told - peak[:, None]).sum(axis=1))
        bits += float((sums - told[np.arange(len(told)), symbols[at : at + len(told)]]).sum())
        at += len(told)
    return bits


# --- speed ----------------------------------------------------------------------------------------------


def _speeds(model: ExactModel, files: Sequence[TextFile]) -> None:
    data = max((file.data for file in files), key=len)
    rows = []
    for streams in (1, 4, 16, 64):
        started = time.process_time()
        stream = encode_text(data, model, streams=streams)
        middle = time.process_time()
        assert decode_text(stream, len(data), model) == data, "a way that loses bytes has no figures"
        spent = middle - started, time.process_time() - middle
        rates = (f"{len(data) / one / 1000:.1f}" for one in spent)
        rows.append((streams, f"{8 * len(stream) / len(data):.3f}", *rates))
    table(("streams", "bits per byte", "in, KB/s cpu", "out, KB/s cpu"), rows)
