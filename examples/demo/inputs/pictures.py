"""Two photographs of a place that does not exist: a ray-marched landscape, with the lens and the noise of a camera."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float32]

_LAND = 1024  # samples along each side of the height map, which is 1 wide and repeats
_RELIEF = 0.17  # height of its highest top
_EYE = 0.05  # above the ground where the camera stands
_HORIZON = 0.34  # part of the picture above the horizon
_STEPS = 220
_FAR = 2.2


def _colour(*channels: float) -> Plane:
    return np.array(channels, dtype=np.float32)


_SUN = _colour(0.62, 0.50, -0.60)
_SKY, _HAZE = _colour(0.30, 0.47, 0.78), _colour(0.74, 0.80, 0.86)
_GRASS, _ROCK, _SNOW = _colour(0.16, 0.22, 0.07), _colour(0.30, 0.26, 0.22), _colour(0.86, 0.88, 0.92)


def write_pictures(folder: Path) -> Iterator[Path]:
    """`mountains.png` (1152 × 768) and `valley.jpg` (1344 × 896)."""
    chance = np.random.default_rng(11)
    land = _terrain(chance)
    mountains = _photograph(land, 1152, 768, turn=0.4, chance=chance)
    mountains.save(folder / "mountains.png")
    yield folder / "mountains.png"
    valley = _photograph(land, 1344, 896, turn=3.3, chance=chance)
    valley.save(folder / "valley.jpg", quality=90)
    yield folder / "valley.jpg"


def _terrain(chance: np.random.Generator) -> Plane:
    """Heights from 0 to 1: wide hills, and on the high ones ridges, which are the folds of another noise."""
    hills, folds = _noise(chance, roughness=2.6), _noise(chance, roughness=1.9)
    hills = (hills - hills.min()) / np.ptp(hills)
    ridges = np.exp(-1.3 * np.abs(folds))
    land = hills**1.5 * (0.55 + 0.45 * ridges) + 0.004 * _noise(chance, roughness=1.4)
    return _float32((land - land.min()) / np.ptp(land))


def _float32(values: Any) -> Plane:
    return np.asarray(values, dtype=np.float32)


def _noise(chance: np.random.Generator, roughness: float) -> Plane:
    """Noise of every scale, the large ones strongest by `roughness`; mean 0, deviation 1, repeating without a seam."""
    spectrum = np.fft.rfft2(chance.standard_normal((_LAND, _LAND)))
    scale = np.hypot(np.fft.fftfreq(_LAND)[:, None], np.fft.rfftfreq(_LAND)[None, :])
    scale[0, 0] = np.inf
    smooth = np.fft.irfft2(spectrum / scale**roughness, s=(_LAND, _LAND))
    return _float32(smooth / smooth.std())


def _photograph(land: Plane, width: int, height: int, *, turn: float, chance: np.random.Generator) -> Image.Image:
    """Look for where each pixel's ray meets the ground, colour that spot, and take the picture."""
    across = _float32((np.arange(width) / width - 0.5) * 0.9)
    upward = _float32((_HORIZON - np.arange(height) / height) * 0.6)
    east, north = np.sin(turn + across), np.cos(turn + across)
    distance = _march(land, east, north, upward)
    seen = np.minimum(distance, _FAR)
    ground = _ground(land, _noise(chance, roughness=1.1), seen * east, seen * north)
    haze = (1 - np.exp(-0.75 * seen**1.3))[..., None]
    sky = _sky(upward, _noise(chance, roughness=1.7), across)
    scene = np.where(np.isinf(distance)[..., None], sky, ground * (1 - haze) + _HAZE * haze)
    return Image.fromarray(_expose(_float32(scene), chance), "RGB")


