"""A screenshot made small: a palette of its 256 most frequent colors, no filters (flat areas repeat as they are)."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLORS = 256


def compact(data: bytes) -> bytes:
    """Return the picture of an 8-bit RGB or RGBA PNG, not interlaced, in fewer bytes; rare colors become near ones."""
    parts = list(_chunks(data))
    width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", parts[0][1])
    assert (depth, interlaced) == (8, 0)
    size = {2: 3, 6: 4}[color]
    raw = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    lines = [_opaque(line, size) for line in _unfiltered(raw, width * size, size)]
    pixels = [[line[at : at + 3] for at in range(0, len(line), 3)] for line in lines]
    counts = Counter(pixel for line in pixels for pixel in line)
    palette = [pixel for pixel, _ in counts.most_common(COLORS)]
    index = {pixel: _nearest(pixel, palette) for pixel in counts}
    packed = zlib.compress(b"".join(b"\0" + bytes(index[pixel] for pixel in line) for line in pixels), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return (
        SIGNATURE
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", b"".join(palette))
        + _chunk(b"IDAT", packed)
        + _chunk(b"IEND", b"")
    )


def _nearest(pixel: bytes, palette: list[bytes]) -> int:
    return min(range(len(palette)), key=lambda at: sum((a - b) ** 2 for a, b in zip(pixel, palette[at], strict=True)))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _unfiltered(raw: bytes, stride: int, size: int) -> Iterator[bytes]:
    above = bytearray(stride)
    for start in range(0, len(raw), stride + 1):
        kind, line = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
        for at in range(stride) if kind else ():
            left = line[at - size] if at >= size else 0
            corner = above[at - size] if at >= size else 0
            line[at] = (line[at] + _predicted(kind, left, above[at], corner)) & 255
        above = line
        yield bytes(line)


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind < 4:
        return (0, left, up, (left + up) // 2)[kind]
    guess = left + up - corner
    near = min(abs(guess - left), abs(guess - up), abs(guess - corner))
    return left if near == abs(guess - left) else up if near == abs(guess - up) else corner


def _opaque(line: bytes, size: int) -> bytes:
    if size == 3:
        return line
    kept = bytearray(len(line) // 4 * 3)
    kept[0::3], kept[1::3], kept[2::3] = line[0::4], line[1::4], line[2::4]
    return bytes(kept)
