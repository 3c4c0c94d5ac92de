"""What each token of a vocabulary says, in bytes, kept here so that no tokenizer's version decides what is decoded."""

import json
import re
from typing import Any

from lithify.errors import BadArgument

_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")
_SPACE = "\u2581"


def token_bytes(tokenizer: bytes, size: int) -> list[bytes]:
    """The bytes of each token, empty for those that stand for no text. Raises BadArgument for other vocabularies.

    tokenizer  a tokenizer.json
    size       how many tokens the model knows
    """
    document = _document(tokenizer)
    model = document["model"]
    vocabulary = model.get("vocab")
    if model.get("type") != "BPE" or not isinstance(vocabulary, dict):
        raise BadArgument(f"the tokenizer is of type {model.get('type')}; expected BPE")
    told = _byte_level if _is_byte_level(document) else _sentence_piece
    found = [b""] * size
    for text, number in vocabulary.items():
        _keep(found, number, told(text))
    for added in document.get("added_tokens") or ():
        _keep(found, added["id"], b"" if added["special"] else added["content"].encode())
    return found


def _document(tokenizer: bytes) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(tokenizer)
        document["model"]["type"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadArgument(f"tokenizer.json cannot be read: {error!r}") from error
    return document


def _keep(found: list[bytes], number: int, text: bytes) -> None:
    if not 0 <= number < len(found):
        raise BadArgument(f"the tokenizer has token {number}, the model knows {len(found)}")
    found[number] = text


def _is_byte_level(document: dict[str, Any]) -> bool:
    return '"ByteLevel"' in json.dumps([document.get("pre_tokenizer"), document.get("decoder")])


def _byte_level(text: str) -> bytes:
    try:
        return bytes(_BYTES[character] for character in text)
    except KeyError:
        return text.encode()  # an added token, told as it is


def _sentence_piece(text: str) -> bytes:
    if found := _BYTE_TOKEN.fullmatch(text):
        return bytes([int(found[1], 16)])
    return text.replace(_SPACE, " ").encode()


def _letters_of_bytes() -> dict[str, int]:
    """How byte-level vocabularies spell bytes: those that can be seen as themselves, others from U+0100 on."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in seen]
    return {chr(byte): byte for byte in seen} | {chr(256 + index): byte for index, byte in enumerate(others)}


_BYTES = _letters_of_bytes()
