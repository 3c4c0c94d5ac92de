"""Programs to read and run; each folder tells one story."""
