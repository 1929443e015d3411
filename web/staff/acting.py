"""Who acts when somebody of the organisation sends a form, and whether the service would let them."""

from domain.commands import AnyCommand
from domain.errors import Denied
from projections.events.world import World
from web.door.guard import Signed
from web.write.permission import Actor, permit


def actor_of(signed: Signed) -> Actor:
    """Return somebody who is signed in as the write side knows them."""
    return Actor(signed.person.id, signed.person.role, signed.clients)


def permitted(world: World, signed: Signed, command: AnyCommand) -> bool:
    """Tell whether somebody's role covers a command, by the service's own rule, so that no page offers another one."""
    try:
        permit(actor_of(signed), command, world)
    except Denied:
        return False
    return True
