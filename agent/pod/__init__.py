"""Proof of delivery: what counts as a photo or a signature, and the form in which it is kept."""
