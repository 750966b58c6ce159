"""What the console shows, as values. Pure."""
