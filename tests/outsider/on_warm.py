"""What else happens when the codec is warmed; tests write other things here."""


def run() -> None:
    """Nothing."""
