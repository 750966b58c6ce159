"""The trail of breadcrumbs: from positions at any rate to one a domain second. Pure."""

from agent.gps.position import Position
from wire.track import Breadcrumb


def next_breadcrumb(last: Breadcrumb | None, position: Position | None) -> Breadcrumb | None:
    """The breadcrumb of this position; None when it is not fresh or its second already has one."""
    if position is None or not position.quality.is_fresh:
        return None
    crumb = breadcrumb(position)
    return None if last is not None and crumb.wall_ms // 1000 == last.wall_ms // 1000 else crumb


def breadcrumb(position: Position) -> Breadcrumb:
    return Breadcrumb(
        wall_ms=round(position.fixed_at.timestamp() * 1000),
        lat_deg=position.lat_deg,
        lon_deg=position.lon_deg,
        speed_mps=position.speed_mps,
        heading_deg=position.heading_deg,
        error_m=position.error_m,
    )
