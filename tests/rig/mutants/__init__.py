"""Faults planted in the production code, in memory: each must be found, or the rig would not have found the real one.

Those that change a statement of SQL or a constant say so in one line; the rest wrap a method. A file for each room.
"""

from tests.rig.mutants import cloud, link, track, van
from tests.rig.mutants.plant import MUTANTS

__all__ = ["MUTANTS", "cloud", "link", "track", "van"]
