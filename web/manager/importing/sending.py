"""A plan that comes with a form: the file itself, and where uploads of this installation are kept."""

from starlette.datastructures import UploadFile
from starlette.requests import Request

from domain import check
from domain.errors import Invalid
from domain.language import gettext as _
from web.manager.importing.uploads import Upload, Uploads


def uploads_of(request: Request) -> Uploads:
    """Return the uploads of this installation."""
    state = request.app.state
    if not hasattr(state, "uploads"):
        settings = state.services.settings
        state.uploads = Uploads(settings.data, settings.max_upload_mb << 20)
    uploads: Uploads = state.uploads
    return uploads


async def sent_file(request: Request, max_upload_mb: int) -> tuple[Upload | None, str]:
    """Return the file of a form, None where none was chosen, or why it cannot be read; at most so many MiB are read."""
    sent = (await request.form()).get("plan")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return None, ""
    most = max_upload_mb << 20
    data = await sent.read(most + 1)
    try:
        name = check.line("file_name", sent.filename[:200])
    except Invalid as invalid:
        return None, invalid.message
    if len(data) <= most:
        return Upload(name, data), ""
    return None, _(
        "The file is larger than {max_upload_mb} MiB. Save a plan without its history.", max_upload_mb=max_upload_mb
    )
