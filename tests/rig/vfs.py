"""The disks of `disk.py` under the standard library's own SQLite: a VFS by ctypes, nothing to build.

Production code opens `sqlite3.connect(path)` or `sqlite:///path` as ever; a path below a mounted folder leads to that
folder's disk. What can go wrong here, and why each odd line is as it is, was learned once and is told beside the line.
"""

import _sqlite3
import atexit
import ctypes
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.rig.disk import Disk, NoRoomError

_OK, _BUSY, _IOERR, _NOTFOUND, _FULL, _CANTOPEN, _SHORT_READ, _NOENT = 0, 5, 10, 12, 13, 14, 522, 5898
_CREATE, _DELETE_ON_CLOSE = 4, 8
_UNLOCK, _EXCLUSIVE = 1, 8
_PRAGMA = 14
_POWERSAFE_OVERWRITE = 0x1000
_POINTER, _INT, _LONG, _TEXT = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_char_p
_FILE_METHODS = {
    "xClose": "p",
    "xRead": "ppil",
    "xWrite": "ppil",
    "xTruncate": "pl",
    "xSync": "pi",
    "xFileSize": "pp",
    "xLock": "pi",
    "xUnlock": "pi",
    "xCheckReservedLock": "pp",
    "xFileControl": "pip",
    "xSectorSize": "p",
    "xDeviceCharacteristics": "p",
    "xShmMap": "piiip",
    "xShmLock": "piii",
    "xShmBarrier": "p",
    "xShmUnmap": "pi",
}
_VFS_METHODS = (
    "xOpen",
    "xDelete",
    "xAccess",
    "xFullPathname",
    "xDlOpen",
    "xDlError",
    "xDlSym",
    "xDlClose",
    "xRandomness",
    "xSleep",
    "xCurrentTime",
    "xGetLastError",
    "xCurrentTimeInt64",
    "xSetSystemCall",
    "xGetSystemCall",
    "xNextSystemCall",
)


class RigUnusableError(RuntimeError):
    """This machine's Python cannot run the rig; the text says what is missing."""


class _Methods(ctypes.Structure):
    _fields_ = [("iVersion", _INT), *((name, _POINTER) for name in _FILE_METHODS)]


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("iVersion", _INT),
        ("szOsFile", _INT),
        ("mxPathname", _INT),
        ("pNext", _POINTER),
        ("zName", _TEXT),
        ("pAppData", _POINTER),
        *((name, _POINTER) for name in _VFS_METHODS),
    ]


class _OsFile(ctypes.Structure):
    _fields_ = [("pMethods", _POINTER), ("id", _LONG)]


class _File:
    """One open file of one connection."""

    def __init__(self, disk: Disk, name: str, number: int, *, is_temporary: bool) -> None:
        self.disk, self.name, self.number, self.is_temporary = disk, name, number, is_temporary
        self.lock = 0
        self.shared_bits = 0
        self.exclusive_bits = 0


def _library() -> ctypes.CDLL:
    # Through the extension's own handle, so that it is the SQLite which `sqlite3` calls, shared or built in.
    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    if not hasattr(library, "sqlite3_vfs_register"):
        raise RigUnusableError("this Python hides its SQLite symbols: the power-cut disk cannot be put under it")
    for name, result, arguments in (
        ("vfs_find", _POINTER, [_TEXT]),
        ("vfs_register", _INT, [_POINTER, _INT]),
        ("malloc64", _POINTER, [_LONG]),
        ("sourceid", _TEXT, []),
        ("threadsafe", _INT, []),
    ):
        function = getattr(library, f"sqlite3_{name}")
        function.restype, function.argtypes = result, arguments
    return library


