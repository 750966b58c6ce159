"""What can go wrong in the coordinator, as one small tree.

CloudError
├── ConfigError        what was configured cannot work; the text says what to change
├── StoreError         the database cannot be used
│   └── StoreTooNewError   a newer Roundsman wrote it
└── BrokerError        the private broker cannot be started
"""


class CloudError(Exception):
    """Any of ours; the text is for the person who runs the coordinator and says what to do."""


class ConfigError(CloudError):
    """What was configured cannot work."""


class StoreError(CloudError):
    """The database cannot be used."""


class StoreTooNewError(StoreError):
    """The database was written by a newer Roundsman than this one."""


class BrokerError(CloudError):
    """The private broker cannot be started."""
