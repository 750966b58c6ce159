"""Proof that holds up: what was sealed about one stop, what of it holds, and the bundle and page handed out."""