class PowerCutVfs:
    """Made once per process (`the_vfs`) and never freed; it is the default VFS from then on."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        """Mistakes of this model: must stay empty, or nothing that was found counts."""
        self._mounts: dict[str, Disk] = {}
        self._scratch = Disk(0)
        self._library = _library()
        self._files: dict[int, _File] = {}
        self._next_file = 0
        self._lock = threading.RLock()  # one for all: the collector may close another disk's file inside a callback
        self._kept: list[Any] = []
        self._methods = _Methods(iVersion=2)
        for name, shape in _FILE_METHODS.items():
            arguments = [{"p": _POINTER, "i": _INT, "l": _LONG}[letter] for letter in shape]
            setattr(self._methods, name, self._callback(arguments, self._on_file(getattr(self, f"_{name}"))))
        ours = self._library.sqlite3_vfs_find(None)
        self._vfs = _Vfs.from_buffer_copy(ctypes.string_at(ours, ctypes.sizeof(_Vfs)))  # clock, sleep: the real ones
        self._vfs.iVersion, self._vfs.szOsFile = 2, ctypes.sizeof(_OsFile)
        self._vfs.pNext, self._vfs.zName, self._vfs.pAppData = None, b"powercut", None
        for name, arguments in (
            ("xOpen", [_POINTER, _POINTER, _POINTER, _INT, _POINTER]),
            ("xDelete", [_POINTER, _TEXT, _INT]),
            ("xAccess", [_POINTER, _TEXT, _INT, _POINTER]),
            ("xFullPathname", [_POINTER, _TEXT, _INT, _POINTER]),
        ):
            setattr(self._vfs, name, self._callback(arguments, self._on_vfs(getattr(self, f"_{name}"))))
        atexit.register(self._at_exit)
        self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)
        self._test_itself()

    def mount(self, folder: Path, disk: Disk) -> None:
        """Files below the folder are on that disk, for the connections opened from now on."""
        self._mounts[str(folder)] = disk

    def unmount(self, folder: Path) -> None:
        self._mounts.pop(str(folder), None)

    # ctypes -------------------------------------------------------------------------------------------------------

    def _callback(self, arguments: list[Any], function: Callable[..., int]) -> int | None:
        # Kept for ever: a callback that is collected before a connection is an instant segmentation fault.
        callback = ctypes.CFUNCTYPE(_INT, *arguments)(function)
        self._kept.append(callback)
        return ctypes.cast(callback, _POINTER).value

    def _on_vfs(self, act: Callable[..., int | None]) -> Callable[..., int]:
        # An exception that leaves a ctypes callback counts as SQLITE_OK: all are caught.
        def guarded(_vfs: int, *arguments: Any) -> int:
            try:
                with self._lock:
                    return act(*arguments) or _OK
            except OSError:
                return _IOERR
            except BaseException as error:
                self.errors.append(error)
                return _IOERR

        return guarded

    def _on_file(self, act: Callable[..., int | None]) -> Callable[..., int]:
        def guarded(pointer: int, *arguments: Any) -> int:
            try:
                with self._lock:
                    return act(self._files[ctypes.c_int64.from_address(pointer + 8).value], *arguments) or _OK
            except NoRoomError:
                return _FULL
            except OSError:
                return _IOERR
            except BaseException as error:
                self.errors.append(error)
                return _IOERR

        return guarded

    def _at_exit(self) -> None:
        # Connections still open are closed after ctypes is torn down: point each method at a C function returning 1.
        stub = ctypes.cast(self._library.sqlite3_threadsafe, _POINTER).value
        for name in _FILE_METHODS:
            setattr(self._methods, name, stub)
        for name in ("xOpen", "xDelete", "xAccess", "xFullPathname"):
            setattr(self._vfs, name, stub)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))

    def _test_itself(self) -> None:
        folder, disk = Path("/powercut-selftest"), Disk(0)
        self.mount(folder, disk)
        try:
            connection = sqlite3.connect(folder / "a.db")
            connection.execute("CREATE TABLE t (x)")
            answered = connection.execute("PRAGMA powercut").fetchone()
            (source,) = connection.execute("SELECT sqlite_source_id()").fetchone()
            connection.close()
        except sqlite3.Error as error:
            raise RigUnusableError(f"sqlite3 does not use the SQLite in {self._library._name}: {error}") from error
        finally:
            self.unmount(folder)
        if not answered or disk.operations < 3 or self.errors or source != self._library.sqlite3_sourceid().decode():
            raise RigUnusableError("the power-cut disk is not under this Python's connections")

    # sqlite3_vfs --------------------------------------------------------------------------------------------------

    @staticmethod
    def _where(path: bytes) -> tuple[Disk, str]:
        # A full path is /pc<disk>/<file>: journal and WAL inherit it, so each stays with the disk it was opened on.
        _, disk, name = path.decode().split("/", 2)
        return Disk.by_id(int(disk[2:])), name

    def _xOpen(self, path: int | None, pointer: int, flags: int, answer: int | None) -> int:  # noqa: N802
        ctypes.c_void_p.from_address(pointer).value = None  # no methods: no xClose after an open that failed
        self._next_file += 1
        if path is None:  # a spilled sort: it survives nothing anyway
            disk, name = self._scratch, f"scratch{self._next_file}"
        else:
            disk, name = self._where(ctypes.string_at(path))
        if disk.is_dead or (name not in disk.seen and not flags & _CREATE):
            return _CANTOPEN
        if name not in disk.seen:
            disk.create(name)
        is_temporary = path is None or bool(flags & _DELETE_ON_CLOSE)
        file = _File(disk, name, self._next_file, is_temporary=is_temporary)
        self._files[file.number] = file
        disk.handles.setdefault(name, []).append(file)
        opened = _OsFile.from_address(pointer)
        opened.id = file.number
        opened.pMethods = ctypes.addressof(self._methods)
        if answer:
            ctypes.c_int.from_address(answer).value = flags
        return _OK

    def _xDelete(self, path: bytes, is_folder_synced: int) -> int:  # noqa: N802
        disk, name = self._where(path)
        if name not in disk.seen:
            return _NOENT
        disk.delete(name, is_folder_synced=bool(is_folder_synced))
        return _OK

    def _xAccess(self, path: bytes, _flags: int, answer: int) -> int:  # noqa: N802
        disk, name = self._where(path)
        ctypes.c_int.from_address(answer).value = name in disk.seen
        return _OK

    def _xFullPathname(self, path: bytes, room: int, out: int) -> int:  # noqa: N802
        if not path.startswith(b"/pc"):
            folder = next((folder for folder in Path(path.decode()).parents if str(folder) in self._mounts), None)
            if folder is None:
                raise RuntimeError(f"{path.decode()} is on no mounted disk")
            path = b"/pc%d/%s" % (self._mounts[str(folder)].id, str(Path(path.decode()).relative_to(folder)).encode())
        if len(path) >= room:
            return _CANTOPEN
        ctypes.memmove(out, path + b"\0", len(path) + 1)
        return _OK

    # sqlite3_io_methods -------------------------------------------------------------------------------------------

    def _xClose(self, file: _File) -> None:  # noqa: N802
        file.disk.handles[file.name].remove(file)
        del self._files[file.number]
        if file.is_temporary:
            for place in (file.disk.seen, file.disk.pending, file.disk.files):
                place.pop(file.name, None)

    def _xRead(self, file: _File, into: int, count: int, offset: int) -> int:  # noqa: N802
        if file.disk.is_dead:
            return _IOERR
        data = bytes(file.disk.seen[file.name][offset : offset + count])
        ctypes.memmove(into, data.ljust(count, b"\0"), count)
        return _OK if len(data) == count else _SHORT_READ

    def _xWrite(self, file: _File, source: int, count: int, offset: int) -> None:  # noqa: N802
        file.disk.write(file.name, offset, ctypes.string_at(source, count))

    def _xTruncate(self, file: _File, size: int) -> None:  # noqa: N802
        file.disk.truncate(file.name, size)

    def _xSync(self, file: _File, _flags: int) -> None:  # noqa: N802
        file.disk.sync(file.name)

    def _xFileSize(self, file: _File, answer: int) -> None:  # noqa: N802
        ctypes.c_int64.from_address(answer).value = len(file.disk.seen[file.name])

    def _others(self, file: _File) -> list[_File]:
        return [other for other in file.disk.handles[file.name] if other is not file]

    def _xLock(self, file: _File, level: int) -> int:  # noqa: N802
        highest = max((other.lock for other in self._others(file)), default=0)
        if level <= file.lock:
            return _OK
        if (level == 1 and highest >= 3) or (level > 1 and highest >= 2):
            return _BUSY
        if level == 4 and highest:
            file.lock = 3
            return _BUSY
        file.lock = level
        return _OK

    def _xUnlock(self, file: _File, level: int) -> None:  # noqa: N802
        file.lock = min(file.lock, level)

    def _xCheckReservedLock(self, file: _File, answer: int) -> None:  # noqa: N802
        highest = max((other.lock for other in self._others(file)), default=0)
        ctypes.c_int.from_address(answer).value = max(highest, file.lock) >= 2

    def _xFileControl(self, file: _File, operation: int, argument: int) -> int:  # noqa: N802
        if operation != _PRAGMA or (_TEXT * 3).from_address(argument)[1] != b"powercut":
            return _NOTFOUND
        text = b"operation %d\0" % file.disk.operations
        memory = self._library.sqlite3_malloc64(len(text))
        ctypes.memmove(memory, text, len(text))
        ctypes.c_void_p.from_address(argument).value = memory
        return _OK

    def _xSectorSize(self, file: _File) -> int:  # noqa: N802
        return file.disk.sector_bytes

    def _xDeviceCharacteristics(self, _file: _File) -> int:  # noqa: N802
        return _POWERSAFE_OVERWRITE

    def _xShmMap(self, file: _File, region: int, size: int, extend: int, answer: int) -> None:  # noqa: N802
        memory = file.disk.shared.setdefault(file.name, ([], set()))
        regions, users = memory
        users.add(file)
        while extend and len(regions) <= region:
            regions.append(ctypes.create_string_buffer(size))
        address = ctypes.addressof(regions[region]) if region < len(regions) else None
        ctypes.c_void_p.from_address(answer).value = address

    def _xShmLock(self, file: _File, offset: int, count: int, flags: int) -> int:  # noqa: N802
        bits = ((1 << count) - 1) << offset
        if flags & _UNLOCK:
            file.shared_bits &= ~bits
            file.exclusive_bits &= ~bits
            return _OK
        is_exclusive = bool(flags & _EXCLUSIVE)
        for other in self._others(file):
            if other.exclusive_bits & bits or (is_exclusive and other.shared_bits & bits):
                return _BUSY
        if is_exclusive:
            file.exclusive_bits |= bits
        else:
            file.shared_bits |= bits
        return _OK

    def _xShmBarrier(self, _file: _File) -> None:  # noqa: N802
        pass

    def _xShmUnmap(self, file: _File, _delete: int) -> None:  # noqa: N802
        file.shared_bits = file.exclusive_bits = 0
        memory = file.disk.shared.get(file.name)
        if memory is not None:
            memory[1].discard(file)
            if not memory[1]:
                file.disk.shared.pop(file.name)


_made: list[PowerCutVfs] = []


def the_vfs() -> PowerCutVfs:
    """The process's one; from the first call on, SQLite files exist on mounted disks only."""
    if not _made:
        _made.append(PowerCutVfs())
    return _made[0]
