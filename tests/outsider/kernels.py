"""Two kernels, and one that reads past the end."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from .steps import STEP

Bytes = npt.NDArray[np.uint8]


@njit(cache=True, nogil=True, boundscheck=True)
def differences(data: Bytes) -> Bytes:
    """Each byte less STEP times the one before."""
    out = data.copy()
    for index in range(1, data.size):
        out[index] = data[index] - np.uint8(STEP) * data[index - 1]
    return out


@njit(cache=True, nogil=True, boundscheck=True)
def sums(data: Bytes) -> Bytes:
    """What `differences` was made of."""
    out = data.copy()
    for index in range(1, data.size):
        out[index] = data[index] + np.uint8(STEP) * out[index - 1]
    return out


@njit(cache=True, nogil=True, boundscheck=True)
def after_the_end(data: Bytes) -> Any:
    """A bug of a kernel's."""
    return data[data.size]
