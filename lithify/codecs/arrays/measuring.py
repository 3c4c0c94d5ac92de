"""How far the arrays of a decoded file are from those of the original, and whether that is within the contract.

Nothing here knows how they were encoded: both files are read anew, by the container's own reader.
"""

import math
from typing import cast

import numpy as np

from lithify.codecs.array_types import U8, Bools, Values
from lithify.codecs.arrays.containers.find import arrays_in
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import skeleton_mask
from lithify.codecs.fidelity import Contract
from lithify.codecs.similarity import SIDE, similarity
from lithify.errors import FidelityBroken

Figures = dict[str, float | int | bool]
_SSIM_FRAMES_MAX = 64


def measured(original: bytes, decoded: bytes, contract: Contract) -> dict[str, Figures]:
    """A table of figures for each array that may differ. Raises FidelityBroken unless the contract is kept."""
    if len(original) != len(decoded):
        raise FidelityBroken(f"{len(decoded)} bytes came back of {len(original)}")
    loose = [one for one in arrays_in(original) if one.data] if contract.kind == "bounded" else []
    mask = skeleton_mask([one.extent for one in loose], len(original))
    before, after = (cast("U8", np.frombuffer(data, np.uint8)) for data in (original, decoded))
    wrong = np.flatnonzero(mask & (before != after))
    if len(wrong):
        raise FidelityBroken(f"byte {wrong[0]} is none of a loosened array, and {len(wrong)} such bytes differ")
    table: dict[str, Figures] = {}
    for variable in loose:
        name = variable.name.lstrip("/") or "values"
        while name in table:
            name += "'"
        with np.errstate(over="ignore", invalid="ignore"):  # of the largest numbers there are
            table[name] = _compared(name, variable, original, decoded, contract)
    return table


def _compared(name: str, variable: Variable, original: bytes, decoded: bytes, contract: Contract) -> Figures:
    before, after = (variable.extent.gather(data) for data in (original, decoded))
    valid = _valid(before, variable)
    width = f"u{before.dtype.itemsize}"
    if not np.array_equal(before[~valid].view(width), after[~valid].view(width)):
        raise FidelityBroken(f"{name}: a missing value, NaN or infinity did not come back as it was")
    if not (valid == _valid(after, variable)).all():
        raise FidelityBroken(f"{name}: a value became a missing one, NaN or infinity")
    exact, found = (array[valid].astype(np.float64) for array in (before, after))
    figures: Figures = {"points": int(before.size), "valid_points": len(exact), "mask_equal": True}
    if not len(exact):
        return figures
    errors = np.abs(found - exact)
    _refuse_beyond(name, exact, found, errors, contract)
    span = float(exact.max() - exact.min())
    figures |= {"max_abs_error": float(errors.max()), "bias": float(np.mean(found - exact))}
    square = float(np.mean(np.square(errors)))
    if span and math.isfinite(span):
        figures["max_rel_error"] = float(errors.max() / span)
        if square:
            figures["psnr_db"] = round(10 * math.log10(span * span / square), 3)
        similarity = _similarity(before, after, valid, span)
        figures |= {} if similarity is None else {"ssim": similarity}
    return figures


def _valid(values: Values, variable: Variable) -> Bools:
    """Where there is a value."""
    found = cast("Bools", np.isfinite(values))
    for fill in variable.own_fills:
        found &= values != fill
    return found


def _refuse_beyond(name: str, exact: Values, found: Values, errors: Values, contract: Contract) -> None:
    bound = cast("float", contract.value)
    if contract.metric == "pwrel":
        allowed = bound * np.abs(exact)
        if (np.signbit(exact) != np.signbit(found)).any():
            raise FidelityBroken(f"{name}: a value changed its sign, and {contract} keeps signs")
    else:
        allowed = np.asarray(bound * (exact.max() - exact.min()) if contract.metric == "rel" else bound)
    beyond = np.count_nonzero(errors > allowed)
    if beyond:
        raise FidelityBroken(f"{name}: {beyond} values differ by up to {errors.max():g}, more than {contract} allows")


def _similarity(before: Values, after: Values, valid: Bools, span: float) -> float | None:
    """Mean structural similarity of the frames of the last two axes; None if they are too small."""
    if before.ndim < 2 or min(before.shape[-2:]) < SIDE:
        return None
    rows, columns = before.shape[-2:]
    frames = [array.reshape(-1, rows, columns) for array in (before, after, valid)]
    step = max(1, len(frames[0]) // _SSIM_FRAMES_MAX)
    found = []
    for exact, other, inside in zip(*(array[::step] for array in frames), strict=True):
        if inside.any():
            middle = exact[inside].astype(np.float64).mean()
            pair = [np.where(inside, array.astype(np.float64) - middle, 0.0) for array in (exact, other)]
            found.append(similarity(pair[0], pair[1], middle, span))
    return round(float(np.mean(found)), 6) if found else None
