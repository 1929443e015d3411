"""How often somebody at one address may try to sign in: a bound per process, and one over all where Redis is set."""

from web.process.services import Services


async def may_try(services: Services, address: str) -> bool:
    """Tell whether somebody at an address may try to sign in once more this minute, here or anywhere."""
    allowed = services.sign_ins.allows(address)
    knocked = await services.hints.knocked("sign-in", address) if services.hints is not None else None
    return allowed and (knocked is None or knocked <= services.settings.sign_in_per_minute)
