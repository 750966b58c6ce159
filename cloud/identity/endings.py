"""What is about to end although it should have been made anew: told to a person while there is time. Pure.

Nothing here ends by itself in a fleet that works: each certificate is renewed at two thirds of its life, and the list
of revoked ones every day. What comes nearer to its end than this was left alone for days.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from cloud.fleet.view import Ending, EndingKind

VAN_LEFT = timedelta(days=7)
"""Renewal is due ten days before the end; three days of trying have gone by."""
LIST_LEFT = timedelta(days=7)
"""Of thirty: it was not written for three weeks."""
SERVER_LEFT = timedelta(days=60)
"""Renewal is due four months before the end."""
AUTHORITY_LEFT = timedelta(days=365)
"""Nobody renews it by themselves: with a new one every van must be enrolled again."""


def endings(
    *,
    vans: Mapping[str, datetime],
    servers: datetime,
    authority: datetime,
    revoked_list: datetime,
    now: datetime,
) -> tuple[Ending, ...]:
    """Each argument says when a thing ends; of `vans`, the last certificate that holds. Soonest first."""
    watched = [
        *((EndingKind.VAN_CERTIFICATE, van, ends_at, VAN_LEFT) for van, ends_at in vans.items()),
        (EndingKind.SERVER_CERTIFICATE, None, servers, SERVER_LEFT),
        (EndingKind.REVOKED_LIST, None, revoked_list, LIST_LEFT),
        (EndingKind.AUTHORITY, None, authority, AUTHORITY_LEFT),
    ]
    found = [
        Ending(kind=kind, van=van, ends_on=ends_at.date(), days_left=(ends_at - now) // timedelta(days=1))
        for kind, van, ends_at, left in watched
        if ends_at - now < left
    ]
    return tuple(sorted(found, key=lambda ending: (ending.days_left, ending.kind, ending.van or "")))
