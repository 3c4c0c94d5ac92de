"""The envelope around every payload: a frame says what it holds, so that it decodes with nothing else at hand.

../FRAME.md is the format. Reading trusts nothing: a wrong frame raises Truncated, Corrupt, UnknownFormat or
LimitExceeded.
"""

from lithify.codecs.frame.primers import Primers, at_hand, checked_model, models_of, primers_of, ready_codec
from lithify.codecs.frame.read import Tally, decode_frame, is_frame, read_frame
from lithify.codecs.frame.values import ChunkEntry, ChunkTable, FormatEntry, Frame
from lithify.codecs.frame.write import FrameWriter, join_frames

__all__ = [
    "ChunkEntry",
    "ChunkTable",
    "FormatEntry",
    "Frame",
    "FrameWriter",
    "Primers",
    "Tally",
    "at_hand",
    "checked_model",
    "decode_frame",
    "is_frame",
    "join_frames",
    "models_of",
    "primers_of",
    "read_frame",
    "ready_codec",
]
