"""The smallest film that is still as good as promised: a search for the highest rate factor that suffices.

On a sample first, by each coder that may serve; then on all of the film by the one that made the sample smaller. What
is promised is the mean over all pictures of the whole film, as measured, never as predicted.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from lithify.codecs.codec import Effort
from lithify.codecs.fidelity import Contract
from lithify.codecs.media.ffmpeg.quality import measure
from lithify.codecs.media.film import Pictures
from lithify.codecs.media.film_kept import refuse_changed
from lithify.codecs.media.film_made import Maker, Setting
from lithify.errors import Corrupt, FidelityBroken, LimitExceeded

OnPart = Callable[[float], None]

_AV1, _H264 = "libsvtav1", "libx264"
_SPANS = {_AV1: range(1, 64), _H264: range(1, 46)}
"""Rate factors of each coder."""
_FIRST = {_AV1: 36, _H264: 22}
"""Where the search begins: near to what VMAF 95 takes in most films."""
_STEP = {_AV1: 10, _H264: 6}
_PRESETS: dict[Effort, dict[str, str]] = {
    "fast": {_AV1: "10"},
    "default": {_AV1: "6", _H264: "medium"},
    "max": {_AV1: "4", _H264: "slow"},
}
_PROBES: dict[Effort, tuple[int, int]] = {"fast": (4, 2), "default": (6, 3), "max": (7, 5)}
"""Runs over the sample by each coder, and over the whole film."""
_THREADS = 2
_FORMATS = {
    _AV1: {"yuv420p", "yuv420p10le"},
    _H264: {f"yuv{chroma}p{depth}" for chroma in ("420", "422", "444") for depth in ("", "10le")},
}
_SAMPLE_SECONDS, _WHOLE_SECONDS = 5.0, 12.0
"""A film up to the second is its own sample."""


@dataclass
class _Trials:
    """What coding one film at some rate factors gave."""

    maker: Maker
    contract: Contract
    setting: Setting
    most: int
    """Bytes of a film that is of use: what is longer is not even measured."""
    films: dict[int, bytes] = field(default_factory=dict)
    values: dict[int, float] = field(default_factory=dict)

    def value(self, quality: int) -> float:
        """What is measured at a rate factor. A film that would be too long suffices, so that shorter ones are tried."""
        if quality not in self.values:
            try:
                made = self.maker.made(self.setting.at(quality), self.most)
                self.values[quality] = _measured(self.maker, made, self.contract)
                self.films[quality] = made
            except LimitExceeded:
                self.values[quality] = math.inf
        return self.values[quality]

    def search(self, first: int, probes: int) -> int | None:
        """The highest rate factor that is found to suffice; None: none of those tried does."""
        span = _SPANS[self.setting.coder]
        step = _STEP[self.setting.coder]
        return highest_sufficing(self.value, self._floor, span, (first, step), probes)

    @property
    def _floor(self) -> float:
        assert self.contract.value is not None, "a floor has a value"
        return self.contract.value


def film_at_floor(original: bytes, contract: Contract, effort: Effort, told: OnPart) -> bytes:
    """The smallest film found that keeps a floor. Raises FidelityBroken, with a sentence, if there is none.

    told  how much is done, from 0 to 1
    """
    maker = Maker.of(original)
    settings = _settings(maker.film.pictures, effort)
    of_sample, of_whole = _PROBES[effort]
    sample = _sample(maker)
    told(0.05)
    tried: list[tuple[int, int, _Trials]] = []
    for number, setting in enumerate(settings, 1):
        most = min((length for length, *_ in tried), default=len(sample.original))
        trials = _Trials(sample, contract, setting, most - 1)
        found = trials.search(_FIRST[setting.coder], of_sample)
        told(0.05 + 0.35 * number / len(settings))
        if found is not None and found in trials.films:
            tried.append((len(trials.films[found]), found, trials))
    if not tried:
        raise FidelityBroken(f"no coder reaches {contract} in fewer bytes than there are")
    _, quality, trials = min(tried, key=lambda one: one[0])
    if sample is not maker:
        trials = _Trials(maker, contract, trials.setting, len(original) - 1)
        found = trials.search(quality, of_whole)
        if found is None:
            raise FidelityBroken(f"{contract} was reached on a sample of the film, and not on all of it")
        quality = found
    told(0.9)
    made = trials.films.get(quality)
    if made is None:
        raise FidelityBroken(f"a film that keeps {contract} would be no smaller than this one")
    refuse_changed(original, made, same_pictures=False)
    return made


def _settings(pictures: Pictures, effort: Effort) -> list[Setting]:
    """How each coder that may serve is to code. Raises FidelityBroken where there is none."""
    if pictures.interlaced:
        raise FidelityBroken("its pictures are interlaced: no floor is measured of those")
    fitting = [coder for coder in _FORMATS if pictures.pixel_format in _FORMATS[coder]]
    if not fitting:
        raise FidelityBroken(f"its pictures are {pictures.pixel_format}, which is coded at no floor")
    asked = [coder for coder in fitting if coder in _PRESETS[effort]] or fitting
    return [Setting(coder, {"preset": _preset(coder, effort), "threads": _THREADS}) for coder in asked]


def _preset(coder: str, effort: Effort) -> str:
    return _PRESETS[effort].get(coder, _PRESETS["default"][coder])


def _sample(maker: Maker) -> Maker:
    """A stretch from the middle of a long film; a short one, or one that cannot be cut, itself."""
    seconds = maker.film.seconds
    if seconds > _WHOLE_SECONDS:
        with suppress(Corrupt, FidelityBroken, LimitExceeded):
            return Maker.of(maker.sample((seconds - _SAMPLE_SECONDS) / 2, _SAMPLE_SECONDS))
    return maker


def _measured(maker: Maker, made: bytes, contract: Contract) -> float:
    assert contract.metric is not None, "a floor has a metric"
    peak = (1 << maker.film.pictures.bits) - 1
    return measure(maker.original, made, [contract.metric], peak)[contract.metric].mean


def highest_sufficing(
    value: Callable[[int], float], floor: float, span: range, start: tuple[int, int], probes: int
) -> int | None:
    """The highest number of `span` found at which `value`, which falls, is not below `floor`; None: there was none.

    start   where to look first, and how far to go from there while all found are on one side
    probes  how many values may be asked for
    """
    at, step = start
    low, high = span.start - 1, span.stop
    known: dict[int, float] = {}
    for _ in range(probes):
        known[at] = value(at)
        low, high = (at, high) if known[at] >= floor else (low, at)
        if high - low <= 1:
            break
        at = _next(known, floor, (low, high), step)
    return low if low in known else None


def _next(known: dict[int, float], floor: float, between: tuple[int, int], step: int) -> int:
    low, high = between
    if low not in known:
        return max(low + 1, high - step)
    if high not in known:
        return min(high - 1, low + step)
    above, below = known[low] - floor, floor - known[high]
    part = above / (above + below) if math.isfinite(above) else 0.5
    return min(high - 1, max(low + 1, low + round(part * (high - low))))
