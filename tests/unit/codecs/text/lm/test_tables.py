"""The tables are the nearest whole numbers to what they stand for."""

import numpy as np

from lithify.codecs.text.lm.tables import EXPS, SIGMOIDS, falling_powers, frequency, rotations, sigmoids


def test_powers_fall_from_one_to_a_half() -> None:
    expected = np.rint(2.0 ** (24 - np.arange(EXPS) / EXPS))
    assert np.array_equal(expected, falling_powers(24))


def test_sigmoids_rise_from_a_half_to_one() -> None:
    expected = np.rint(65536 / (1 + np.exp(-np.arange(SIGMOIDS + 1) / 256)))
    assert np.array_equal(expected, sigmoids())


def test_pairs_turn_by_powers_of_the_base() -> None:
    for base, pairs in ((10_000, 32), (500_000, 64), (2, 3)):
        found = [frequency(0, base, pair, pairs) / 2**128 for pair in range(pairs)]
        assert np.allclose(found, float(base) ** (-np.arange(pairs) / pairs), rtol=1e-14, atol=0)


def test_rotations_are_cosines_and_sines_far_out_too() -> None:
    frequencies = [frequency(0, 10_000, pair, 4) for pair in range(4)]
    angles = np.arange(3000)[:, None] * 10_000.0 ** (-np.arange(4) / 4)
    cosines, sines = rotations(frequencies, 3000)
    assert np.array_equal(np.rint(16384 * np.cos(angles)), cosines)
    assert np.array_equal(np.rint(16384 * np.sin(angles)), sines)
