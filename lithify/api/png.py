"""The curve of svg.py as PNG, for documents and chats that show no SVG."""

from collections.abc import Sequence

from lithify.api.svg import ceiling, round_step
from lithify.workers.canvas import ACCENT, INK, PALE, WHITE, Canvas, Colour, shortened, text_height, text_width

_WIDTH, _HEIGHT = 1200, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 96, 24, 60, 72
_AREA: Colour = (238, 221, 215)
"""ACCENT as it looks over white, where little of it is laid on."""


def curve(values: Sequence[float], *, step: float, end: float, title: str, across: str, up: str, mean: float) -> bytes:
    """A picture of values, each of one stretch after another; the terms are those of `svg.curve`."""
    top, end = ceiling(max([*values, mean, 1.0])), max(end, 1.0)
    width, ground = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _BOTTOM

    def x(value: float) -> int:
        return _LEFT + round(width * value / end)

    def y(value: float) -> int:
        return ground - round((ground - _TOP) * value / top)

    canvas = Canvas(_WIDTH, _HEIGHT)
    canvas.text(_LEFT, 14, shortened(title, width))
    canvas.text(8, 40, up, size=1)
    for value in _marks(top, round_step(top)):
        canvas.box(_LEFT, y(value), width, 1, PALE)
        canvas.text(_LEFT - 8, y(value) - text_height() // 2, f"{value:g}", anchor="end")
    for value in _marks(end, max(1.0, round_step(end))):
        canvas.box(x(value), ground, 1, 6, INK)
        label = f"{value:,.0f}"
        place = min(x(value), _WIDTH - text_width(label) // 2)
        canvas.text(place, ground + 12, label, anchor="middle")
    canvas.text(_LEFT + width // 2, ground + 40, shortened(across, width), anchor="middle")
    points: list[tuple[float, float]] = []
    for number, value in enumerate(values):
        first, last = x(step * number), x(min(end, step * (number + 1)))
        canvas.box(first, y(value), last - first, ground - y(value), _AREA)
        points += [(first, y(value)), (last, y(value))]
    canvas.line(points, ACCENT)
    for dash in range(_LEFT, _WIDTH - _RIGHT, 10):
        canvas.box(dash, y(mean), 6, 1, INK)
    told = f"mean {mean:.2f}"
    canvas.box(
        _WIDTH - _RIGHT - text_width(told) - 4,
        y(mean) - text_height() - 6,
        text_width(told) + 4,
        text_height() + 2,
        WHITE,
    )
    canvas.text(_WIDTH - _RIGHT, y(mean) - text_height() - 4, told, anchor="end")
    return canvas.png()


def _marks(end: float, step: float) -> list[float]:
    return [step * number for number in range(int(end / step) + 1)]
