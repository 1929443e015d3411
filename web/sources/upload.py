"""The tool "upload": a script sends the plan whenever it likes, so there is nothing to ask."""

from collections.abc import Mapping, Sequence

import httpx2

from domain.language import N_
from domain.language import gettext as _
from web.sources.tools.tool import Attached, Field, Progress, Pulled, Trouble


class UploadTool:
    """Plans that are sent to us, by `PUT /api/v1/projects/{project}/sources/{source}/plan`."""

    name, label = "upload", N_("Script")
    fields: Sequence[Field] = ()
    scope, secret_label, usual_address = "", "", ""
    hooks = False

    async def look(self, attached: Attached, client: httpx2.AsyncClient) -> str:
        """Say what this source waits for."""
        del attached, client
        return _("A script sends the plan; nothing is asked for.")

    async def pull(
        self, attached: Attached, cursor: str, client: httpx2.AsyncClient, progress: Progress | None = None
    ) -> Pulled:
        """Nothing can be asked for. Raises: Trouble."""
        del attached, cursor, client, progress
        raise Trouble(_("A script sends the plan; nothing can be pulled."), for_good=True)

    def is_signed(self, attached: Attached, headers: Mapping[str, str], body: bytes) -> bool:
        """Nobody calls for what is sent."""
        del attached, headers, body
        return False

    def greeting(self, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """Nobody asks whether anybody is there."""
        del headers, body
        return {}
