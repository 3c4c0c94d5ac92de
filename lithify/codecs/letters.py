"""Letters of five dots by eight, for pictures: the printable characters of ASCII."""

import string
from functools import cache

import numpy as np

from lithify.codecs.array_types import Bools

WIDTH, HEIGHT = 5, 8
_FIRST, _UNKNOWN = " ", "?"
_DIGITS = WIDTH * HEIGHT // 4
_DOTS = (
    "00000000002108420080528000000052beafa94023e8e2f880ce44444e6064a88ac9a0210000000011108410404104211100"
    "012aea90000109f2100000000000880001f000000000000080084444420074675cc5c023084211c074422223e0744260c5c0"
    "11952f8840fc3c10c5c03221e8c5c0f8444221007462e8c5c07462f08980000800100000080000881111041040003e0f8000"
    "41041111007442220080746f5bc1c07463f8c620f463e8c7c074610845c0f46318c7c0fc21e843e0fc21e84200746178c5e0"
    "8c63f8c62071084211c038842149808ca98a4a2084210843e08eeb58c6208e6b38c620746318c5c0f463e8420074631ac9a0"
    "f463ea4a207c20e087c0f9084210808c6318c5c08c6318a8808c635aee208c544546208c54421080f8444443e072108421c0"
    "841041042070842109c022a2000000000000001f4100000000001c17c5e0843d18c7c0001f0841e0085f18c5e0001d1fc1c0"
    "3251c42100001f18bc2e843d18c62020184211c0100c210a4c84254c524061084211c000355ad6a0003d18c620001d18c5c0"
    "003d18fa10001f18bc21002d984200001f0707c0423c8424c0002318cda0002318a88000231ad5400022a22a20002318bc2e"
    "003e2223e019088210602108421080c1082213000011510000"
)
"""Ten hexadecimal digits each, in the order of ASCII from the space on: row by row, first dots in the highest bits."""


@cache
def letter(char: str) -> Bools:
    """Where a letter has dots, (rows, columns); what is not among them is a question mark."""
    known = char if len(char) == 1 and char in string.printable and char >= _FIRST else _UNKNOWN
    at = _DIGITS * (ord(known) - ord(_FIRST))
    bits = bin((1 << WIDTH * HEIGHT) | int(_DOTS[at : at + _DIGITS], 16))[3:]
    return np.array([bit == "1" for bit in bits], np.bool_).reshape(HEIGHT, WIDTH)
