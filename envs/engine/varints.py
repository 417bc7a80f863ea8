"""Whole numbers in as few bytes as they need: seven bits a byte, the lowest first, as protobuf."""

_MAX_BITS = 64


def varint(number: int) -> bytes:
    """Return the bytes of a number that is not negative."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the number that begins at a position, and the position after it.

    Raises:
        ValueError: the data ends within it, or it has more than 64 bits.
    """
    number = shift = 0
    while shift < _MAX_BITS:
        if position >= len(data):
            raise ValueError("the data ends within a number")
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
    raise ValueError("a number has more than 64 bits")
