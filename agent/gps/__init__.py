"""From a receiver to a position we believe."""
