"""The arrays family: numbers on a grid."""
