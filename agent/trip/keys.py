"""The key by which the van seals: announced once for each epoch, and again with a newer certificate. Pure."""

import hashlib

from agent.trip.effects import Decision, Outgoing
from agent.trip.inputs import KeyReady
from agent.trip.run import Run
from wire.codec import to_json
from wire.events import EventKind


def key_ready(run: Run, entered: KeyReady) -> Decision:
    """Announces the key; the same under the same epoch and certificate was announced already, and changes nothing."""
    said = entered.announced
    # Not over `vouched`: that is another each time it is made.
    known = hashlib.sha256(f"{entered.epoch} {said.public_key} {said.certificate_pem}".encode()).hexdigest()
    if known == run.key_announced:
        return Decision(run=run)
    return Decision(
        run=run.model_copy(update={"key_announced": known}),
        outgoing=(Outgoing(kind=EventKind.KEY_ANNOUNCED, body=to_json(said)),),
    )
