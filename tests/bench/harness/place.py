# SPDX-License-Identifier: Apache-2.0
"""Where measuring takes place: a directory in memory, one on the disk, and the images; all of it goes at the end."""

import os
import shutil
import struct
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
MIB = 1 << 20


def _field(tag, kind, count, value):
    return struct.pack("<HHII", tag, kind, count, value)


def write_tiff(path, size):
    """An uncompressed RGB TIFF of about `size` bytes, of noise, in strips of at most 768 KiB."""
    width, rows = (8192, 32) if size >= 64 * MIB else (512, 32)
    strip = width * 3 * rows
    strips = max(2, round(size / strip))
    fields = 10
    bits_at = 8 + 2 + fields * 12 + 4
    offsets_at = bits_at + 6
    counts_at = offsets_at + 4 * strips
    data_at = counts_at + 4 * strips
    head = struct.pack("<2sHIH", b"II", 42, 8, fields)
    for entry in (
        (256, 4, 1, width), (257, 4, 1, strips * rows), (258, 3, 3, bits_at), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, strips, offsets_at), (277, 3, 1, 3), (278, 4, 1, rows), (279, 4, strips, counts_at), (284, 3, 1, 1),
    ):  # fmt: skip
        head += _field(*entry)
    head += struct.pack("<I3H", 0, 8, 8, 8)
    head += b"".join(struct.pack("<I", data_at + i * strip) for i in range(strips))
    head += struct.pack("<I", strip) * strips
    with open(path, "wb") as file:
        file.write(head)
        for _ in range(strips):
            file.write(os.urandom(strip))
    return path


class Place:
    def __init__(self, disk=None):
        self.memory = Path(tempfile.mkdtemp(prefix="sat-bench-", dir=MEMORY))
        self.disk = Path(tempfile.mkdtemp(prefix="sat-bench-", dir=disk))
        self._images = {}

    def room(self, where):
        room = os.statvfs(where)
        return room.f_bavail * room.f_frsize

    def require(self, where, size):
        if self.room(where) < size:
            raise RuntimeError(f"{where} has {self.room(where) // MIB} MiB free, {size // MIB} are needed")

    def image(self, size):
        """The image of that size, made once, in memory."""
        if size not in self._images:
            self.require(self.memory, 2 * size)
            self._images[size] = write_tiff(self.memory / f"image-{size}.tif", size)
        return self._images[size]

    def remove(self):
        for directory in (self.memory, self.disk):
            shutil.rmtree(directory, ignore_errors=True)
