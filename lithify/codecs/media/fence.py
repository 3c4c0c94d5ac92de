"""Calls into libraries that were written in other languages: whatever they raise is one of our errors."""

from collections.abc import Callable
from typing import TypeVar

from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt

Result = TypeVar("Result")
_PANIC = "PanicException"  # what a library in Rust raises where it gives up; it is no Exception


def fenced(what: str, call: Callable[[], Result]) -> Result:
    """What `call` gives. Raises Corrupt for whatever it raises, but for want of memory and being stopped."""
    try:
        return call()
    except MemoryError:
        raise
    except Exception as error:
        raise Corrupt(f"{what}: {type(error).__name__}: {str(error)[:200]}") from error
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise Corrupt(f"{what} gave up: {str(error)[:200]}") from error


def fenced_or_none(call: Callable[[], Result]) -> Result | None:
    """What `call` gives; None if it cannot, with a reason: for encoders, which have other ways."""
    try:
        return fenced("an encoder", call)
    except Corrupt as error:
        give_reason(error.message)
        return None
