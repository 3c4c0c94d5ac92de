"""python -m lithify.codecs.text.train FOLDER [OUT]

Makes learnt.bin of the tar files in FOLDER (corpus.py names them): five minutes of one core, 6 GB of memory. The same
files give the same tables, as long as the logarithms of numpy stay what they are. Prints their SHA-256, and that
of their streams: models.py must name both.
"""

import sys
from pathlib import Path

from lithify.codecs.text import learnt
from lithify.codecs.text.mixing import encode_text
from lithify.codecs.text.proof import streams_digest
from lithify.codecs.text.train.choosing import choose
from lithify.codecs.text.train.corpus import COUNTS, LEARNT_CLASSES, VALIDATION, Document, pieces, read_corpus
from lithify.codecs.text.train.starting import all_starts

_VALIDATION_BYTES = 500_000


def main(folder: Path, out: Path) -> None:
    """Count, choose, start, write, and say how well it does on texts that nothing was learnt from."""
    documents = read_corpus(folder)
    primed = choose([document for document in documents if document.part in COUNTS])
    packed = learnt.pack(primed, all_starts(documents, primed))
    out.write_bytes(packed)
    made = learnt.unpack(packed)
    print(f"{out}: {len(packed):,} bytes, tables {made.digest.hex()}, streams {streams_digest(made)}")
    for text_class in LEARNT_CLASSES:
        read = pieces(documents, text_class, VALIDATION, _VALIDATION_BYTES)
        print(f"{text_class.name}: {_bits_per_byte(read, made):.4f} bits per byte of texts held out")


def _bits_per_byte(read: list[Document], made: learnt.Learnt) -> float:
    streams = [encode_text(document.text, made, document.text_class) or document.text for document in read]
    return 8 * sum(map(len, streams)) / sum(len(document.text) for document in read)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else learnt.PATH)
