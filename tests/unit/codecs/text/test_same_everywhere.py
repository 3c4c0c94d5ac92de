"""Every machine writes the same streams, with a network and without; each other processor compiles once here."""

import hashlib

from lithify.codecs.text.classes import FIRST_CLASSES, TextClass
from lithify.codecs.text.learnt import languages, learnt
from lithify.codecs.text.mixing import decode_read, decode_text, encode_read, encode_text
from tests.elsewhere import INTERPRETED, PLAIN_PROCESSOR, printed
from tests.unit.codecs.text.corpus import EVERYTHING, PROSE
from tests.unit.codecs.text.networks import random_trained


def digest_here() -> str:
    """Of streams of all classes; each was decoded again."""
    digest = hashlib.sha256()
    for text_class in TextClass:
        tables = languages() if text_class is TextClass.LANGUAGES else learnt()
        for text in (EVERYTHING[-150:], PROSE[:40]):
            stream = encode_text(text, tables, text_class)
            assert stream is not None
            assert text == decode_text(stream, len(text), tables, text_class)
            digest.update(stream)
    for text_class in FIRST_CLASSES:
        for text in (EVERYTHING[-70:], PROSE[:30]):
            stream = encode_read(text, random_trained(1), text_class)
            assert stream is not None
            assert text == decode_read(stream, len(text), random_trained(1), text_class)
            digest.update(stream)
    return digest.hexdigest()


def digest_in(environment: dict[str, str]) -> str:
    """The digest as a process of its own finds it."""
    return printed(f"from {__name__} import digest_here; print(digest_here())", environment)


def test_streams_are_the_same_with_other_instructions_and_when_the_kernel_is_interpreted() -> None:
    """Interpreted, every index is checked, and numbers that wrap are warned of."""
    found = {
        digest_in(PLAIN_PROCESSOR),
        digest_in({"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512_SKX"}),
        digest_in(INTERPRETED),
    }
    assert {digest_here()} == found
