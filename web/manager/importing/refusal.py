"""`Refusal`: why lines of a proposal were not accepted."""

import msgspec
from starlette.datastructures import FormData


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why lines were not accepted, and the form that was sent, where it is shown again."""

    problem: str
    status: int
    form: FormData | None = None
    field: str = ""
