"""A recording: plucked strings played in a reverberant room, with the hiss of a microphone."""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

_RATE = 44_100
_SECONDS = 16
_BEAT_SECONDS = 0.27
_CHORDS = ((45, 52, 57, 60, 64), (41, 48, 57, 60, 65), (48, 55, 60, 64, 67), (43, 50, 55, 59, 62))


def write_sounds(folder: Path) -> Iterator[Path]:
    """`strings.wav`: stereo, 16 bits, 16 seconds."""
    path = folder / "strings.wav"
    chance = np.random.default_rng(7)
    dry = _music(chance)
    stereo = np.stack([_in_room(dry, chance), _in_room(dry, chance)], axis=-1)
    stereo += chance.normal(0, 2e-4, stereo.shape)
    samples = np.rint(stereo / np.abs(stereo).max() * 26_000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples.tobytes())
    yield path


def _music(chance: np.random.Generator) -> Sound:
    """Broken chords, one note a beat, no two struck alike."""
    sound = np.zeros(_RATE * _SECONDS)
    for beat in range(int((_SECONDS - 3) / _BEAT_SECONDS)):
        chord = _CHORDS[beat // 8 % len(_CHORDS)]
        note = _string(chord[beat * 3 % len(chord)] + 12 * (beat % 16 == 7), chance)
        start = int((beat * _BEAT_SECONDS + chance.normal(0, 0.006) + 0.05) * _RATE)
        sound[start : start + len(note)] += note
    return sound


def _string(pitch: int, chance: np.random.Generator) -> Sound:
    """One string: partials a little sharp of harmonic, the high ones fading first, and the click of the plectrum."""
    time = np.arange(3 * _RATE) / _RATE
    base = 440 * 2 ** ((pitch - 69) / 12)
    partials = np.arange(1, 18)
    tones = base * partials * np.sqrt(1 + 3e-4 * partials**2)
    loudness = chance.uniform(0.7, 1.0) * np.sin(np.pi * partials * chance.uniform(0.11, 0.19)) / partials
    note = sum(
        level * np.exp(-time * (0.9 + 0.55 * number)) * np.sin(2 * np.pi * tone * time)
        for number, (tone, level) in enumerate(zip(tones, loudness, strict=True))
        if tone < _RATE / 2
    )
    click = chance.normal(0, 0.25, time.shape) * np.exp(-time * 400)
    return np.asarray(note + click)


def _in_room(dry: Sound, chance: np.random.Generator) -> Sound:
    """The sound with its echoes: convolved with noise that decays like a small hall."""
    echo = chance.standard_normal(_RATE) * np.exp(-np.arange(_RATE) / _RATE * 5.5) * 0.02
    echo[0] = 1.0
    length = len(dry) + len(echo)
    wet = np.fft.irfft(np.fft.rfft(dry, length) * np.fft.rfft(echo, length), length)
    return np.asarray(wet[: len(dry)])
