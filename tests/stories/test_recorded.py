"""What earlier versions recorded is read for ever: to the same events, proofs and pages; tests/vectors/recorded."""

import hashlib
import io
import json
import lzma
import re
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.events import Recorded, Stored, encode
from domain.ids import ShareId
from projections.entries.entry import Kept, header, open_content
from projections.evidence.inspection import inspect
from projections.evidence.leaves import numbers_erased
from projections.evidence.notary import Notary
from projections.follow.shadow import compared
from projections.installation.database import Database
from projections.installation.folder import Folder, Logs
from projections.proof import notes, tree
from projections.proof.notes import open_checkpoint, signer
from projections.replay import pages
from projections.verify import bundle as verify_bundle
from projections.verify import standalone
from tests import postgres
from web.render.page import Renderer

pytestmark = pytest.mark.folder  # it brings a folder and a database of its own

SAMPLES = sorted(path for path in (Path(__file__).parents[1] / "vectors" / "recorded").iterdir() if path.is_dir())
ALL = 100_000
MAY_DIFFER = {"stylesheet", "assets"}  # the look of what is shown may change, with its font; what is shown may not
REDRAWN = {"1", "2"}  # samples from before dashboards were drawn, or figures judged and said, otherwise
REWORDED = {"view.scope", "view.headline", "view.page"}  # sentences of a view that later versions say otherwise
REJUDGED = {"view.schedule", "view.budget", "view.overall"}  # figures and statuses by today's rules
COVERING = {"targets", "sections_hash"}  # what follows from those
TOLD = {"changes", "items", "say"}  # and these, in the updates that were about a figure or a rule that is judged anew
YEAR = re.compile(r" 20\d\d\b,?")
MARK = re.compile(
    r'\s+data-(?:of|f|r|was|now|by)="[^"]*"'
)  # which thing a row of changes is about, for the summed list
JUDGED_ANEW = {"2": {10}}  # by sample


class Sample(msgspec.Struct):
    """An installation of an earlier version, opened by the code of today, and what has to be read out of it."""

    logs: Logs
    expected: dict[str, Any]
    key: notes.Signer
    redrawn: bool  # later versions draw it otherwise
    judged_anew: set[int]  # updates whose figures later versions judge otherwise


def unpacked(archive: Path) -> dict[str, bytes]:
    """Return the files of a sample."""
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(archive.read_bytes()))) as files:
        return {one.name: files.extractfile(one).read() for one in files}  # type: ignore[union-attr]


def laid_out(sample: Path, to: Path) -> dict[str, bytes]:
    """Put a sample's folder where it can be opened, and return its files."""
    files = unpacked(sample / "folder.tar.xz")
    to.mkdir()
    for name, content in files.items():
        (to / name).write_bytes(content)
    return files


def signing_key(text: bytes) -> notes.Signer:
    name, _, seed = text.decode().strip().partition("\n")
    return signer(name, bytes.fromhex(seed))


def in_folder(sample: Path, there: Path) -> Sample:
    """Open a sample's folder, laid out first unless it is there."""
    files = unpacked(sample / "folder.tar.xz") if there.exists() else laid_out(sample, there)
    return Sample(
        Folder(there),
        json.loads(files["expected.json"]),
        signing_key(files["signing.key"]),
        sample.name in REDRAWN,
        JUDGED_ANEW.get(sample.name, set()),
    )


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Cluster]:
    with postgres.running() as made:
        yield made


