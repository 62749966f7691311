"""The counterpart of faults.c: arms faults, and computes from the journal what a disk may contain after a power loss.

The model of the disk: data written before the start of an fsync is on disk when the fsync returns. Any of the later
writes may be there, or the first sectors of one. The name of a new file is there after the file or its folder was
synced; of later names a prefix is there. A file `-shm` is memory: its content may be there or not.
"""

import errno
import mmap
import struct
import subprocess
from pathlib import Path

SECTOR = 512
KINDS = {"write": 0, "sync": 1, "open": 2, "truncate": 3, "unlink": 4, "read": 5}
CONTROL = struct.Struct("=6i")
RECORD = struct.Struct("=cc6xQQQQQ")
SOURCE = Path(__file__).with_name("faults.c")


def build(scope):
    library = scope.folder / "faults.so"
    if not library.exists():
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE,
                        "-ldl", "-lpthread"], check=True)
    return library


def environment(scope, folder, control=None, journal=None):
    env = {"LD_PRELOAD": str(build(scope)), "TORTURE_FOLDER": str(folder)}
    if control:
        env["TORTURE_CONTROL"] = str(control)
    if journal:
        env["TORTURE_JOURNAL"] = str(journal)
    return env


class Faults:
    """Makes file operations of a running service fail."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(CONTROL.size))
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), CONTROL.size)

    def arm(self, kinds, nth, error=errno.EIO, lasting=False):
        """The `nth` operation of these kinds (a name or several) from now on fails; with `lasting` all later ones, too."""
        self.disarm()
        self.memory[4 : CONTROL.size] = struct.pack("=5i", nth, error, lasting, 0, 0)
        self.memory[0:4] = struct.pack("=i", sum(1 << KINDS[kind] for kind in kinds.split()))

    def disarm(self):
        """Disarms it; returns the numbers of operations and of failed ones."""
        self.memory[0:4] = bytes(4)
        return CONTROL.unpack(self.memory[:])[4:6]


class File:
    """A file at the start, and its changes since then."""

    def __init__(self, content=b""):
        self.content, self.changes, self.synced = content, [], 0

    def after_loss(self, rng, fate=None):
        """The content, with none, all, a prefix, or any of its unsynced changes."""
        content = bytearray(self.content)
        fate = fate or rng.choice(["none", "all", "prefix", "any", "any"])
        lost = [change for change in self.changes if change[0] > self.synced]
        prefix = rng.randrange(len(lost) + 1)
        for number, kind, offset, data in self.changes:
            if number > self.synced:
                if fate == "none" or fate == "prefix" and number >= (lost + [(1 << 63,)])[prefix][0]:
                    continue
                if fate == "any" and rng.random() < 0.5:
                    continue
                if fate == "any" and kind == b"W" and rng.random() < 0.2:
                    data = data[: rng.randrange(len(data) // SECTOR + 1) * SECTOR]
            if kind == b"T":
                del content[offset:]
                content.extend(bytes(offset - len(content)))
            else:
                content.extend(bytes(max(0, offset + len(data) - len(content))))
                content[offset : offset + len(data)] = data
        return bytes(content)


class Journal:
    """All changes that a service made to the files of a folder."""

    def __init__(self, folder, path):
        self.folder, self.path = folder, path
        path.write_bytes(b"")
        self.base = {str(f): (f.stat().st_ino, f.read_bytes()) for f in folder.iterdir() if f.is_file()}

    def read(self):
        data, place, self.records = memoryview(self.path.read_bytes()), 0, []
        while place + RECORD.size <= len(data):
            kind, is_folder, number, nanoseconds, inode, offset, length = RECORD.unpack_from(data, place)
            place += RECORD.size
            if place + length > len(data):
                break
            has_data = kind in b"WCU"
            self.records.append((kind, is_folder != b"\0", number, nanoseconds / 1e9, inode, offset,
                                 bytes(data[place : place + length]) if has_data else b""))
            place += length if has_data else 0
        return self.records

    def cut(self, count, target, rng, fate=None):
        """Writes to the folder `target` what may be left after a power loss after `count` records; returns its time
        and the number of unsynced changes."""
        files, names, pending = {}, {}, []
        for path, (inode, content) in self.base.items():
            files[inode] = names[path] = File(content)
        for kind, is_folder, number, _, inode, offset, data in self.records[:count]:
            if kind == b"C":
                files[inode] = File()
                pending.append((number, data.decode(), files[inode]))
            elif kind == b"U":
                pending.append((number, data.decode(), None))
            elif kind in (b"W", b"T"):
                if inode not in files:
                    continue  # a file without a name, which disappears with its process
                files[inode].changes.append((number, kind, offset, data))
            elif is_folder:
                for _, path, file in [name for name in pending if name[0] <= offset]:
                    rename(names, path, file)
                pending = [name for name in pending if name[0] > offset]
            elif inode in files:
                files[inode].synced = max(files[inode].synced, offset)
                for name in [name for name in pending if name[2] is files[inode]]:
                    rename(names, *name[1:])
                    pending.remove(name)
        for _, path, file in pending[: rng.randrange(len(pending) + 1)]:
            rename(names, path, file)
        for path, file in names.items():
            if path.endswith("-shm"):
                if rng.random() < 0.5:
                    (target / Path(path).name).write_bytes(rng.randbytes(32768))
                continue
            (target / Path(path).name).write_bytes(file.after_loss(rng, fate))
        unsynced = sum(change[0] > file.synced for file in names.values() for change in file.changes)
        return self.records[count - 1][3], unsynced


def rename(names, path, file):
    if file is None:
        names.pop(path, None)
    else:
        names[path] = file
