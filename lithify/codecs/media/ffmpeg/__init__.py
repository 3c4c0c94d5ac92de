"""ffmpeg as a program of its own, started inside a codec's confinement and held by limits of its own."""
