"""Doors for programs that read arrays: they open what lithify keeps as they open any other file."""
