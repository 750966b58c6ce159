# What module.cpp offers; README.md tells what it does.
from collections.abc import Callable, Sequence

class Found:
    @property
    def order(self) -> list[int]: ...
    @property
    def cost(self) -> float: ...
    @property
    def iterations(self) -> int: ...
    @property
    def priced(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def is_exact(self) -> bool: ...

class Day:
    def __init__(self, nodes: int, time_s: bytes, *, no_road_s: float, no_road_price: float) -> None: ...
    def add_stop(
        self,
        *,
        setup_s: float = 0.0,
        service_s: float = 0.0,
        windows: Sequence[tuple[float, float]] = ...,
        late_price: float = 0.0,
        is_anywhere: bool = False,
        group: int = -1,
        rank: int = -1,
        promise: tuple[float, float] | None = None,
        promise_price: float = 0.0,
        load: Sequence[float] = ...,
        pickup: int = -1,
        drop: int = -1,
        locked_at: int = -1,
        is_last: bool = False,
        skip_price: float | None = None,
    ) -> None: ...
    def set_prices(self, *, wait: float, moved: float, overload: float, split: float) -> None: ...
    def set_slots(self, slots: Sequence[tuple[float, float]]) -> None: ...
    def set_load(self, aboard: Sequence[float], capacity: Sequence[float]) -> None: ...
    def set_frozen(self, count: int) -> None: ...
    def set_energy(
        self,
        *,
        charge: float,
        charge_sd: float,
        reserve: float,
        common: float,
        own: float,
        z: float,
        charge_price: float,
        short_price: float,
        short_price_per_kwh: float,
        levels: Sequence[float],
        use: bytes,
        use_per_kg: bytes,
        standing: Sequence[float],
    ) -> None: ...
    def add_charger(self, *, setup_s: float, curve: Sequence[tuple[float, float]]) -> None: ...
    def improve(
        self,
        start: Sequence[int],
        *,
        limit_s: float,
        iterations: int = 0,
        seed: int = 1,
        may_be_exact: bool = True,
        on_better: Callable[[list[int], float], None] | None = None,
    ) -> Found: ...
    def charges(self, order: Sequence[int]) -> list[tuple[int, int, int]]: ...
    def stop(self) -> None: ...
