"""What the tests of the DIMSE gateway share: one that runs, and small files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consilium.gateways.dicomweb.testing_files import image
from consilium.gateways.dimse.server import Gateway
from consilium.testing import cast as casting

Make = Callable[..., Gateway]


@pytest.fixture
def gateway(transactional_db: Any, settings: Any) -> Iterator[Make]:
    """`gateway()`: one that listens on a port of its own; SCU, DCMTK and OTHER may send."""
    settings.DIMSE_PEERS = "SCU, DCMTK@127.0.0.1, ELSEWHERE@192.0.2.1"
    casting.organisation()
    running: list[Gateway] = []

    def make() -> Gateway:
        running.append(Gateway("127.0.0.1", 0))
        running[-1].start()
        return running[-1]

    yield make
    for one in running:
        one.stop(0.2)


@pytest.fixture
def slices(tmp_path: Path) -> Callable[..., list[Path]]:
    """`slices(3)`: files of one study of Anna's; keywords as in testing_files.image."""

    def make(count: int, **changed: Any) -> list[Path]:
        found = [tmp_path / f"{changed.get('study', 'a')}-{number}.dcm" for number in range(1, count + 1)]
        for number, path in enumerate(found, start=1):
            path.write_bytes(image(number, **changed))
        return found

    return make
