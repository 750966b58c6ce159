"""The newest view of the screen, built once for however many look, and what only the eye needs to remember."""

from collections.abc import Callable

from agent.pod.exif import Capture, Spot
from agent.screen.build import Around, cab_view
from agent.screen.offer import OfferRoute
from agent.screen.route import RouteAhead
from agent.screen.view import CabView, Disk, OfferRouteView, RouteView
from agent.trip.found import zone_of
from agent.trip.progress import proving_position
from agent.trip.run import Run
from host.clock import Clock
from wire.model import StopId


class Picture:
    """`changes` counts what happened to the run; `revision` of the view follows it and grows over restarts too."""

    def __init__(
        self,
        *,
        van: str,
        clock: Clock,
        run: Callable[[], Run],
        changes: Callable[[], int],
        waiting: Callable[[], tuple[int, int | None]],
        route: RouteAhead,
        offer_route: OfferRoute,
        first_revision: int,
        disk: Callable[[], Disk] = lambda: Disk.WELL,
    ) -> None:
        """`waiting`: how many rows and pieces of evidence, and since when (Unix ms). `first_revision`: more than any
        earlier life of this agent has shown; Unix milliseconds are.
        """
        self._van = van
        self._clock = clock
        self._run = run
        self._changes = changes
        self._waiting = waiting
        self._route = route
        self._offer_route = offer_route
        self._first_revision = first_revision
        self._disk = disk
        self._kept: CabView | None = None
        self._plan_version = 0
        self._order: tuple[StopId, ...] = ()
        self._order_before: tuple[StopId, ...] = ()

    def view(self) -> CabView:
        """What the screen shows now."""
        revision = self._first_revision + self._changes()
        now = self._clock.now()
        rows, oldest_ms = self._waiting()
        if self._kept is not None and self._kept.revision == revision:
            # Nothing happened but that time went by: what waits has waited longer, and so has the disk.
            if oldest_ms is None and self._disk() is self._kept.disk:
                return self._kept
            oldest_s = None if oldest_ms is None else max(0.0, now.timestamp() - oldest_ms / 1000)
            link = self._kept.link.model_copy(update={"oldest_waiting_s": oldest_s})
            return self._kept.model_copy(update={"link": link, "disk": self._disk()})
        run = self._run()
        self._remember_order(run)
        around = Around(
            van=self._van,
            clock_rate=self._clock.rate,
            revision=revision,
            route_version=self._route.look(run, now),
            waiting=rows,
            oldest_waiting_ms=oldest_ms,
            disk=self._disk(),
            can_block=len(self._route.ahead(run, now)) > 1,
            on_way=self._route.matched(run, now),
            order_before=self._order_before,
        )
        self._kept = cab_view(run, around, now)
        return self._kept

    async def route(self) -> RouteView:
        return await self._route.view(self._run(), self._clock.now())

    def road_ahead(self) -> tuple[tuple[float, float], ...]:
        """(latitude, longitude) along the way just ahead of the van; empty when nobody knows it."""
        return self._route.ahead(self._run(), self._clock.now())

    def capture(self) -> Capture:
        """When and where a photo is taken that comes now: by the depot's clock; without a place where no fix proves
        one, and off duty.
        """
        run, now = self._run(), self._clock.now()
        at = now if run.manifest is None else now.astimezone(zone_of(run.manifest))
        position = proving_position(run, now) if run.is_on_duty else None
        if position is None:
            return Capture(at=at)
        return Capture(at=at, spot=Spot(place=position.place, fixed_at=position.fixed_at, error_m=position.error_m))

    async def offer_route(self) -> OfferRouteView:
        return await self._offer_route.view(self._run(), self._clock.now())

    def _remember_order(self, run: Run) -> None:
        """Which order the driver saw before the newest plan."""
        version = run.plan.version if run.plan else 0
        if version != self._plan_version:
            self._plan_version, self._order_before = version, self._order
        self._order = tuple(stop.stop_id for stop in run.open_stops)
