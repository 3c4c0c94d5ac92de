"""Disks of any size: a tmpfs in a mount namespace of a process's own, where the machine allows that."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def _may_mount() -> bool:
    unshare = shutil.which("unshare")
    command = [unshare or "", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return unshare is not None and 0 == subprocess.run(command, capture_output=True, check=False).returncode


mounts = pytest.mark.skipif(
    not _may_mount(), reason="this machine does not let us mount a tmpfs in a namespace of our own"
)


def run_in_namespace(program: str, folder: Path) -> str:
    """What a Python program prints that may mount below `folder`, its only argument."""
    command = ["unshare", "-Urm", sys.executable, "-c", program, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout
