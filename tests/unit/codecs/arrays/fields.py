"""Arrays like those that instruments and models write, made from a seed."""

from collections.abc import Callable

import numpy as np

from lithify.codecs.arrays.network import INPUTS, OUTPUTS, Network

Field = np.ndarray


def smooth(shape: tuple[int, ...], seed: int = 1) -> Field:
    """A float32 field that varies slowly along every axis, with a little noise."""
    chance = np.random.default_rng(seed)
    total = np.zeros(shape)
    for axis, length in enumerate(shape):
        along = np.arange(length).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        total = total + 9 * np.sin(along / (3 + 2 * axis) + chance.uniform(0, 6)) + 0.1 * along
    return (280 + total + chance.normal(0, 0.05, shape)).astype(np.float32)


def with_holes(values: Field, hole: float = np.nan) -> Field:
    """The same with a coast of holes, and a cloud in every frame."""
    out = values.copy()
    y, x = np.indices(values.shape[-2:])
    out[..., x + y < 9] = hole
    for frame, part in enumerate(out.reshape(-1, *values.shape[-2:])):
        part[(y - 8) ** 2 + (x - 2 * frame % 20) ** 2 < 12] = hole
    return out


def decimals(shape: tuple[int, ...]) -> Field:
    """Rounded to hundredths."""
    return np.round(smooth(shape).astype(np.float64), 2).astype(np.float32)


def scaled(shape: tuple[int, ...]) -> Field:
    """Integers that were given a scale and an offset."""
    found: Field = (np.rint(smooth(shape) * 30).astype(np.float64) * 0.00187 + 3.1).astype(np.float32)
    return found


def packed(shape: tuple[int, ...]) -> Field:
    """Every frame packed on a base of its own, as GRIB does."""
    values = smooth(shape).astype(np.float64)
    base = np.float32(values.min(axis=(-2, -1), keepdims=True)).astype(np.float64)
    framed: Field = (base + np.rint((values - base) * 64) / 64).astype(np.float32)
    return framed


def turbulent(shape: tuple[int, ...]) -> Field:
    """Noise about zero: both signs, many exponents."""
    chance = np.random.default_rng(5)
    return (smooth(shape) - 280 + chance.normal(0, 3, shape)).astype(np.float32) * np.float32(1e-5)


def waves(shape: tuple[int, int, int], shortest: float, seed: int = 7) -> Field:
    """Waves that run in all directions, none shorter than so many values; from -3 to 3 or so."""
    chance = np.random.default_rng(seed)
    t, y, x = np.meshgrid(*map(np.arange, shape), indexing="ij")
    total = np.zeros(shape)
    for way, length, phase in chance.uniform(0, 1, (60, 3)):
        turn = 2 * np.pi * np.sqrt(length) / shortest
        total += np.sin(turn * (np.cos(2 * np.pi * way) * x + np.sin(2 * np.pi * way) * y) + 6 * phase + 0.7 * t)
    return total / np.float64(30) ** 0.5


def few(shape: tuple[int, ...]) -> Field:
    """Few different values, on no lattice."""
    table = np.sort(np.random.default_rng(6).normal(0, 5, 23)).astype(np.float32)
    found: Field = table[(np.rint(smooth(shape) * 2).astype(int)) % 23]
    return found


def stretched(shape: tuple[int, ...]) -> Field:
    """Whole numbers of which every fifth is far more common than the others."""
    chance = np.random.default_rng(7)
    fine = np.rint(smooth(shape) * 20).astype(np.int64)
    found: Field = np.where(chance.random(shape) < 0.9, fine // 5 * 5, fine).astype(np.uint16)
    return found


FIELDS: dict[str, Callable[[tuple[int, ...]], Field]] = {
    "smooth": smooth,
    "holed": lambda shape: with_holes(smooth(shape)),
    "decimals": decimals,
    "scaled": scaled,
    "packed": packed,
    "turbulent": turbulent,
    "few": few,
    "stretched": stretched,
    "double": lambda shape: smooth(shape).astype(np.float64) * 1.1,
    "half": lambda shape: smooth(shape).astype(np.float16),
    "int16": lambda shape: np.rint(smooth(shape) * 20).astype(np.int16),
    "uint8 with a lone 255": lambda shape: np.where(smooth(shape) > 290, 255, smooth(shape) - 250).astype(np.uint8),
    "int64": lambda shape: np.rint(smooth(shape).astype(np.float64) * 1e12).astype(np.int64),
    "complex": lambda shape: (smooth(shape) + 1j * smooth(shape, 2)).astype(np.complex64),
}


def scenes(count: int = 24) -> np.ndarray:
    """Two rough landscapes that come back again and again, under a few clouds: what films are good at."""
    chance = np.random.default_rng(5)
    sides = (2, 120, 130)
    lands = np.cumsum(np.cumsum(chance.normal(0, 1, sides), axis=1), axis=2) + chance.normal(0, 3, sides)
    found = np.stack([lands[number % 2] for number in range(count)])
    found[::5, 20:40, 20:50] += 60
    return found.astype(np.float32)


def blocky() -> np.ndarray:
    """A pattern of remainders with a little noise: what pictures are good at."""
    chance = np.random.default_rng(3)
    y, x = np.mgrid[0:160, 0:180]
    found: np.ndarray = (x * y % 251 + chance.integers(0, 2, (160, 180))).astype(np.uint8)[None]
    return found


def some_network(units: tuple[int, int] = (32, 32), most: int = 40, seed: int = 3) -> Network:
    """A network that was taught nothing: weights are drawn by lot."""
    chance = np.random.default_rng(seed)
    shapes = (INPUTS, units[0]), (units[0] + 1, units[1]), (units[1] + 1, OUTPUTS)
    return Network(*(chance.integers(-most, most, shape, endpoint=True).astype(np.int32) for shape in shapes))
