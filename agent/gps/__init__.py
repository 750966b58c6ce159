"""From a receiver to a position we believe: `gpsd` hears, `quality` judges, `motion` and `track` follow.

The shell calls `GpsdReceiver.fixes()` and hands each value to `Observer.observe`.
"""
