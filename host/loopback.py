"""What is not secured by TLS stays on this machine: addresses are checked, and ports claimed, here."""

import errno
import secrets
import socket
from ipaddress import ip_address
from pathlib import Path

LOWEST_PORT = 10_240
OUTGOING_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


class LoopbackOnlyError(ValueError):
    """An address was asked for that other machines could reach."""


class PortTakenError(OSError):
    """Another program already listens where we are told to; the text says where and what to do."""

    def __str__(self) -> str:
        return str(self.strerror)  # a person has no use for the error's number


def require_loopback(address: str, what: str) -> None:
    """Raises LoopbackOnlyError unless `address` is a loopback address or the word localhost."""
    if address == "localhost":
        return
    try:
        is_loopback = ip_address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise LoopbackOnlyError(
            f"{what} may only use a loopback address without TLS, and {address!r} is none: write 127.0.0.1"
        )


def claim_port(host: str, port: int, what: str, *, is_secured: bool = False) -> socket.socket:
    """A socket that listens on a loopback address, or with TLS on any; port 0 takes a free one.

    Raises LoopbackOnlyError for an address that needs TLS, and PortTakenError when somebody else listens there.
    """
    if not is_secured:
        require_loopback(host, what)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = f"{what}: port {port} on {host} is already in use. Stop the program that holds it"
            raise PortTakenError(errno.EADDRINUSE, f"{why} (`ss -ltnp` names it), or choose another port.") from error
        raise


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody uses, for children which cannot choose one themselves.

    Drawn from below the range that the system takes the near ends of outgoing connections from: one from there may be
    taken again before the child listens on it.
    """
    first_outgoing = int(OUTGOING_PORTS.read_text().split()[0])
    while True:
        port = LOWEST_PORT + secrets.randbelow(max(1, first_outgoing - LOWEST_PORT))
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return port
