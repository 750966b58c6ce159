"""The machine under us: a clock, child processes that end with their parent, loopback addresses; no deliveries."""
