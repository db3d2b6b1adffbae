"""The Merkle tree of RFC 6962 §2.1, kept as the roots of its complete subtrees so that appending is cheap."""

import hashlib

EMPTY_ROOT = hashlib.sha256(b"").hexdigest()


class Frontier:
    """Roots of the complete subtrees of a growing tree, largest first; one entry a set bit of `size`."""

    def __init__(self, size: int = 0, peaks: list[str] | None = None) -> None:
        self.size = size
        self.peaks = list(peaks or [])
        if len(self.peaks) != size.bit_count():
            raise ValueError("The tree's peaks do not fit its size.")

    def append(self, entry: bytes) -> None:
        """Add one entry (the leaf hash is SHA-256(0x00 ‖ entry))."""
        node = hashlib.sha256(b"\x00" + entry).digest()
        size = self.size
        while size & 1:
            node = _parent(bytes.fromhex(self.peaks.pop()), node)
            size >>= 1
        self.peaks.append(node.hex())
        self.size += 1

    def root(self) -> str:
        """The root of the tree as it is now, in hex."""
        if not self.peaks:
            return EMPTY_ROOT
        node = bytes.fromhex(self.peaks[-1])
        for peak in reversed(self.peaks[:-1]):
            node = _parent(bytes.fromhex(peak), node)
        return node.hex()


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