@pytest.fixture(params=SAMPLES, ids=lambda path: path.name)
def sample(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(params=["folder", "postgres"])
def opened(request: pytest.FixtureRequest, sample: Path, tmp_path: Path) -> Iterator[Sample]:
    if request.param == "folder":
        found = in_folder(sample, tmp_path / "data")
    else:
        found = restored(request.getfixturevalue("server"), sample, tmp_path)
    yield found
    found.logs.close()


def restored(server: postgres.Cluster, sample: Path, scratch: Path) -> Sample:
    """Put a sample's dump into a fresh database, as people restore a backup."""
    files = unpacked(sample / "postgres.tar.xz")
    key = signing_key(unpacked(sample / "folder.tar.xz")["signing.key"])
    (scratch / "dump.sql").write_bytes(files["dump.sql"])
    url = postgres.create(server.url(), f"sample_{sample.name}_{hashlib.sha256(bytes(scratch)).hexdigest()[:8]}")
    done = subprocess.run(
        [server.programs / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={url}",
         f"--file={scratch / 'dump.sql'}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Sample(Database(url, anywhere=True), json.loads(files["expected.json"]), key, sample.name in REDRAWN, set())


# what is wrong, sentence by sentence


def of_events(sample: Sample) -> Iterator[str]:
    """Every event is there, at its place, and says all it said."""
    expected, count = sample.expected["events"], 0
    for recorded, then in zip(sample.logs.events.everything(), expected, strict=False):
        count += 1
        if not isinstance(recorded, Recorded):
            yield str(recorded)
            continue
        place = {"position": recorded.position, "stream": recorded.stream, "version": recorded.version}
        if place != {key: then[key] for key in place}:
            yield f"event {count} is at another place"
        now = Stored(
            stream=recorded.stream, at=recorded.at, actor=recorded.actor, command=recorded.command, event=recorded.event
        )
        if not says(json.loads(encode(now)), then["says"]):
            yield f"event {count} says something else than {then['says']}"
    if count != len(expected) or sample.logs.events.head() != expected[-1]["position"]:
        yield f"{len(expected)} events were recorded, {count} are read"


def says(now: Any, then: Any) -> bool:
    """Tell whether all that was said is said; fields may have been added since."""
    if isinstance(now, dict) and isinstance(then, dict):
        return all(key in now and says(now[key], value) for key, value in then.items())
    if isinstance(now, list) and isinstance(then, list):
        return len(now) == len(then) and all(says(one, other) for one, other in zip(now, then, strict=True))
    return now == then


def of_proofs(sample: Sample) -> Iterator[str]:
    """Every row hashes to its leaf, every tree to what was signed, by the ledger and by the copies that were kept."""
    notary = Notary(sample.logs, sample.key, lambda: pytest.fail("nothing is signed"))
    pinned = [open_checkpoint(notes.verify(note, notary.keys)) for note in sample.expected["checkpoints"]]
    yield from (str(finding) for finding in inspect(sample.logs, notary, sample.expected["shares"], pinned))
    if notary.verification_key != sample.expected["keys"]:
        yield "the key is another one"
    last = sample.logs.ledger.last()
    lines = sample.logs.ledger.lines(0, ALL)
    root = rooted([tree.leaf_hash(line.raw, b"") for line in lines])
    if last is None or {"lines": last.index, "root": root} != sample.expected["ledger"]:
        yield "the ledger is another one"


def rooted(leaves: list[bytes]) -> str:
    frontier: tuple[bytes, ...] = ()
    for place, leaf in enumerate(leaves):
        frontier = tree.append(frontier, place, leaf)
    return tree.root_of(frontier).hex() if leaves else ""


def of_entries(sample: Sample) -> Iterator[str]:
    """Every entry holds the content it held, committed to as it was; each share shows the page it showed."""
    for share, then in sample.expected["shares"].items():
        kept = sample.logs.disclosure.kept(share, 0, ALL)
        if rooted([leaf(one) for one in kept]) != then["root"] or len(kept) != then["head"]:
            yield f"{share} has another head"
        contents = {str(one.n): hashlib.sha256(one.raw).hexdigest() for one in kept if one.raw is not None}
        if contents != then["contents"]:
            yield f"{share} has other contents"
        if [one.n for one in kept if one.raw is None] != then["erased"]:
            yield f"of {share} other entries are erased"
        if not set(then["erased"]) <= numbers_erased(sample.logs, share):
            yield f"of {share} not every erasure is on record"
        for one in kept:
            if one.raw is not None and header(open_content(one.raw)) != one.header:
                yield f"entry {one.n} of {share} is read as another one"
        yield from of_page(sample.logs, share, then)


def leaf(kept: Kept) -> bytes:
    """Return an entry's leaf, from its content where that is there."""
    commitment = kept.commitment if kept.raw is None or kept.salt is None else tree.commit(kept.salt, kept.raw)
    return tree.leaf_hash(kept.header, commitment)


def of_page(logs: Logs, share: str, then: dict[str, Any]) -> Iterator[str]:
    page = pages.page(logs.disclosure, share)
    if page is None:
        yield f"{share} shows nothing"
        return
    if hashlib.sha256("".join(page.roots.values()).encode()).hexdigest() != then["markup"]:
        yield f"{share} shows another page"
    newest = logs.disclosure.last(share)
    said = (newest.content.view or newest.content.sections_hash) if newest else ""
    if hashlib.sha256(said.encode()).hexdigest() != then["view"]:
        yield f"{share} has another view"
    if logs.disclosure.stylesheet(page.stylesheet) is None:
        yield f"{share} has lost its stylesheet"
    keyframes = {key.n for n in range(1, page.n + 1) if (key := logs.disclosure.keyframe(share, n))}
    if sorted(keyframes) != then["keyframes"]:
        yield f"{share} has other keyframes"


def of_receipts(sample: Sample) -> Iterator[str]:
    """Every row of receipts and every claim is there; those past their time are not."""
    for share, then in sample.expected["shares"].items():
        rows = sample.logs.receipts.rows(share, 0, ALL)
        root = rooted([tree.leaf_hash(one.header, one.commitment) for one in rows])
        found = {
            "rows": len(rows),
            "rows_root": root,
            "expired": [one.k for one in rows if one.content is None],
            "claims": sum(len(one.claims(share)) for one in rows),
        }
        if found != {key: then[key] for key in found}:
            yield f"the receipts of {share} are others"


def of_shadow(sample: Sample, renderer: Renderer | None = None) -> Iterator[str]:
    """The code of today makes of the events what was recorded, byte for byte but for the stylesheet's name.

    Of a sample that is drawn otherwise by now it makes the same view, changes and list of changes.
    """
    for share, then in sample.expected["shares"].items():
        found = list(compared(sample.logs.events, sample.logs.disclosure, ShareId(share), renderer or Renderer()))
        if not found:
            yield f"nothing of {share} was compared"
        for one in found:
            fields = {
                apart.field for apart in one.apart
                if not (sample.redrawn and (drawn(apart.field) or but_for_years(apart.recorded, apart.recomputed)))
            }  # fmt: skip
            fields -= TOLD if one.n in sample.judged_anew else set()
            alike = one.state == "same" or (one.state == "differs" and fields <= MAY_DIFFER)
            if not alike and not (one.state == "erased" and one.n in then["erased"]):
                yield f"entry {one.n} of {share} {one.state}: {sorted(fields)}"


def drawn(field: str) -> bool:
    """Tell whether a field of an entry is how its view was drawn, or covers that."""
    return field in {"body", "page", "removed", *REWORDED, *REJUDGED, *COVERING} or field.startswith("part ")


def but_for_years(recorded: str, recomputed: str) -> bool:
    """Tell whether two texts differ in nothing but that the second has years in dates, and marks at rows of changes."""
    return YEAR.sub("", recorded) == YEAR.sub("", MARK.sub("", recomputed))


def faults(sample: Sample) -> list[str]:
    """Return all that is wrong."""
    found: list[str] = []
    for part in (of_events, of_proofs, of_entries, of_receipts, of_shadow):
        found += part(sample)
    return found


# the tests


def test_every_event_entry_receipt_and_line_is_read_as_it_was_recorded(opened: Sample) -> None:
    assert faults(opened) == []


def test_the_sample_holds_what_it_is_meant_to_hold(sample: Path) -> None:
    """A sample without erasures, without what ran out or without a page would prove little."""
    for archive in ("folder.tar.xz", "postgres.tar.xz"):
        expected = json.loads(unpacked(sample / archive)["expected.json"])
        first = next(iter(expected["shares"].values()))
        assert first["erased"]
        assert first["expired"]
        assert first["claims"]
        kinds = {one["says"]["event"]["type"] for one in expected["events"]}
        assert {"held-released", "person-erased", "share-revoked", "terms-activated", "content-erased"} <= kinds, kinds


@pytest.mark.parametrize(
    ("log", "stream"),
    [
        ("events", "project-%"), ("disclosure", "share-%"), ("disclosure", "key-%"), ("receipts", "share-%"),
        ("ledger", "ledger"),
    ],
)  # fmt: skip
def test_one_flipped_byte_in_a_copy_is_noticed(sample: Path, tmp_path: Path, log: str, stream: str) -> None:
    laid_out(sample, tmp_path / "data")
    with sqlite3.connect(tmp_path / "data" / f"{log}.db") as db:
        text = "SELECT rowid, state FROM stored_events WHERE originator_id LIKE ? ORDER BY rowid DESC LIMIT 1"
        place, state = db.execute(text, (stream,)).fetchone()
        altered = bytearray(state)
        altered[len(altered) // 2] ^= 1
        db.execute("UPDATE stored_events SET state = ? WHERE rowid = ?", (bytes(altered), place))
    db.close()
    changed = in_folder(sample, tmp_path / "data")
    try:
        found = faults(changed)
    except Exception as error:  # what cannot be opened at all is noticed as well
        found = [str(error)]
    finally:
        changed.logs.close()
    assert found


class Otherwise(Renderer):
    """A renderer that words its list of changes otherwise."""

    def items(self, changes, n, at, time_zone):
        return super().items(changes, n, at, time_zone).replace("Frost", "Ice")


class Restyled(Renderer):
    """A renderer with another stylesheet."""

    def __init__(self) -> None:
        super().__init__()
        self.css += b"/* */"
        self.stylesheet = hashlib.sha256(self.css).hexdigest()


def test_a_page_that_is_made_otherwise_is_noticed_and_another_stylesheet_is_not(sample: Path, tmp_path: Path) -> None:
    found = in_folder(sample, tmp_path / "data")
    assert list(of_shadow(found, Otherwise()))
    assert not list(of_shadow(found, Restyled()))
    found.logs.close()


def bundles() -> list[Any]:
    return [
        pytest.param(sample, name, id=f"{sample.name}-{name.removesuffix('.zip')}")
        for sample in SAMPLES
        for name in unpacked(sample / "bundles.tar.xz")
        if name.endswith(".zip")
    ]


@pytest.mark.parametrize(("sample", "name"), bundles())
def test_a_bundle_that_was_given_away_holds_by_every_verifier(sample: Path, name: str, tmp_path: Path) -> None:
    """Ours, the stand-alone one of today, and the one that the bundle brought along; with either key of the record."""
    files = unpacked(sample / "bundles.tar.xz")
    bundle, keys = files[name], [files[key].decode().strip() for key in ("key-first.txt", "key-second.txt")]
    for key in keys:
        report = verify_bundle.check(bundle, key)
        assert report.accepted, report.problems
    (tmp_path / name).write_bytes(bundle)
    brought = tmp_path / "verify.py"
    brought.write_bytes(verify_bundle.read(bundle)[0]["verify.py"].content())
    for program in (Path(standalone.__file__), brought):
        done = alone(program, tmp_path / name, keys[0])
        assert done["accepted"], done
        assert [done[k] for k in ("kind", "share", "from", "to")] == [
            report.kind, report.share, report.first, report.to,
        ]  # fmt: skip
    altered = bytearray(bundle)
    altered[len(bundle) // 2] ^= 1
    (tmp_path / name).write_bytes(altered)
    assert not verify_bundle.check(bytes(altered), keys[0]).accepted
    assert not alone(Path(standalone.__file__), tmp_path / name, keys[0])["accepted"]


def alone(program: Path, bundle: Path, key: str) -> dict[str, Any]:
    """Return what a stand-alone verifier reports, with Python and nothing else."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", program, bundle, "--key", key, "--json"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)
