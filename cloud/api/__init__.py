"""The console's HTTP side: what it asks, what it changes, and what is sent to it as it happens."""
