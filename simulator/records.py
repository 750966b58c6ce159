"""What can be seen of a sealed link from outside: TLS records, their direction and their length. Nothing is decrypted.

That is enough to know a receipt when it passes. The broker speaks to a van in short acknowledgements, in manifests and
conditions, and in receipts; and a receipt alone follows a batch that went up, and has its length.
"""

APPLICATION_DATA = 0x17
HEADER_BYTES = 5
ACKNOWLEDGED_BYTES = 21
"""MQTT's PUBACK under TLS 1.3, and nothing else: from the first one on, handshake and retained messages are over."""
BATCH_BYTES = 250
"""Whatever is to be receipted is longer when it goes up."""
RECEIPT_BYTES = range(120, 400)
"""Measured: 173-323, with one lane or two. Conditions with one closure have 567, manifests more than 1,000."""


class Records:
    """Cuts one direction's bytes, however they arrive, into records."""

    def __init__(self) -> None:
        self._rest = b""

    def lengths(self, data: bytes) -> list[int]:
        """The length of each record of application data that ends in `data`."""
        found = []
        self._rest += data
        while len(self._rest) >= HEADER_BYTES:
            end = HEADER_BYTES + int.from_bytes(self._rest[3:HEADER_BYTES])
            if len(self._rest) < end:
                break
            if self._rest[0] == APPLICATION_DATA:
                found.append(end - HEADER_BYTES)
            self._rest = self._rest[end:]
        return found


class Conversation:
    """Both directions of one connection, from its first byte on."""

    def __init__(self) -> None:
        self._up = Records()
        self._down = Records()
        self._is_settled = False
        self._is_owed = False

    def upward(self, data: bytes) -> None:
        lengths = self._up.lengths(data)
        if self._is_settled and any(length >= BATCH_BYTES for length in lengths):
            self._is_owed = True

    def downward(self, data: bytes) -> bool:
        """Whether a receipt goes by in there."""
        is_receipt = False
        for length in self._down.lengths(data):
            if length == ACKNOWLEDGED_BYTES:
                self._is_settled = True
            elif self._is_owed and length in RECEIPT_BYTES:
                self._is_owed, is_receipt = False, True
        return is_receipt
