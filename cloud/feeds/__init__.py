"""What others publish about the roads and the weather, read into our own words. Only `poll.py` goes out to ask."""
