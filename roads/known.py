"""Times between places that were asked for already, so that a van that moves asks for its own row and column alone.

Good for one road network as it is: whoever changes the network forgets them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from roads.answers import Cells
from wire.geo import Place

FEW = 0.25
"""Up to this share of new places their rows and columns are asked for; with more, one whole table costs no more."""

type Table = tuple[Cells, Cells]
"""Seconds and metres from each place (row) to each (column)."""


@dataclass(frozen=True, slots=True)
class KnownTimes:
    """The newest table, and of which places it is."""

    places: tuple[Place, ...] = ()
    cells: Table = ((), ())

    def new_among(self, places: Sequence[Place]) -> tuple[int, ...]:
        """Which of these places it does not hold, by their number in the list."""
        held = frozenset(self.places)
        return tuple(number for number, place in enumerate(places) if place not in held)

    def is_worth_filling(self, places: Sequence[Place]) -> bool:
        """Whether asking for the new rows and columns is less work than asking for all."""
        return len(self.new_among(places)) <= FEW * len(places)

    def filled(self, places: Sequence[Place], rows: Table, columns: Table) -> "KnownTimes":
        """The table of these places. `rows`: from each new place to all; `columns`: from all to each new place."""
        new = {number: at for at, number in enumerate(self.new_among(places))}
        old_at = {place: number for number, place in enumerate(self.places)}
        old = [old_at.get(place, -1) for place in places]
        parts = []
        for known, row, column in zip(self.cells, rows, columns, strict=True):
            lines = []
            for i in range(len(places)):
                if i in new:
                    lines.append(row[new[i]])
                    continue
                line = known[old[i]]
                lines.append(tuple(column[i][new[j]] if j in new else line[old[j]] for j in range(len(places))))
            parts.append(tuple(lines))
        return KnownTimes(tuple(places), (parts[0], parts[1]))
