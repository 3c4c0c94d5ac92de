"""The types of arrays that only this folder needs."""

import numpy as np
import numpy.typing as npt

I8 = npt.NDArray[np.int8]
I16 = npt.NDArray[np.int16]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Whole = npt.NDArray[np.integer]
"""Whole numbers of any width."""
