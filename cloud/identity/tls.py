"""TLS for the two ends the coordinator holds: the console's server, and its own link to the broker."""

import ssl

from cloud.identity.home import Home
from wire.mqtt import Secure


def console_context(home: Home) -> ssl.SSLContext:
    """For HTTPS. A van shows its certificate when it renews; a browser has none and is not asked twice."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(home.authority_path)
    load_server(context, home)
    return context


def load_server(context: ssl.SSLContext, home: Home) -> None:
    """Also into a context in use: connections to come show the new certificate."""
    context.load_cert_chain(*home.pair("server"))


def coordinators_link(home: Home) -> Secure:
    """The coordinator as the broker's client."""
    context = ssl.create_default_context(cafile=str(home.authority_path))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*home.pair("client"))
    return Secure(context)
