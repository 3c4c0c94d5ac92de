"""What the network wins beside the same mixing without it, and how fast: part `network` of `python -m bench text`."""

import math
import sys
import time
from collections.abc import Sequence

from bench.bars import Bar
from bench.figures import table
from bench.text_files import TextFile
from lithify import limits
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.codec import class_of
from lithify.codecs.text.mixing import decode_read, encode_read, encode_text
from lithify.codecs.text.network import Trained
from lithify.codecs.text.proof import proved_network

_SHORT = "short documents"
_HEADS = 5, 3
"""Bytes of a payload before its stream, with the network and without."""
_BARS = {
    "canterbury/alice29.txt": 1.75,
    "calgary/book1": 2.0,
    _SHORT: 1.80,
    "docs/rust_book.md": 1.50,
    "code/flask.py": 1.20,
}


def network_part(files: Sequence[TextFile]) -> list[Bar]:
    """Every file in its class, as one group; what comes back is compared. Ten minutes for the evaluation pack."""
    trained = proved_network()
    spent, length, found = [0.0, 0.0], 0, {}
    for file in files:
        if len(file.data) > limits.TEXT_NETWORK_BYTES_MAX:
            continue
        print(file.name, file=sys.stderr)
        text_class = class_of(file.data, "max")
        without = encode_text(file.data, trained.learnt, text_class)
        stream, seconds = _timed(file.data, trained, text_class)
        found[file.name] = _HEADS[0] + len(stream), _HEADS[1] + len(without or file.data)
        spent, length = [spent[0] + seconds[0], spent[1] + seconds[1]], length + len(file.data)
    sizes = {file.name: len(file.data) for file in files if file.name in found}
    names = {file.name: [file.name] for file in files if file.name in found and not file.is_short}
    names[_SHORT] = [file.name for file in files if file.name in found and file.is_short]
    bits = {name: [_bits(found, sizes, each, way) for way in (0, 1)] for name, each in names.items() if each}
    rows = [(n, f"{w:.3f}", f"{b:.3f}", f"{100 * (1 - b / w):.1f} %") for n, (b, w) in bits.items()]
    table(("bits per byte", "mixing", "with the network", "less by"), rows)
    mean = math.exp(sum(math.log(b / w) for b, w in found.values()) / len(found))
    print(f"geometric mean over {len(found)} files: {100 * (1 - mean):.2f} % less")
    print(f"KB per CPU-second: in {length / spent[0] / 1e3:.1f}, out {length / spent[1] / 1e3:.1f}")
    bars = [Bar(f"{n} with the network", most, bits[n][0], at_most=True) for n, most in _BARS.items() if n in bits]
    worst = max(b / w for b, w in found.values())
    return [
        *bars,
        Bar("every file: bytes / without", 1.005, worst, at_most=True),
        Bar("out, KB/s cpu", 12, length / spent[1] / 1e3),
    ]


def _timed(data: bytes, trained: Trained, text_class: TextClass) -> tuple[bytes, tuple[float, float]]:
    started = time.process_time()
    stream = encode_read(data, trained, text_class)
    middle = time.process_time()
    assert stream is not None, "every text of the pack gets smaller"
    assert decode_read(stream, len(data), trained, text_class) == data, "a way that loses bytes has no figures"
    return stream, (middle - started, time.process_time() - middle)


def _bits(found: dict[str, tuple[int, int]], sizes: dict[str, int], names: Sequence[str], way: int) -> float:
    return 8 * sum(found[name][way] for name in names) / sum(sizes[name] for name in names)
