"""Training: Muon for the matrices, Adam for the rest, as long as the time lasts; stopped runs go on where they were."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lithify.codecs.text.train.corpus import LEARNT_CLASSES
from lithify.codecs.text.train.network.config import Config
from lithify.codecs.text.train.network.gathering import Texts
from lithify.codecs.text.train.network.torch_model import TorchNetwork

_MOMENTUM, _DECAY = 0.95, 0.05
_WARM_STEPS = 40
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)  # of Newton and Schulz, as Muon has it
_TELL_SECONDS, _KEEP_SECONDS = 30.0, 150.0


class Batches:
    """Texts cut into as many streams as are read side by side."""

    def __init__(self, texts: Texts, config: Config) -> None:
        self._length = len(texts.data) // config.streams
        self._stretch, self._streams, self._device = config.stretch, config.streams, config.device
        goes_on = 1 - texts.begins.astype(np.float32)[:, None]
        self._columns = (texts.hashes, texts.before, texts.classes, goes_on, texts.data, texts.mixed)
        self.count = self._length // config.stretch

    def get(self, step: int) -> list[Tensor]:
        """hashes, before, classes, goes_on, data, mixed."""
        at = step % self.count * self._stretch
        places = np.arange(self._streams)[:, None] * self._length + at + np.arange(self._stretch)
        found = [column[places] for column in self._columns]
        kinds = (np.int64, np.int64, np.int64, np.float32, np.int64, np.int32)
        return [torch.from_numpy(one.astype(kind)).to(self._device) for one, kind in zip(found, kinds, strict=True)]


class Fit:
    """A run: the network, both optimisers, and how far they are."""

    def __init__(self, config: Config, checkpoint: Path) -> None:
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.config, self._checkpoint = config, checkpoint
        self.network = TorchNetwork(config).to(config.device)
        self._matrices = self.network.matrices()
        self._momenta = [torch.zeros_like(matrix) for matrix in self._matrices]
        embeddings = self.network.embeddings()
        known = {id(one) for one in [*self._matrices, *embeddings]}
        others = [one for one in self.network.parameters() if id(one) not in known]
        groups = [{"params": embeddings, "times": 2.0}, {"params": others, "times": 1.0}]
        self._adam = torch.optim.Adam(groups, lr=config.other_rate, betas=(0.9, 0.98), eps=1e-10)
        self.step, self._used = 0, 0.0
        if checkpoint.exists():
            self._resume()

    def _resume(self) -> None:
        kept = torch.load(self._checkpoint, weights_only=True, map_location=self.config.device)
        self.network.load_state_dict(kept["network"])
        self._adam.load_state_dict(kept["adam"])
        self._momenta = kept["momenta"]
        self.step, self._used = kept["step"], kept["used"]

    def _keep(self) -> None:
        beside = self._checkpoint.with_suffix(".new")
        kept = {"network": self.network.state_dict(), "adam": self._adam.state_dict(), "momenta": self._momenta}
        torch.save({**kept, "step": self.step, "used": self._used}, beside)
        beside.replace(self._checkpoint)

    def run(self, learning: Texts, held_out: Texts) -> None:
        """Train until the time is over."""
        batches, told, kept = Batches(learning, self.config), time.monotonic(), time.monotonic()
        states, sums, count = self.network.no_states(self.config.streams), np.zeros(3), 0
        while self._used < self.config.seconds:
            began = time.monotonic()
            losses, states = self._learn(batches.get(self.step), states)
            sums, count, self.step = sums + losses, count + 1, self.step + 1
            now = time.monotonic()
            self._used += now - began
            if now - told > _TELL_SECONDS:
                mixed, alone, mixer = sums / count
                megabytes = self.step * self.config.streams * self.config.stretch / 1e6
                print(
                    f"{self._used:.0f} s, {megabytes:.1f} MB: {mixed:.4f} bits per byte mixed, {alone:.4f} alone, "
                    f"{mixer:.4f} without",
                    flush=True,
                )
                told, sums, count = now, np.zeros(3), 0
            if now - kept > _KEEP_SECONDS:
                kept = now
                self._keep()
        self._keep()
        for line in self.judged(held_out):
            print(line, flush=True)

    def _learn(self, batch: list[Tensor], states: list[Tensor]) -> tuple[np.ndarray, list[Tensor]]:
        hashes, before, classes, goes_on, data, mixed = batch
        known, states = self.network(hashes, before, classes, goes_on, states)
        together, alone, mixer = self.network.losses(known, data, mixed)
        self.network.zero_grad(set_to_none=True)
        (together + self.config.alone * alone).mean().backward()
        done = self._used / self.config.seconds
        share = min(1.0, (self.step + 1) / _WARM_STEPS, (1 - done) / self.config.falling)
        for group in self._adam.param_groups:
            group["lr"] = self.config.other_rate * group["times"] * share
        self._adam.step()
        self._turn(self.config.matrix_rate * share)
        return np.array([float(one.detach().mean()) for one in (together, alone, mixer)]), states

    @torch.no_grad()
    def _turn(self, rate: float) -> None:
        """One step of Muon: the gradient's momentum, with all its singular values made 1."""
        for matrix, momentum in zip(self._matrices, self._momenta, strict=True):
            momentum.mul_(_MOMENTUM).add_(matrix.grad)
            wanted = matrix.grad + _MOMENTUM * momentum
            rows, columns = matrix.shape
            if rows == 3 * columns:
                change = _orthogonal(wanted.view(3, columns, columns)).view_as(matrix)
            else:
                change = _orthogonal(wanted) * max(1.0, rows / columns) ** 0.5
            matrix.mul_(1 - _DECAY * rate).add_(change, alpha=-rate)

    @torch.no_grad()
    def judged(self, held_out: Texts) -> Iterator[str]:
        """Per class, on texts that nothing was learnt from: bits per byte mixed, alone, without."""
        batches, states = Batches(held_out, self.config), self.network.no_states(self.config.streams)
        sums, counts = np.zeros((len(LEARNT_CLASSES), 3)), np.zeros(len(LEARNT_CLASSES))
        for step in range(batches.count):
            hashes, before, classes, goes_on, data, mixed = batches.get(step)
            known, states = self.network(hashes, before, classes, goes_on, states)
            losses = self.network.losses(known, data, mixed)
            for i, text_class in enumerate(LEARNT_CLASSES):
                is_its = classes == int(text_class)
                counts[i] += float(is_its.sum())
                sums[i] += [float(one[is_its].sum()) for one in losses]
        for i, text_class in enumerate(LEARNT_CLASSES):
            mixed_bits, alone_bits, mixer_bits = sums[i] / max(counts[i], 1)
            yield (
                f"{text_class.name}: {mixed_bits:.4f} bits per byte of texts held out; the network alone "
                f"{alone_bits:.4f}, without it {mixer_bits:.4f}"
            )


def _orthogonal(matrix: Tensor) -> Tensor:
    x = matrix.bfloat16()
    is_tall = x.shape[-2] > x.shape[-1]
    x = x.mT if is_tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    first, second, third = _POLYNOMIAL
    for _ in range(5):
        square = x @ x.mT
        x = first * x + (second * square + third * square @ square) @ x
    return (x.mT if is_tall else x).float()
