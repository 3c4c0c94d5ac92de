"""From what torch trained to the integers of the format: ranges are measured on texts, weights get seven bits."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lithify.codecs.array_types import I32
from lithify.codecs.chances import sigmoids
from lithify.codecs.text.network import WEIGHT_MAX
from lithify.codecs.text.neural import (
    ACTIVATION_MAX,
    I8,
    NORM_SHIFT,
    OUT_SHIFT,
    SIGMOID_AT_ZERO,
    SIGMOID_UNIT,
    SQUARE_NARROW,
    SUM_SHIFT,
    Network,
)
from lithify.codecs.text.train.network.config import Config
from lithify.codecs.text.train.network.fitting import Batches
from lithify.codecs.text.train.network.gathering import Texts
from lithify.codecs.text.train.network.torch_model import TorchNetwork

_HASHED_MAX = 31
"""Embeddings of hashes in six bits: two fifths smaller than in eight when packed, and files stay as small."""
_HASHED_RANGE = 0.9995  # of the numbers of a column; the few beyond would make all others coarse
_MEASURED_STEPS = 100
_RESIDUAL_BITS, _NORM_BITS, _STATE_BITS, _STRETCH_BITS = 10, 12, 16, 8
_HEAD_BITS = 24  # the head's weights as read: 2^-16 of a stretched chance, times 2^8 of their scale
_RANGE_MIN = 1e-3

Ranges = Sequence[dict[str, Tensor]]


@torch.no_grad()
def measured(network: TorchNetwork, config: Config, texts: Texts) -> tuple[Ranges, Tensor]:
    """The largest number in every column of what each matrix is multiplied with; of the last layer too."""
    batches, states = Batches(texts, config), network.no_states(config.streams)
    ranges: list[dict[str, Tensor]] = [defaultdict(lambda: torch.tensor(_RANGE_MIN)) for _ in network.layers]
    last = torch.tensor(_RANGE_MIN)
    for step in range(min(batches.count, _MEASURED_STEPS)):
        hashes, before, classes, goes_on, *_ = batches.get(step)
        seen: list[dict[str, Tensor]] = [{} for _ in network.layers]
        known, states = network(hashes, before, classes, goes_on, states, seen)
        for layer, found in zip(ranges, seen, strict=True):
            for name, numbers in found.items():
                layer[name] = torch.maximum(layer[name], _largest(numbers))
        last = torch.maximum(last, _largest(known))
    return ranges, last


def _largest(numbers: Tensor) -> Tensor:
    return numbers.abs().flatten(0, -2).amax(0).cpu()


def exported(network: TorchNetwork, config: Config, texts: Texts) -> Network:
    """The network in integers."""
    network = network.cpu()
    ranges, last = measured(network, config, texts)
    parts: dict[str, list[npt.NDArray[np.generic]]] = defaultdict(list)
    hashed, steps = zip(*(_rounded(table, _HASHED_MAX, _HASHED_RANGE) for table in network.hashed), strict=True)
    bytes_, byte_steps = _rounded(network.bytes_, ACTIVATION_MAX, 1.0)
    classes, class_steps = _rounded(network.classes, ACTIVATION_MAX, 1.0)
    _add(parts, "in", network.weights_in * torch.cat((*steps, byte_steps, class_steps)), _RESIDUAL_BITS)
    for layer, seen in zip(network.layers, ranges, strict=True):
        step = _narrow(parts, "gates", seen["gates"], NORM_SHIFT - _NORM_BITS)
        units = torch.tensor([SIGMOID_UNIT, 1 << _RESIDUAL_BITS, SIGMOID_UNIT]).repeat_interleave(config.width)
        _add(parts, "gates", layer.gates * step * units[:, None], 0)
        parts["bias_gates"] += [
            _integers(layer.share_bias * SIGMOID_UNIT),
            np.zeros(config.width, np.int32),
            _integers(layer.show_bias * SIGMOID_UNIT),
        ]
        _add(parts, "out", layer.out * _narrow(parts, "out", seen["out"], OUT_SHIFT - _STATE_BITS), _RESIDUAL_BITS)
        _add(parts, "up", layer.up * _narrow(parts, "up", seen["up"], NORM_SHIFT - _NORM_BITS), _RESIDUAL_BITS)
        step = _narrow(parts, "down", seen["down"], SQUARE_NARROW - _RESIDUAL_BITS)
        _add(parts, "down", layer.down * step, _RESIDUAL_BITS)
    head, scale = _seven_bits(network.head * _narrow(parts, "head", last, NORM_SHIFT - _NORM_BITS))
    return Network(
        hashed=np.concatenate(hashed),
        hashed_rows=np.array([len(table) for table in hashed], np.int64),
        bytes_=bytes_,
        classes=classes,
        head=head,
        scale_head=_integers(scale * 2.0 ** (_STRETCH_BITS + _HEAD_BITS)),
        bias_head=_integers(network.head_bias * 2.0**_STRETCH_BITS),
        sigmoid=np.array(sigmoids(SIGMOID_UNIT, SIGMOID_AT_ZERO), np.int32),
        **{name: np.concatenate(arrays) for name, arrays in parts.items()},
    )


def _rounded(table: Tensor, most: int, share: float) -> tuple[I8, Tensor]:
    """Whole numbers, and what one of them stands for, per column."""
    step = torch.quantile(table.detach().abs(), share, dim=0) / most
    return (table.detach() / step).round().clamp(-most, most).to(torch.int8).numpy(), step


def _narrow(parts: dict[str, list[npt.NDArray[np.generic]]], name: str, largest: Tensor, bits: int) -> Tensor:
    """Note by what numbers of `bits` less than their shift become eight bits; gives what one of those stands for."""
    step = largest / ACTIVATION_MAX
    parts[f"narrow_{name}"].append(_integers(2.0**bits / step))
    return step


def _add(parts: dict[str, list[npt.NDArray[np.generic]]], name: str, weights: Tensor, bits: int) -> None:
    """Note a matrix in seven bits, and what a sum of each row is multiplied by to count in 1/2^bits."""
    rounded, scale = _seven_bits(weights)
    parts[f"weights_{name}"].append(rounded)
    parts[f"scale_{name}"].append(_integers(scale * 2.0 ** (bits + SUM_SHIFT)))


def _seven_bits(weights: Tensor) -> tuple[I8, Tensor]:
    step = weights.detach().abs().amax(1).clamp_min(1e-9) / WEIGHT_MAX
    return (weights.detach() / step[:, None]).round().to(torch.int8).numpy(), step


def _integers(numbers: Tensor) -> I32:
    rounded = np.rint(numbers.detach().double().numpy())
    assert np.abs(rounded).max() < 1 << 31, "a scale does not fit 32 bits"
    found: I32 = rounded.astype(np.int32)
    return found
