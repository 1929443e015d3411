"""What seeded leaks share: the type of one, and a client's view that says more than it should."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import msgspec

from domain.plan.project import Project
from domain.reveal import policy
from projections.follow import next_entry as disclosing

Mutant = Callable[[], AbstractContextManager[object]]
replace = msgspec.structs.replace


def changed_view(change: Callable[[Any, Project, Any], Any]) -> AbstractContextManager[object]:
    """Patch reveal so that `change(view, project, share)` has the last word."""
    sound = policy.reveal

    def leaky(project: Project, share: Any, **names: Any) -> Any:
        return change(sound(project, share, **names), project, share)

    return patch.object(disclosing, "reveal", leaky)


def scope(words: Callable[[Project], object]) -> Mutant:
    """The scope of a view says more."""
    return lambda: changed_view(lambda view, project, _share: replace(view, scope=f"{view.scope} {words(project)}"))
