"""What all commands share: the types of their parsers and arguments, and the settings among the arguments."""

import argparse
import os
from collections.abc import Mapping
from typing import Any, TypeAlias

from web.settings import Settings, read

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # it has no public name
Arguments: TypeAlias = Mapping[str, Any]  # arguments of a command by name


def settings_of(given: Arguments, **defaults: Any) -> Settings:
    """Return the settings of a command: its flags first, then variables, then `defaults`, then the built-in ones.

    Raises: BadSetting.
    """
    return read(given, os.environ, **defaults)
