"""`make demo`: real input of every kind goes in by REST, is encoded and proved, and comes back the same."""
