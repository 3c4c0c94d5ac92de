"""The smallest file that keeps a contract: forms are tried, and their qualities searched on what is measured."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from lithify.codecs.codec import Effort
from lithify.codecs.fidelity import Contract
from lithify.codecs.media.fence import fenced_or_none
from lithify.codecs.media.stills import targets
from lithify.codecs.media.stills.forms import JPEG
from lithify.codecs.media.stills.measuring import distance
from lithify.codecs.media.stills.reading import read_still
from lithify.codecs.media.stills.still import Still
from lithify.errors import BadArgument, BadBytes, FidelityBroken

_GUESS = 0.6
"""Where among the levels the first is tried: most floors that people ask for lie in the better half."""


class _Way(NamedTuple):
    """One form, and the levels of its quality, the worst first."""

    encode: Callable[[int], bytes]
    levels: int


def smallest(data: bytes, contract: Contract, effort: Effort) -> bytes:
    """A file of another form that keeps the contract of the file `data`.

    Raises BadArgument with a sentence where no form carries what the file says, FidelityBroken where none is close
    enough, and what reading raises.
    """
    still = read_still(data)
    if contract.kind == "content":
        made = [file for file in _without_loss(still, effort) if says_the_same(still, file)]
        if not made:
            raise BadArgument(f"neither JPEG XL nor WebP can say all that the file does{_what_is_lost(still)}")
        return min(made, key=len)
    upright = still.upright()
    made = [file for file in _reaching(upright, contract, effort) if file is not None]
    if still.media_type != JPEG:  # a decoded JPEG is larger without loss than it was
        made += [file for file in _without_loss(upright, effort) if says_the_same(upright, file, others=False)]
    if not made:
        raise FidelityBroken(f"no form that carries the picture, 16 bits or profile and all, keeps {contract}")
    return min(made, key=len)


def _what_is_lost(still: Still) -> str:
    said = list(still.others)
    said += [f"samples of {still.bits} bits"] * (still.bits not in {8, 16})
    return f": {', '.join(said)}" if said else ""


def _without_loss(still: Still, effort: Effort) -> Iterator[bytes]:
    makers = ((targets.fits_jxl, targets.lossless_jxl), (targets.fits_webp, targets.lossless_webp))
    for fits, make in makers:
        made = make(still, effort) if fits(still) else None
        if made is not None:
            yield made


def says_the_same(still: Still, file: bytes, *, others: bool = True) -> bool:
    """Whether a file has the same pixels and notes; with `others` also whether nothing else was said, nor is."""
    try:
        again = read_still(file)
    except (BadArgument, BadBytes):
        return False
    same = again.picture.dtype == still.picture.dtype and again.picture.shape == still.picture.shape
    same = same and bool((again.picture == still.picture).all()) and again.notes == still.notes
    return same and (not others or (not still.others and still.bits == again.bits and still.turn == again.turn))


def _reaching(still: Still, contract: Contract, effort: Effort) -> Iterator[bytes | None]:
    metric, floor = str(contract.metric), float(contract.value or 0.0)
    for way in _ways(still, metric, effort):
        yield _searched(still, way, metric, floor)


def _ways(still: Still, metric: str, effort: Effort) -> Iterator[_Way]:
    if targets.fits_jxl(still):
        levels = targets.JXL_LEVELS
        yield _Way(lambda level: targets.jxl(still, levels[level], effort=effort), len(levels))
    if targets.fits_avif(still):
        # Half the colours are no loss to luma, and may be too great a one to all colours together.
        coloured = still.picture.shape[2] >= 3 and metric == "psnr"
        for subsampling in ("4:2:0", "4:4:4") if coloured else ("4:2:0",):
            make = partial(targets.avif, still, subsampling=subsampling, effort=effort)
            yield _Way(partial(_at_quality, make), len(targets.AVIF_LEVELS))


def _at_quality(make: Callable[[int], bytes], level: int) -> bytes:
    return make(targets.AVIF_LEVELS[level])


def _searched(still: Still, way: _Way, metric: str, floor: float) -> bytes | None:
    """The file at the worst level that keeps the floor, by bisection; None if none does or the library cannot."""
    best: bytes | None = None
    worst, beyond = 0, way.levels
    while worst < beyond:
        span = beyond - worst
        level = worst + int(span * _GUESS) if span == way.levels else worst + span // 2
        made = fenced_or_none(partial(way.encode, level))
        if made is None:
            return None
        if _keeps(still, made, metric, floor):
            best = made if best is None or len(made) < len(best) else best
            beyond = level
        else:
            worst = level + 1
    return best


def _keeps(still: Still, file: bytes, metric: str, floor: float) -> bool:
    again = read_still(file)
    if again.picture.shape != still.picture.shape or again.notes != still.notes:
        return False
    return distance(still.picture, again.picture, wanted=metric).by(metric) >= floor
