"""The outside world, through the public doors only: a town, vans that drive it, receivers, drivers, faults."""
