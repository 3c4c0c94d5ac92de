"""Kernels that were made beforehand (tests/kernels.py) are there in pytest's own processes."""

import os
import shutil
from pathlib import Path


def pytest_configure() -> None:
    """numba reads and writes them in a copy for each process: two at one folder may number each other's files."""
    if folder := os.environ.get("LITHIFY_TEST_KERNELS"):
        own = Path(folder).absolute() / os.environ.get("PYTEST_XDIST_WORKER", "alone")
        if own.with_name("made").is_dir():
            shutil.copytree(own.with_name("made"), own, dirs_exist_ok=True)
            os.environ["NUMBA_CACHE_DIR"] = str(own)
