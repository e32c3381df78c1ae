"""The policies that are in force, handed from who knows them to the process that holds the data, in a file."""

import json
from collections.abc import Callable
from pathlib import Path

from deployment.iam.documents import Place
from deployment.iam.policies import Policies
from devstack.aws.access.door import Door


def hand_over(file: Path, policies: Policies, place: Place) -> None:
    """Put policies in force; whoever reads the file sees all or nothing of them."""
    draft = file.with_suffix(".draft")
    handed = {"account": place.account, "region": place.region, "roles": policies.documents}
    draft.write_text(json.dumps(handed), encoding="utf-8")
    draft.replace(file)


class Handed:
    """The door with the policies of the file, made anew when the file changes; none while there is no file."""

    def __init__(self, file: Path, make: Callable[[Policies, Place], Door]) -> None:
        self._file = file
        self._make = make
        self._version: tuple[int, int] | None = None
        self._door: Door | None = None

    def door(self) -> Door | None:
        """What is in force now."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None
        version = (found.st_ino, found.st_mtime_ns)
        if version != self._version:
            handed = json.loads(self._file.read_bytes())
            place = Place(handed["account"], handed["region"])
            self._door = self._make(Policies.from_json(handed["roles"]), place)
            self._version = version
        return self._door
