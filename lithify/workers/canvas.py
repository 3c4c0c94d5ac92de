"""A picture to draw numbers on, for the doors: what the codecs draw with."""

from lithify.codecs.canvas import ACCENT, INK, PALE, WHITE, Canvas, Colour, shortened, text_height, text_width

__all__ = ["ACCENT", "INK", "PALE", "WHITE", "Canvas", "Colour", "shortened", "text_height", "text_width"]
