"""`Sources`: the tools, the reading of files, the taking and the engine of one process, built once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from projections.events.event_log import EventLog
from projections.events.present import CurrentWorld
from projections.events.world import World
from projections.installation.crash_point import CrashPoint, nowhere
from web.converter import bounds_of, converter
from web.outside.addresses import networks
from web.outside.transport import Outside
from web.settings import Settings
from web.sources.engine import Engine, EnginePorts
from web.sources.files import Files
from web.sources.folder import FolderTool
from web.sources.taking import Taking, TakingPorts
from web.sources.tools.registry import TOOLS
from web.sources.tools.tool import Most, Tool
from web.sources.upload import UploadTool
from web.write.service import Service


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What a process has for sources. `tools`: by name, as the page offers them."""

    tools: Mapping[str, Tool]
    files: Files
    taking: Taking
    engine: Engine


class BuiltOf(msgspec.Struct, frozen=True, kw_only=True):
    """What the sources of a process are built of."""

    settings: Settings
    events: EventLog
    present: CurrentWorld
    service: Service
    clock: Callable[[], datetime]  # UTC
    leads: Callable[[], bool] = lambda: True
    tell: Callable[[str], None] = lambda _key: None
    crash_point: CrashPoint = nowhere


def built(of: BuiltOf) -> Sources:
    """Return the sources of one process."""
    settings = of.settings
    allowed = bounds_of(settings.max_upload_mb, settings.converter_seconds, settings.converter_memory_mb)
    used = converter(settings.converter, allowed)
    files = Files(settings.data, settings.max_upload_mb << 20, settings.max_table_mb << 20, used.take if used else None)
    root = settings.source_folder if settings.source_folder != Path() else None
    tools: dict[str, Tool] = {"upload": UploadTool(), "folder": FolderTool(root, files), **TOOLS}
    taking = Taking(TakingPorts(service=of.service, present=of.present, events=of.events, clock=of.clock))
    ports = EnginePorts(
        taking=taking,
        present=of.present,
        tools=tools,
        outside=Outside(networks(settings.outside_networks), settings.outside_ca),
        clock=of.clock,
        leads=of.leads,
        tell=of.tell,
        crash_point=of.crash_point,
        most=Most(seconds=settings.pull_seconds, answer=settings.pull_mb << 20),
        at_once=settings.pulls_at_once,
    )
    return Sources(tools=tools, files=files, taking=taking, engine=Engine(ports))


def failing(world: World) -> int:
    """Return how many sources fail, of all projects that go on."""
    running = [project for project in list(world.projects.values()) if project.phase != "closed"]
    sources = [source for project in running for source in project.sources.values() if source.attached]
    return sum(source.failure is not None and source.paused is None for source in sources)
