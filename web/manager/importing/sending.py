"""A plan that comes with a form: the file itself, and where uploads of this installation are kept."""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request

from domain import check
from domain.errors import Invalid
from web.converter import bounds_of, converter
from web.importers.plan import too_large
from web.manager.importing.uploads import Most, Uploads


def uploads_of(request: Request) -> Uploads:
    """Return the uploads of this installation."""
    state = request.app.state
    if not hasattr(state, "uploads"):
        settings = state.services.settings
        most = Most(
            upload=settings.max_upload_mb << 20,
            table=settings.max_table_mb << 20,
            converter=converter(
                settings.converter,
                bounds_of(settings.max_upload_mb, settings.converter_seconds, settings.converter_memory_mb),
            ),
        )
        state.uploads = Uploads(settings.data, most)
    uploads: Uploads = state.uploads
    return uploads


async def sent_file(request: Request) -> tuple[UploadFile | None, str]:
    """Return the file of a form, None where none was chosen, or why it cannot be read."""
    sent = (await request.form()).get("plan")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return None, ""
    try:
        check.line("file_name", sent.filename[:200])
    except Invalid as invalid:
        return None, invalid.message
    most = uploads_of(request).most.upload
    return (None, too_large(most)) if (sent.size or 0) > most else (sent, "")


async def keep(request: Request, project: str, sent: UploadFile) -> str:
    """Keep a file that `sent_file` returned for a project, and return its key."""
    name = check.line("file_name", (sent.filename or "")[:200])
    return await run_in_threadpool(uploads_of(request).keep, project, name, sent.file)
