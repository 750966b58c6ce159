"""Proofs handed out and looked at, at a terminal: `python -m cloud proof`, and `verify`, which needs nothing but the
file.
"""

from collections.abc import Callable
from datetime import UTC
from pathlib import Path

from cloud.config import CloudSettings
from cloud.errors import CloudError
from cloud.identity.desk import machine_now
from cloud.identity.sealing import open_seal
from cloud.identity.seals import SealChecks
from cloud.proof.bundle import NoBundleError, Opened, pack, unpack
from cloud.proof.fonts import find_fonts
from cloud.proof.model import Item, Proof, Verdict, Verification
from cloud.proof.pdf import draw
from cloud.proof.sheet import sheet_of
from cloud.proof.verify import verify
from cloud.store.database import looked_into
from cloud.store.proofs import evidence_in, proof_of

type Say = Callable[[str], None]
DATABASE_FILE = "cloud.db"


class NoSuchStopError(CloudError):
    """Nobody knows the stop."""


def run_proof(settings: CloudSettings, stop_id: str, target: Path, say: Say) -> None:
    """Writes a stop's bundle, also while the coordinator runs. Raises CloudError, OSError."""
    proof, evidence = read_proof(settings, stop_id)
    data = pack(proof, evidence)
    new = target.with_name(target.name + ".new")
    new.write_bytes(data)
    new.replace(target)
    found = verify(proof, lambda item: evidence.get(item.file or ""), SealChecks())
    for line in words(proof, found):
        say(line)
    say(f"{target}: {len(data)} bytes")


def run_page(settings: CloudSettings, stop_id: str, target: Path, say: Say) -> None:
    """Writes the page for the shipper. Raises CloudError, OSError."""
    proof, evidence = read_proof(settings, stop_id)
    found = verify(proof, lambda item: evidence.get(item.file or ""), SealChecks())
    fonts = find_fonts()
    data = draw(sheet_of(proof, found, SealChecks().fingerprint(proof.authority_pem)), evidence, fonts)
    new = target.with_name(target.name + ".new")
    new.write_bytes(data)
    new.replace(target)
    if fonts.is_narrow:
        say("no font with Greek and Cyrillic letters was found: install font-roboto, or the system's DejaVu")
    say(f"{target}: {found.verdict.value.replace('_', ' ')}")


def read_proof(settings: CloudSettings, stop_id: str) -> tuple[Proof, dict[str, bytes]]:
    """A stop's proof and its evidence, by file. Raises CloudError."""
    with looked_into(settings.data_dir / DATABASE_FILE) as connection:
        proof = proof_of(
            connection,
            stop_id,
            fleet=settings.fleet,
            timezone=settings.timezone,
            authority_pem=authority_pem(settings.data_dir),
            stater=open_seal(settings.data_dir, settings.fleet, machine_now()),
        )
        if proof is None:
            raise NoSuchStopError(f"there is no stop {stop_id}")
        return proof, evidence_in(connection, proof)


def authority_pem(data_dir: Path) -> str:
    """Of the fleet; nothing where no van needs a certificate."""
    try:
        return (data_dir / "authority" / "authority.pem").read_text()
    except OSError:
        return ""


def run_verify(path: Path, authority: str | None, say: Say) -> int:
    """Looks at a bundle, without the coordinator and its database: 0 verified, 1 not, 2 no bundle at all.

    `authority`: the fingerprint (sha256, hex) that the fleet's authority must have.
    """
    try:
        opened = unpack(path.read_bytes())
    except (NoBundleError, OSError) as error:
        say(f"{path} is no bundle: {error}")
        return 2
    for trouble in opened.troubles:
        say(trouble)
    is_good = _is_good(opened, authority, say) and not opened.troubles
    say("verified" if is_good else "not verified")
    return 0 if is_good else 1


def _is_good(opened: Opened, authority: str | None, say: Say) -> bool:
    proof = opened.proof
    if proof is None:
        return False

    def held(item: Item) -> bytes | None:
        return opened.files.get(item.file or "")

    found = verify(proof, held, SealChecks())
    for line in words(proof, found):
        say(line)
    is_whose = True
    if authority is not None:
        wanted, here = authority.replace(":", "").lower(), SealChecks().fingerprint(proof.authority_pem)
        is_whose = wanted == here and found.sealed is not None and found.sealed.is_vouched
        is_whose = is_whose and (found.is_complete or proof.schema_ == 1)
        if not is_whose:
            say(f"It does not come from the authority {wanted}.")
    return found.verdict is Verdict.VERIFIED and is_whose


def words(proof: Proof, found: Verification) -> list[str]:
    """What was found, line by line."""
    lines = [one.text for one in found.findings] + list(dict.fromkeys(found.notes))
    lines.append(
        f"stop {proof.stop_id} of fleet {proof.fleet}: {found.records} records, {found.items} photos and signatures"
    )
    if found.sealed is not None:
        one = found.sealed
        lines.append(f"sealed by {one.van} with record {one.seq} of epoch {one.epoch}, head {one.link}")
        lines.append(f"key {one.public_key}")
        here = SealChecks().fingerprint(proof.authority_pem)
        if one.is_vouched and here is not None:
            lines.append(f"the van's certificate stands for it; authority {here}")
    if proof.inventory is not None:
        lines.append(f"all that the coordinator had of it on {proof.made_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
    return lines
