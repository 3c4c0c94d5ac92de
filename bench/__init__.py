"""Speeds and ratios beside the rivals, measured side by side in one run; `python -m bench` says what there is."""
