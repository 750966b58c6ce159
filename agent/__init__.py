"""The van: reads GPS, keeps the day's manifest, sequences its own stops, captures proof, and syncs when it can."""
