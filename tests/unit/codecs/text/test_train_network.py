"""Training of the network: what torch trains is what the integers compute. Without torch there is nothing to test."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lithify.codecs.text.classes import TextClass  # noqa: E402
from lithify.codecs.text.contexts import MEMORY, remember  # noqa: E402
from lithify.codecs.text.network import prove  # noqa: E402
from lithify.codecs.text.neural import new_reader, read_on, say  # noqa: E402
from lithify.codecs.text.train.network import config as configs  # noqa: E402
from lithify.codecs.text.train.network.config import Config  # noqa: E402
from lithify.codecs.text.train.network.exporting import exported  # noqa: E402
from lithify.codecs.text.train.network.fitting import Fit  # noqa: E402
from lithify.codecs.text.train.network.gathering import Texts, hashes_of, mixed_chances  # noqa: E402
from lithify.codecs.text.train.network.torch_model import TorchNetwork, recurrence  # noqa: E402
from tests.unit.codecs.text.corpus import EVERYTHING, PROSE  # noqa: E402

SMALL = Config(
    width=16,
    hidden=32,
    layers=2,
    hash_columns=4,
    byte_columns=8,
    class_columns=4,
    hash_logs=(6, 6, 6, 6, 6),
    megabytes=(1, 1, 1, 1),
    streams=4,
    stretch=64,
    seconds=3,
    matrix_rate=0.02,
    other_rate=0.02,
    falling=0.4,
    alone=0.25,
    device="cpu",
    threads=1,
    seed=0,
)


def some_texts() -> Texts:
    data = np.frombuffer(EVERYTHING * 3, np.uint8)
    begins = np.zeros(len(data), np.uint8)
    begins[:: len(EVERYTHING)] = 1
    classes = np.full(len(data), int(TextClass.DOCS), np.uint8)
    mixed = mixed_chances(np.frombuffer(EVERYTHING, np.uint8), TextClass.DOCS)
    return Texts(data, classes, begins, np.concatenate((mixed,) * 3), hashes_of(data, begins, SMALL.hash_logs))


def test_both_ways_to_run_the_recurrence_agree_in_what_they_give_and_what_they_learn() -> None:
    torch.manual_seed(1)
    kept, new = torch.rand(2, 37, 5), torch.randn(2, 37, 5)
    first, wanted = torch.randn(2, 5), torch.randn(2, 37, 5)
    found = []
    for is_compiled in (True, False):
        a, b = kept.clone().requires_grad_(), new.clone().requires_grad_()
        states = recurrence(a, b, first, is_compiled=is_compiled)
        (states * wanted).sum().backward()
        found.append((states.detach(), a.grad, b.grad))
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_a_run_learns_is_stopped_goes_on_and_gives_a_network_that_says_in_integers_what_it_said(tmp_path: Path) -> None:
    texts = some_texts()
    fit = Fit(SMALL, tmp_path / "checkpoint.pt")
    first = sum(_bits(line) for line in fit.judged(texts))
    fit.run(texts, texts)
    assert sum(_bits(line) for line in fit.judged(texts)) < first
    again = Fit(SMALL, tmp_path / "checkpoint.pt")
    assert again.step == fit.step > 0
    again.run(texts, texts)
    assert again.step == fit.step, "the time was over"

    made = exported(again.network, SMALL, texts)
    prove(made)
    floating, whole = _said_floating(again.network, PROSE), _said(made, PROSE)
    assert np.abs(floating).mean() > 100
    assert np.abs(floating - whole).mean() < 0.1 * np.abs(floating).mean()


@pytest.mark.parametrize("name", ["small", "large"])
def test_the_configurations_can_be_read(name: str) -> None:
    config = Config.read(Path(configs.__file__).parent / f"{name}.json")
    assert config.width <= 256
    TorchNetwork(config)


def _bits(line: str) -> float:
    return float(line.split(": ")[1].split(maxsplit=1)[0])


def _said_floating(network: TorchNetwork, text: bytes) -> np.ndarray:
    """Both opinions about the first bit of every byte, in the units of the mixer."""
    data = np.frombuffer(text, np.uint8)
    begins = np.zeros(len(data), np.uint8)
    begins[0] = 1
    texts = Texts(data, data, begins, np.zeros((0, 8), np.uint16), hashes_of(data, begins, SMALL.hash_logs))
    with torch.no_grad():
        known, _ = network(
            torch.from_numpy(texts.hashes.astype(np.int64))[None],
            torch.from_numpy(texts.before.astype(np.int64))[None],
            torch.full((1, len(data)), int(TextClass.DOCS)),
            torch.from_numpy(1 - begins.astype(np.float32))[None, :, None],
            network.no_states(1),
        )
        said = known[0] @ network.head[[1, 257]].T + network.head_bias[[1, 257]]
    found: np.ndarray = (256 * said).clamp(-2815, 2815).numpy()
    return found


def _said(network, text: bytes) -> np.ndarray:  # type: ignore[no-untyped-def]
    reader, data, memory = new_reader(network), np.frombuffer(text, np.uint8), np.zeros(MEMORY, np.int64)
    found = []
    for at in range(len(data)):
        if at:
            remember(memory, int(data[at - 1]), at, int(TextClass.DOCS))
        read_on(reader, data, at, memory, int(TextClass.DOCS))
        say(reader, 1)
        found.append(reader.said.copy())
    return np.array(found)
