"""Each figure we claim, measured by a command anyone can run. Nothing imports this package."""
