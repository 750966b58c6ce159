import socket

import pytest

from host.loopback import (
    LOWEST_PORT,
    OUTGOING_PORTS,
    LoopbackOnlyError,
    PortTakenError,
    claim_port,
    free_port,
    require_loopback,
)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_addresses_are_accepted(address: str) -> None:
    require_loopback(address, "the console")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", "192.168.1.4", "example.org", "127.0.0.1.example.org"])
def test_any_other_address_is_refused_with_advice(address: str) -> None:
    with pytest.raises(LoopbackOnlyError, match=r"the console .*127\.0\.0\.1"):
        require_loopback(address, "the console")
    with pytest.raises(LoopbackOnlyError):
        claim_port(address, 0, "the console")


def test_a_claimed_port_listens_and_is_not_given_twice() -> None:
    with claim_port("127.0.0.1", 0, "the console") as mine:
        port = mine.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            pass
        with pytest.raises(PortTakenError, match=f"the console: port {port} .*another port"):
            claim_port("127.0.0.1", port, "the console")


def test_a_free_port_can_be_claimed() -> None:
    with claim_port("127.0.0.1", free_port(), "the console"):
        pass


def test_a_free_port_is_none_that_an_outgoing_connection_could_take() -> None:
    first_outgoing = int(OUTGOING_PORTS.read_text().split()[0])
    assert all(LOWEST_PORT <= free_port() < first_outgoing for _ in range(50))
