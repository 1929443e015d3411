"""Limits attempts to sign in from one network address: per process, and over all processes where Redis is set."""

from web.process.services import Services


async def may_try(services: Services, address: str) -> bool:
    """Count an attempt from a network address, and return whether it is allowed."""
    allowed = services.sign_ins.allows(address)
    attempts = await services.hints.knocked("sign-in", address) if services.hints is not None else None
    return allowed and (attempts is None or attempts <= services.settings.sign_in_per_minute)
