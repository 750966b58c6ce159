"""What can be broken in this room. A place without a road, or an engine that is down, is an answer and not an error.

RoadsError
  +- PackError            the folder cannot be used as a map pack
  |    +- PackMissingError
  |    +- PackDamagedError
  +- BuildError           a map pack could not be made
  +- EngineError          OSRM refused a question that we should not have asked
"""


class RoadsError(Exception):
    """Anything this room could not do; the text says what to do."""


class PackError(RoadsError):
    """The folder cannot be used as a map pack."""


class PackMissingError(PackError):
    """There is no map pack in the folder."""


class PackDamagedError(PackError):
    """A file of the pack is not what it was when the pack was made. Damaged road data may answer wrongly or crash."""


class BuildError(RoadsError):
    """A map pack could not be made; nothing was left behind."""


class EngineError(RoadsError):
    """OSRM refused a question that we should not have asked."""
