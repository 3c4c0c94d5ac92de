"""Short documents in twelve languages: the text codec's classes, and what a user could install."""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import gettempdir

import brotli
import zstandard

from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.codec import class_of
from lithify.codecs.text.mixing import encode_text
from lithify.codecs.text.proof import proved_for
from lithify.codecs.text.train.corpus import number_of
from lithify.codecs.text.train.languages.sources import Text, texts

_BYTES_MIN, _BYTES_MAX = 1_000, 16_000
_PAYLOAD_HEAD_BYTES = 3
COLUMNS = ("language", "texts", "bytes", "before", "text.mixing", "ppmd o6", "brotli 11", "zstd 22")


def main(arguments: Sequence[str]) -> None:
    """Print bits per byte by language."""
    options = argparse.ArgumentParser(prog="python -m bench languages")
    folder = Path(gettempdir()) / "lithify-packages"
    options.add_argument("--folder", type=Path, default=folder, help="where packages are, or are fetched to (25 MB)")
    options.add_argument("--texts", type=int, default=12, help="of each language")
    found = options.parse_args(arguments)
    try:
        chosen = list(_chosen(texts(found.folder, "measure"), found.texts))
    except OSError as error:
        print(f"no texts to measure with: {error}")
        return
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for tongue, text in chosen:
        sums[tongue].update(_sizes(text))
        sums["all"].update(_sizes(text))
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    for tongue in sorted(sums, key=lambda one: (one == "all", one)):
        row = sums[tongue]
        rates = [f"{8 * row[name] / row['bytes']:.3f}" for name in COLUMNS[3:]]
        print(f"| {tongue} | {row['texts']} | {row['bytes']:,} | " + " | ".join(rates) + " |")


def _chosen(found: Iterator[Text], most: int) -> Iterator[tuple[str, bytes]]:
    """So many short documents of each language, by the hash of their names."""
    short = [one for one in found if _BYTES_MIN <= len(one.text) <= _BYTES_MAX]
    taken: Counter[str] = Counter()
    for one in sorted(short, key=lambda one: number_of(one.name)):
        tongue = one.name.partition("/")[0]
        taken[tongue] += 1
        if taken[tongue] <= most:
            yield tongue, one.text


def _sizes(text: bytes) -> dict[str, int]:
    return {
        "texts": 1,
        "bytes": len(text),
        "before": _mixed(text, FIRST_CLASSES),
        "text.mixing": _mixed(text),
        "ppmd o6": len(Ppmd(Ppmd.params_for("default", len(text))).encode_block(text)),
        "brotli 11": len(brotli.compress(text, quality=11, lgwin=24)),
        "zstd 22": len(zstandard.compress(text, 22)),
    }


def _mixed(text: bytes, classes: Sequence[TextClass] = tuple(TextClass)) -> int:
    """Bytes of the payload, by the best of these classes."""
    text_class = class_of(text, "default", classes)
    return _PAYLOAD_HEAD_BYTES + len(encode_text(text, proved_for(text_class), text_class) or text)
