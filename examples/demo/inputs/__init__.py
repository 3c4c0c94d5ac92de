"""What the demo stores: real things of every kind, made or found on this machine, in a folder of their own."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from examples.demo.inputs.clips import write_clips
from examples.demo.inputs.cube import write_cube
from examples.demo.inputs.logs import write_logs
from examples.demo.inputs.noise import write_noise
from examples.demo.inputs.pictures import write_pictures
from examples.demo.inputs.sounds import write_sounds
from examples.demo.inputs.texts import write_texts

MAKERS: tuple[Callable[[Path], Iterator[Path]], ...] = (
    write_cube,  # the slowest first, so that the others run beside it
    write_pictures,
    write_logs,
    write_texts,
    write_sounds,
    write_clips,
    write_noise,
)


def make_inputs(folder: Path) -> list[Path]:
    """Write everything below `folder`; gives the files in order of name.

    Most makers wait for a program they started, so three at a time keep two cores busy.
    """

    def run(maker: Callable[[Path], Iterator[Path]]) -> list[Path]:
        own = folder / maker.__name__.removeprefix("write_")
        own.mkdir()
        return list(maker(own))

    with ThreadPoolExecutor(3) as pool:
        return sorted(path for paths in pool.map(run, MAKERS) for path in paths)
