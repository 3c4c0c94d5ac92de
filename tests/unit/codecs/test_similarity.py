"""Structural similarity: 1 for what is alike, less for what is not, and places without values do not make it higher."""

import numpy as np
import pytest

from lithify.codecs.similarity import similarity

CHANCE = np.random.default_rng(4)
FRAME = CHANCE.random((40, 60))


def test_a_frame_is_like_itself() -> None:
    assert similarity(FRAME, FRAME, 0.0, 1.0) == pytest.approx(1)


def test_noise_is_less_like_it_the_louder_it_is() -> None:
    noise = CHANCE.normal(size=FRAME.shape)
    found = [similarity(FRAME, FRAME + loud * noise, 0.0, 1.0) for loud in (0.01, 0.1, 1.0)]
    assert found == sorted(found, reverse=True)


def test_places_without_values_do_not_count() -> None:
    other = FRAME + 0.2 * CHANCE.normal(size=FRAME.shape)
    valid = np.zeros(FRAME.shape, bool)
    valid[:, :20] = True
    before, after = (np.where(valid, one, 0.0) for one in (FRAME, other))
    alone = similarity(FRAME[:, :20], other[:, :20], 0.0, 1.0)
    assert similarity(before, after, 0.0, 1.0, valid) == pytest.approx(alone, abs=0.03)
    assert similarity(before, after, 0.0, 1.0) > alone + 0.1
