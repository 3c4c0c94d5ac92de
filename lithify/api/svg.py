"""A curve as an SVG picture, written by hand: every browser shows one, and no library for drawing is needed."""

import math
from collections.abc import Iterator, Sequence
from html import escape

WIDTH, HEIGHT = 960, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 40, 48
_TICKS = 6
_INK, _PALE, _COLOUR = "#222222", "#d8d8d8", "#9a3b1f"


def curve(values: Sequence[float], *, step: float, end: float, title: str, across: str, up: str, mean: float) -> str:
    """A picture of values, each of one stretch after another.

    step        how long the stretches are; the last ends at `end`
    across, up  what the axes mean
    mean        where a dashed line is drawn
    """
    top = ceiling(max([*values, mean, 1.0]))
    plot = _Plot(max(end, 1.0), top)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(_LEFT, _TOP - 18, title, size=14),
        *_grid(plot),
        *_steps(plot, values, step),
        f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{plot.y(mean)}" y2="{plot.y(mean)}" stroke="{_INK}" '
        'stroke-dasharray="6 4"/>',
        _text(WIDTH - _RIGHT, plot.y(mean) - 5, f"mean {mean:.2f}", anchor="end"),
        _text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 10, across, anchor="middle"),
        f'<g transform="rotate(-90)">{_text(-(_TOP + HEIGHT - _BOTTOM) / 2, 14, up, anchor="middle")}</g>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Plot:
    """From values to places in the picture."""

    def __init__(self, end: float, top: float) -> None:
        self.end, self.top = end, top

    def x(self, value: float) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * value / self.end, 2)

    def y(self, value: float) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / self.top, 2)


def _grid(plot: _Plot) -> Iterator[str]:
    step = round_step(plot.top)
    for value in (step * n for n in range(int(plot.top / step) + 1)):
        y = plot.y(value)
        yield f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}" stroke="{_PALE}"/>'
        yield _text(_LEFT - 6, y + 4, f"{value:g}", anchor="end")
    step = max(1.0, round_step(plot.end))
    for value in (step * n for n in range(int(plot.end / step) + 1)):
        x = plot.x(value)
        yield f'<line x1="{x}" x2="{x}" y1="{plot.y(0)}" y2="{plot.y(0) + 4}" stroke="{_INK}"/>'
        yield _text(x, plot.y(0) + 18, f"{value:,.0f}", anchor="middle")


def _steps(plot: _Plot, values: Sequence[float], step: float) -> Iterator[str]:
    """Each value level over its stretch, and the area below."""
    if not values:
        return
    points = []
    for number, value in enumerate(values):
        y = plot.y(value)
        points += [f"{plot.x(step * number)},{y}", f"{plot.x(min(plot.end, step * (number + 1)))},{y}"]
    ground = plot.y(0)
    area = f"{plot.x(0)},{ground} {' '.join(points)} {plot.x(plot.end)},{ground}"
    yield f'<polygon points="{area}" fill="{_COLOUR}" fill-opacity="0.18"/>'
    yield f'<polyline points="{" ".join(points)}" fill="none" stroke="{_COLOUR}" stroke-width="1.2"/>'


def round_step(top: float) -> float:
    """A round number of which some six make the whole."""
    rough = top / _TICKS
    unit = 10.0 ** math.floor(math.log10(rough))
    return next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)


def ceiling(top: float) -> float:
    """Where an axis ends that shows numbers up to `top`."""
    step = round_step(top)
    return step * math.ceil(top / step)


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" fill="{_INK}">{escape(text)}</text>'
