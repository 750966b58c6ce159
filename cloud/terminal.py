"""What a person does at the coordinator's own machine: let a van in, put one out, make an administrator.

It works on the same register as the running coordinator, which notices by itself; and before its first start, too.
"""

import getpass
import sys
from collections.abc import Callable
from contextlib import closing

from cloud.config import CloudSettings
from cloud.errors import ConfigError
from cloud.identity import office
from cloud.identity.desk import machine_now
from cloud.identity.home import Home, open_home
from cloud.identity.register import Register, open_register

type Say = Callable[[str], None]


def enrol(settings: CloudSettings, van: str, say: Say) -> None:
    """Prints the one-time token for a van. Raises ConfigError for a van that is not in the settings."""
    names = [known.name for known in settings.vans]
    if van not in names:
        raise ConfigError(f"there is no van {van} in the settings, only {', '.join(names)}")
    home, book = _opened(settings)
    with closing(book):
        say(office.make_token(home.authority, book, van, machine_now()))


def revoke(settings: CloudSettings, van: str, say: Say) -> None:
    """Ends a van's certificates. A van that is no longer in the settings can be revoked as well."""
    _, book = _opened(settings)
    with closing(book):
        count = office.revoke(book, van, office.TERMINAL, office.TERMINAL, machine_now())
    say(f"{van}: {count} certificates revoked; a running coordinator ends its session within a minute")


def make_administrator(settings: CloudSettings, name: str, say: Say) -> None:
    """Asks for the password, or reads it from a pipe. Raises ConfigError for one that will not do."""
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    _, book = _opened(settings)
    with closing(book):
        refused = office.set_password(book, name, password, office.TERMINAL, machine_now())
    if refused is not None:
        raise ConfigError(refused.why)
    say(f"{name} can sign in")


def _opened(settings: CloudSettings) -> tuple[Home, Register]:
    home = open_home(settings.data_dir, settings.fleet, machine_now())
    return home, open_register(home.register_path)
