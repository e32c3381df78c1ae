"""A system that a tool deployed, read back from the emulator's own APIs: nothing of it comes from the declaration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devstack.aws.clients import Clients
from devstack.aws.deployed.functions import FunctionReader
from devstack.aws.deployed.grants import policies
from devstack.aws.deployed.images import Image, built
from devstack.aws.deployed.wiring import WiringReader
from devstack.aws.errors import StackError
from devstack.aws.functions.model import LogSink
from devstack.aws.names import Endpoints
from devstack.aws.workload import Site, Workload
from discord_agent.declaration import Package, System

type Deploy = Callable[[Site], None]


@dataclass(slots=True)
class Deployed:
    """What ``deploy`` leaves on the site is what runs; ``contexts`` are build contexts of images by their URIs.

    The declaration gives keys to names, for people and for those who look on, and nothing else.
    """

    system: System
    deploy: Deploy
    contexts: Mapping[str, Path]
    log: LogSink
    packages: frozenset[Package] = frozenset()
    counts: dict[str, int] = field(default_factory=dict)

    def check(self) -> None:
        """Whatever is missing shows when it is deployed."""

    def bring_up(self, site: Site) -> Workload:
        """Deploy, and read back."""
        self.deploy(site)
        at = Endpoints(site.endpoints.data, site.endpoints.data, site.endpoints.data)
        images = _Images(self.contexts, site.folder / "images")
        functions = FunctionReader(Clients(at), site.folder, key_of=self._key_of, image=images.find)
        wiring = WiringReader(Clients(at), policy_of=functions.policy, key_of=self._key_of, log=self.log)
        workload = Workload(
            functions=functions.read(),
            machines=tuple(wiring.machines()),
            subscriptions=tuple(wiring.subscriptions()),
            status_targets=tuple(wiring.status_targets()),
            routes=tuple(wiring.routes()),
            policies=policies(Clients(at)),
            queues={self._key_of(name): url for name, url in wiring.queues().items()},
            services=dict(wiring.services(images.find)),
        )
        self.counts = {
            "functions": len(workload.functions),
            "machines": len(workload.machines),
            "event_sources": len(workload.subscriptions),
            "status_targets": len(workload.status_targets),
            "routes": len(workload.routes),
            "roles": len(workload.policies.roles),
            "queues": len(workload.queues),
            "services": len(workload.services),
        }
        return workload

    def _key_of(self, name: str) -> str:
        system = self.system
        named = {queue.name: key for key, queue in system.queues.items()}
        for owners in (system.functions, system.machines, system.services):
            named |= {owner.physical_name: key for key, owner in owners.items()}
        return named.get(name, name)


@dataclass(slots=True)
class _Images:
    """Images by URI, each laid out once."""

    contexts: Mapping[str, Path]
    folder: Path
    _built: dict[str, Image] = field(default_factory=dict)

    def find(self, uri: str) -> Image:
        """The image; StackError when nobody knows its build context."""
        if uri not in self.contexts:
            raise StackError(f"there is no build context of the image {uri}; known: {', '.join(self.contexts)}")
        if uri not in self._built:
            self._built[uri] = built(self.contexts[uri], self.folder / str(len(self._built)))
        return self._built[uri]
