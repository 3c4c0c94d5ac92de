"""What the codecs that take primers share: params that name a primer, and the way it comes to who codes behind it."""

import re
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self, cast

from lithify.codecs.codec import EFFORTS, Codec, Params
from lithify.errors import Corrupt

_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class PrimedParams(Params):
    """How hard to try, and the primer that decoding needs, by its SHA-256."""

    effort: str = "default"
    primer: str = ""

    def __post_init__(self) -> None:
        if self.effort not in EFFORTS:
            raise Corrupt(f"effort {self.effort[:40]!r}: expected {', '.join(EFFORTS)}")
        if self.primer and not _DIGEST.fullmatch(self.primer):
            raise Corrupt(f"primer {self.primer[:80]!r}: expected the 64 digits of a SHA-256")


class PrimedCodec(Codec):
    """A codec whose params are PrimedParams, and that codes behind a teacher: a primer, unpacked."""

    _teacher: Any = None

    @staticmethod
    @abstractmethod
    def teacher_of(digest: str, primer: bytes) -> Any:
        """A primer, unpacked; the last ones should be remembered, because small originals come in crowds."""

    def decoder_params(self) -> bytes:
        """Only the primer: payloads say the rest themselves."""
        return self.params_type(primer=self.primer or "").to_json()  # type: ignore[call-arg]

    @property
    def primer(self) -> str | None:
        return cast("PrimedParams", self.params).primer or None

    def primed(self, primer: bytes) -> Self:
        if self.primer is None:
            raise Corrupt(f"{self.facts.id} was given a primer of {len(primer)} bytes, and names none")
        found = type(self)(self.params)
        found._teacher = self.teacher_of(self.primer, primer)
        return found

    @classmethod
    def params_with_primer(cls, params: Params, primer: str) -> Params:
        return replace(cast("PrimedParams", params), primer=primer)
