"""Signs people in and checks their tokens."""
