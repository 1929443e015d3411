"""What all commands share: the types of their parsers and arguments, and the settings among the arguments."""

import argparse
import logging
import os
from collections.abc import Mapping
from typing import Any, TypeAlias

from web.process import log_lines
from web.settings import Settings, exposed, read

log = logging.getLogger("fanlight.settings")

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # it has no public name
Arguments: TypeAlias = Mapping[str, Any]  # arguments of a command by name


def settings_of(given: Arguments, **defaults: Any) -> Settings:
    """Return the settings of a command: its flags first, then variables, then `defaults`, then the built-in ones.

    Secrets among the flags are warned of.

    Raises: BadSetting.
    """
    settings = read(given, os.environ, **defaults)
    if "log_format" in given:  # a server's
        log_lines.begin(settings.log_level, settings.log_format)
    for sentence in exposed(given):
        log.warning(sentence)
    return settings
