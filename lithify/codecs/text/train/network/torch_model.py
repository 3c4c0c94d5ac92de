"""The network of neural.py in floating point, as it is trained: the same, but for rounding."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from lithify.codecs.kernel import kernel
from lithify.codecs.text.classes import FIRST_CLASSES
from lithify.codecs.text.train.network.config import Config

Floats = npt.NDArray[np.float32]

TRUSTS = 12
"""Sets of weights by how sure the mixer is, in nats."""
_MEMORY_FIRST, _MEMORY_LAST = 1.5, 600.0  # bytes after which states have forgotten most, at first
_EPSILON = 1e-5


@kernel
def _run_states(kept: Floats, new: Floats, first: Floats, states: Floats) -> None:
    """states[t] = kept[t] * states[t - 1] + new[t], for (text, t, column)."""
    for text in range(kept.shape[0]):
        for t in range(kept.shape[1]):
            for k in range(kept.shape[2]):
                earlier = states[text, t - 1, k] if t else first[text, k]
                states[text, t, k] = kept[text, t, k] * earlier + new[text, t, k]


@kernel
def _run_back(kept: Floats, states: Floats, first: Floats, gradient: Floats, of_kept: Floats) -> None:
    """Gradients of the above: `gradient` comes in for the states, and goes out for `new`."""
    steps = kept.shape[1]
    for text in range(kept.shape[0]):
        for t in range(steps - 1, -1, -1):
            for k in range(kept.shape[2]):
                if t < steps - 1:
                    gradient[text, t, k] += kept[text, t + 1, k] * gradient[text, t + 1, k]
                earlier = states[text, t - 1, k] if t else first[text, k]
                of_kept[text, t, k] = gradient[text, t, k] * earlier


class _Recurrence(torch.autograd.Function):
    """On a processor: one pass each way, compiled."""

    @staticmethod
    def forward(ctx: Any, kept: Tensor, new: Tensor, first: Tensor) -> Tensor:
        states = torch.empty_like(kept)
        _run_states(kept.numpy(), new.numpy(), first.numpy(), states.numpy())
        ctx.save_for_backward(kept, states, first)
        return states

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        kept, states, first = ctx.saved_tensors
        gradient, of_kept = gradient.contiguous().clone(), torch.empty_like(kept)
        _run_back(kept.numpy(), states.numpy(), first.numpy(), gradient.numpy(), of_kept.numpy())
        return of_kept, gradient, None


def recurrence(kept: Tensor, new: Tensor, first: Tensor, *, is_compiled: bool | None = None) -> Tensor:
    """The states of (text, t, column); elsewhere than on a processor in log2(t) rounds of whole tensors."""
    if kept.device.type == "cpu" if is_compiled is None else is_compiled:
        return _Recurrence.apply(kept.contiguous(), new.contiguous(), first)
    new = torch.cat((new[:, :1] + kept[:, :1] * first[:, None], new[:, 1:]), 1)
    reach = 1
    while reach < kept.shape[1]:
        new = torch.cat((new[:, :reach], new[:, reach:] + kept[:, reach:] * new[:, :-reach]), 1)
        kept = torch.cat((kept[:, :reach], kept[:, reach:] * kept[:, :-reach]), 1)
        reach *= 2
    return new


def linear(x: Tensor, weights: Tensor, bias: Tensor | None = None) -> Tensor:
    """Products in 16 bits: four times as fast, and coarser than what is exported is no help to learning."""
    low = torch.bfloat16
    return functional.linear(x.to(low), weights.to(low), None if bias is None else bias.to(low)).float()


def normalised(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + _EPSILON)


class Layer(nn.Module):
    """A gated recurrence, then squared rectifiers."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        scale = 1 / math.sqrt(width)
        memory = _MEMORY_FIRST * torch.exp(torch.rand(width) * math.log(_MEMORY_LAST / _MEMORY_FIRST))
        self.gates = nn.Parameter(torch.randn(3 * width, width) * scale * 0.7)
        self.share_bias = nn.Parameter(-torch.log(memory - 1))
        self.show_bias = nn.Parameter(torch.full((width,), 0.5))
        self.out = nn.Parameter(torch.zeros(width, width))
        self.up = nn.Parameter(torch.randn(hidden, width) * scale)
        self.down = nn.Parameter(torch.zeros(width, hidden))

    def forward(self, x: Tensor, goes_on: Tensor, first: Tensor, seen: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """goes_on  (text, t, 1): 0 where a text begins. `seen` is given what the matrices are multiplied with."""
        seen["gates"] = normalised(x)
        share, new, show = linear(seen["gates"], self.gates).chunk(3, -1)
        share = torch.sigmoid(share + self.share_bias)
        states = recurrence((1 - share) * goes_on, share * new, first)
        seen["out"] = states * torch.sigmoid(show + self.show_bias)
        x = x + linear(seen["out"], self.out)
        seen["up"] = normalised(x)
        seen["down"] = functional.relu(linear(seen["up"], self.up)).square()
        return x + linear(seen["down"], self.down), states[:, -1].detach()


class TorchNetwork(nn.Module):
    """Everything that is trained."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        columns = [config.hash_columns] * len(config.hash_logs) + [config.byte_columns, config.class_columns]
        self.width = config.width
        self.hashed = nn.ParameterList(
            [nn.Parameter(torch.randn(1 << log, config.hash_columns) * 0.3) for log in config.hash_logs]
        )
        self.bytes_ = nn.Parameter(torch.randn(256, config.byte_columns) * 0.5)
        self.classes = nn.Parameter(torch.randn(len(FIRST_CLASSES), config.class_columns) * 0.3)
        self.weights_in = nn.Parameter(torch.randn(config.width, sum(columns)) * 1.5 / math.sqrt(sum(columns)))
        self.layers = nn.ModuleList([Layer(config.width, config.hidden) for _ in range(config.layers)])
        self.head = nn.Parameter(torch.zeros(512, config.width))
        self.head_bias = nn.Parameter(torch.zeros(512))
        self.trust = nn.Parameter(torch.tensor([[1.0, 1.0, 0.05]]).repeat(TRUSTS, 1))

    def matrices(self) -> list[nn.Parameter]:
        """What is trained by Muon."""
        found = [self.weights_in]
        for layer in self.layers:
            found += [layer.gates, layer.out, layer.up, layer.down]
        return found

    def embeddings(self) -> list[nn.Parameter]:
        return [*self.hashed, self.bytes_, self.classes]

    def no_states(self, texts: int) -> list[Tensor]:
        return [torch.zeros(texts, self.width, device=self.head.device) for _ in self.layers]

    def forward(
        self,
        hashes: Tensor,
        before: Tensor,
        classes: Tensor,
        goes_on: Tensor,
        states: list[Tensor],
        seen: list[dict[str, Tensor]] | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """What is known before each byte, normalised, and the states to go on from."""
        parts = [functional.embedding(hashes[..., i], table) for i, table in enumerate(self.hashed)]
        parts += [functional.embedding(before, self.bytes_), functional.embedding(classes, self.classes)]
        x = linear(torch.cat(parts, -1), self.weights_in)
        after = []
        for i, layer in enumerate(self.layers):
            x, last = layer(x, goes_on, states[i], {} if seen is None else seen[i])
            after.append(last)
        return normalised(x), after

    def losses(self, known: Tensor, data: Tensor, mixed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Bits per byte: mixed with what the mixer said, the network alone, the mixer alone."""
        said = linear(known, self.head, self.head_bias)
        down = torch.arange(7, -1, -1, device=data.device)
        ones = (data[..., None] >> down) & 1
        nodes = (data[..., None] | 256) >> (down + 1)
        to_add, alone = torch.gather(said, -1, nodes), torch.gather(said, -1, nodes + 256)
        chance = mixed.float() / 65536
        mixer = torch.log(chance / (1 - chance))
        trust = functional.embedding(mixer.abs().long().clamp(max=TRUSTS - 1), self.trust)
        together = trust[..., 0] * mixer + trust[..., 1] * to_add + trust[..., 2] * alone
        sign = 1 - 2 * ones.float()
        bits = [functional.softplus(x * sign).sum(-1) / math.log(2) for x in (together, alone, mixer)]
        return bits[0], bits[1], bits[2]
