"""What a run of the simulation showed: the drivers' own log held against what the coordinator has."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from wire.model import Sha256, StopId


@dataclass(frozen=True)
class SeenOutcome:
    """A driver saw "saved" for closing a stop."""

    van: str
    stop_id: StopId
    result: str
    """The outcome, or the reason of a failure."""


@dataclass(frozen=True)
class SeenProof:
    """A driver saw "saved" for one piece of evidence, with the fingerprint the van gave."""

    van: str
    stop_id: StopId
    kind: str
    sha256: Sha256


@dataclass(frozen=True)
class CloudStop:
    """What the coordinator has about one stop: closing records and evidence, each as often as it was stored."""

    results: tuple[str, ...]
    proofs: tuple[tuple[str, Sha256], ...]


@dataclass(frozen=True)
class Comparison:
    saved_seen: int
    outcomes_cloud: int
    proofs_seen: int
    proofs_cloud: int
    lost: int
    doubled: int
    blob_mismatches: int
    complaints: tuple[str, ...]


def compare(
    outcomes: Sequence[SeenOutcome],
    proofs: Sequence[SeenProof],
    stops: Mapping[StopId, CloudStop],
    bytes_seen: Mapping[Sha256, bytes],
    bytes_cloud: Mapping[Sha256, bytes],
) -> Comparison:
    """Lost: a driver saw "saved", the coordinator does not have it. Doubled: the coordinator has it more than once."""
    complaints: list[str] = []
    lost = doubled = mismatches = 0
    nothing = CloudStop((), ())
    for seen in outcomes:
        if seen.result not in stops.get(seen.stop_id, nothing).results:
            lost += 1
            complaints.append(f"lost: {seen.van} saw {seen.result} saved for {seen.stop_id}")
    for proof in proofs:
        if (proof.kind, proof.sha256) not in stops.get(proof.stop_id, nothing).proofs:
            lost += 1
            complaints.append(f"lost: {proof.van} saw a {proof.kind} saved for {proof.stop_id}")
        elif proof.sha256 not in bytes_cloud:
            lost += 1
            complaints.append(f"lost: the bytes of the {proof.kind} of {proof.stop_id}")
        elif proof.sha256 in bytes_seen and bytes_seen[proof.sha256] != bytes_cloud[proof.sha256]:
            mismatches += 1
            complaints.append(f"mismatch: the {proof.kind} of {proof.stop_id} has other bytes at the coordinator")
    for stop_id, stop in stops.items():
        extra = max(0, len(stop.results) - 1) + sum(count - 1 for count in Counter(stop.proofs).values())
        if extra:
            doubled += extra
            complaints.append(f"doubled: {stop_id} has {stop.results} and {len(stop.proofs)} proofs")
    return Comparison(
        saved_seen=len(outcomes) + len(proofs),
        outcomes_cloud=sum(len(stop.results) for stop in stops.values()),
        proofs_seen=len(proofs),
        proofs_cloud=sum(len(stop.proofs) for stop in stops.values()),
        lost=lost,
        doubled=doubled,
        blob_mismatches=mismatches,
        complaints=tuple(complaints),
    )


@dataclass(frozen=True)
class Report:
    """The file `--report` writes; every figure of a run that a reader may want to hold against a promise."""

    scenario: str
    seed: int
    vans: int
    stops: int
    saved_seen: int
    outcomes_cloud: int
    proofs_seen: int
    proofs_cloud: int
    lost: int
    doubled: int
    blob_mismatches: int
    offline_s: float
    """Domain seconds the cut van had no link."""
    run_s_of_cut_van: float
    """Domain seconds from its first stop given to its last stop closed."""
    replans_offline: int
    offers_accepted: int
    offers_kept: int
    """Suggestions of another order that drivers answered with *Accept* and with *Keep mine*."""
    faults_fired: dict[str, bool]
    windows_kept: int
    windows_total: int
    wall_s: float
    complaints: tuple[str, ...]

    def shortcomings(self) -> tuple[str, ...]:
        """Why this run did not pass; empty when it did."""
        reasons = []
        for figure in ("lost", "doubled", "blob_mismatches"):
            if getattr(self, figure):
                reasons.append(f"{figure} is {getattr(self, figure)}, must be 0")
        if self.saved_seen == 0:
            reasons.append("no driver saw anything saved")
        reasons += [f"the fault did not fire: {name}" for name, fired in self.faults_fired.items() if not fired]
        cuts_link = any(name.startswith("link cut") for name in self.faults_fired)
        if cuts_link and self.offline_s * 3 < self.run_s_of_cut_van:
            reasons.append(
                f"offline for {self.offline_s:.0f} s of a run of {self.run_s_of_cut_van:.0f} s: under a third"
            )
        if cuts_link and self.replans_offline < 1:
            reasons.append("no plan was made offline")
        return tuple(reasons)

    def to_json(self) -> dict[str, object]:
        return asdict(self)
