"""Whose a parcel is that is on no list of this van: what the coordinator said of the other vans' lists today. Pure.

The van's own list always goes before it (`pod/scans.py`), and it is of its day only.
"""

from agent.trip.effects import Decision
from agent.trip.inputs import ElsewhereArrived
from agent.trip.run import Run
from wire.elsewhere import Elsewhere
from wire.manifest import Manifest
from wire.model import Name


def elsewhere_arrived(run: Run, arrived: ElsewhereArrived) -> Decision:
    """Keeps the newest of the newest day, whatever order they come in; nothing of a day that is over."""
    new, known = arrived.elsewhere, run.elsewhere
    is_older = known is not None and (new.day, new.made_at) <= (known.day, known.made_at)
    if is_older or (run.manifest is not None and new.day < run.manifest.day):
        return Decision(run=run)
    return Decision(run=run.model_copy(update={"elsewhere": new}))


def kept_for(elsewhere: Elsewhere | None, manifest: Manifest) -> Elsewhere | None:
    """What of it is still kept with a list of that day."""
    return elsewhere if elsewhere is not None and elsewhere.day >= manifest.day else None


def whose(run: Run, code: str) -> Name | None:
    """The other van on whose list of this day a parcel is; None where nobody said so."""
    manifest, elsewhere = run.manifest, run.elsewhere
    if manifest is None or elsewhere is None or elsewhere.day != manifest.day:
        return None
    return elsewhere.whose(code, besides=manifest.van)