def _march(land: Plane, east: Plane, north: Plane, upward: Plane) -> Plane:
    """How far each ray goes before it meets the ground; infinite for those that reach the sky."""
    found = np.full((len(upward), len(east)), np.inf, dtype=np.float32)
    eye = _EYE + _RELIEF * land[0, 0]
    last, last_above = np.float32(0), np.full_like(found, eye)
    for distance in np.geomspace(0.03, _FAR, _STEPS, dtype=np.float32):
        ground = _RELIEF * _at(land, distance * east, distance * north)
        above = eye + upward[:, None] * distance - ground
        hit = (above <= 0) & np.isinf(found)
        between = last_above[hit] / (last_above[hit] - above[hit])
        found[hit] = last + (distance - last) * between
        last, last_above = distance, above
    return found


def _at(plane: Plane, x: Plane, y: Plane) -> Plane:
    """Values between the samples of a plane, by bilinear interpolation."""
    column, row = x * _LAND, y * _LAND
    left, top = np.floor(column).astype(np.intp), np.floor(row).astype(np.intp)
    right_part, low_part = column - left, row - top
    left, top, right, low = left % _LAND, top % _LAND, (left + 1) % _LAND, (top + 1) % _LAND
    upper = plane[top, left] * (1 - right_part) + plane[top, right] * right_part
    lower = plane[low, left] * (1 - right_part) + plane[low, right] * right_part
    return _float32(upper * (1 - low_part) + lower * low_part)


def _ground(land: Plane, grain: Plane, x: Plane, y: Plane) -> Plane:
    """Grass in the valleys, rock on the slopes, snow on the tops; mottled, and lit by a low sun."""
    fine, coarse = _at(grain, x * 29, y * 29), _at(grain, x * 5, y * 5)
    rise_y, rise_x = np.gradient(land * _RELIEF * _LAND)
    slope_x = _at(rise_x, x, y) + 0.10 * fine
    slope_y = _at(rise_y, x, y) + 0.10 * _at(grain, x * 17, y * 17)
    steep = np.sqrt(1 + slope_x**2 + slope_y**2)
    light = np.clip((_SUN[1] - slope_x * _SUN[0] - slope_y * _SUN[2]) / steep, 0.0, None)
    rock = np.clip((steep - 1.22 + 0.06 * coarse) * 5, 0, 1)[..., None]
    snow = np.clip((_at(land, x, y) - 0.52 + 0.05 * coarse) * 9, 0, 1)[..., None] * (1 - 0.7 * rock)
    colour = (_GRASS * (1 - rock) + _ROCK * rock) * (1 + 0.2 * coarse + 0.25 * fine)[..., None]
    return _float32((colour * (1 - snow) + _SNOW * snow) * (0.12 + 1.15 * light[..., None]))


def _sky(upward: Plane, wisps: Plane, across: Plane) -> Plane:
    """Haze at the horizon, blue above, with some thin cloud."""
    high = np.clip(upward / upward.max(), 0, 1)[:, None]
    cloud = _at(wisps, 0.35 * across[None, :] + 0 * high, 0.5 * np.sqrt(high) + 0 * across)
    cloud = (np.clip(cloud - 0.3, 0, 1.2) * 0.5)[..., None]
    clear = _HAZE * (1 - high[..., None] ** 0.6) + _SKY * high[..., None] ** 0.6
    return _float32(clear * (1 - cloud) + _colour(0.93, 0.94, 0.95) * cloud)


def _expose(scene: Plane, chance: np.random.Generator) -> NDArray[np.uint8]:
    """A lens that is a little soft, a sensor that counts photons, and the curve that cameras apply."""
    for axis in (0, 1):
        scene = 0.7 * scene + 0.15 * (np.roll(scene, 1, axis) + np.roll(scene, -1, axis))
    counted = chance.normal(scene * 1600, np.sqrt(np.clip(scene, 0, None) * 1600 + 40)) / 1600
    developed: NDArray[np.uint8] = (255 * np.clip(counted, 0, 1) ** (1 / 2.2)).round().astype(np.uint8)
    return developed
