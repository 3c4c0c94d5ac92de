"""Pictures and sound, byte for byte: what is samples is predicted, what stands around them is kept beside."""
