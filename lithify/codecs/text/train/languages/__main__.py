"""python -m lithify.codecs.text.train.languages FOLDER [OUT]

Fetches the packages that packages.tsv names into FOLDER, 250 MB, and makes languages.bin of what they say: five minutes
of one core. The same packages give the same tables. Prints their SHA-256, and that of their streams:
models.py must name both.
"""

import sys
from pathlib import Path

from lithify.codecs.text import learnt
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.mixing import encode_text
from lithify.codecs.text.models import LANGUAGES
from lithify.codecs.text.proof import streams_digest
from lithify.codecs.text.train.choosing import Room, choose
from lithify.codecs.text.train.corpus import COUNTS, STARTS, VALIDATION, Document, as_books_are, pieces, shuffled
from lithify.codecs.text.train.languages.sources import texts
from lithify.codecs.text.train.starting import START_BYTES, start_of

CLASS = TextClass.LANGUAGES
ROOM = Room(table_log=18, table_bytes=650_000, slots_log=23)
_VALIDATION_BYTES = 500_000


def main(folder: Path, out: Path) -> None:
    """Fetch, count, choose, start, write, and say how well it does on texts that nothing was learnt from."""
    read = [Document(one.name, CLASS, as_books_are(one.name, one.text)) for one in texts(folder)]
    packed = make(shuffled(read), ROOM)
    out.write_bytes(packed)
    made = learnt.unpack(packed, (CLASS,))
    print(f"{out}: {len(packed):,} bytes, tables {made.digest.hex()}, streams {streams_digest(made)}")
    held_out = pieces(read, CLASS, VALIDATION, _VALIDATION_BYTES)
    written = sum(len(encode_text(document.text, made, CLASS) or document.text) for document in held_out)
    length = sum(len(document.text) for document in held_out)
    print(f"{8 * written / length:.4f} bits per byte of {length:,} bytes held out")


def make(documents: list[Document], room: Room) -> bytes:
    """The file of the tables that these documents teach."""
    primed = choose([document for document in documents if document.part in COUNTS], room)
    return learnt.pack(primed, (start_of(pieces(documents, CLASS, STARTS, START_BYTES), CLASS, primed),))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else LANGUAGES.path)
