"""Evidence bundles: an untouched one holds, an altered one does not, and the first bad update is named."""

import io
import random
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from projections.evidence.erasing import Erasure, erase_entries, expire_receipts
from projections.evidence.inspection import inspect
from projections.proof import notes
from projections.proof.notes import signer
from projections.verify import bundle as verify_bundle
from projections.verify import container, standalone
from projections.verify.bundle import VerifyReport
from tests.projections.verify.tampering import MATRIX, Tamper, alter
from tests.properties.seeds import few
from tests.world import KEY, SHARE, World

TRUSTED = notes.verification_key(KEY.name, KEY.public)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Twelve updates, a checkpoint at the eighth, and receipts."""
    made = World(tmp_path)
    made.harbour()
    for i in range(11):
        made.move("m1", made.clock.at.date() + timedelta(days=100 + i))
        made.claim("delivered", i + 1, head=made.entries()[i].root[:16])
        made.claim("displayed", i + 1)
        made.receipts.flush()
        if i == 6:
            made.notary.sign([SHARE])
    return made


def check(data: bytes, key: str | None = None, checkpoints: Sequence[bytes] = ()) -> VerifyReport:
    """Return our verifier's report, once the stand-alone one has come to the same."""
    ours, theirs = verify_bundle.check(data, key, checkpoints), standalone.check(data, key, checkpoints)
    told = ours.problems[:3], theirs.problems[:3]
    assert (ours.accepted, ours.first_bad) == (theirs.accepted, theirs.first_bad), told
    assert not ours.accepted or (ours.kind, ours.share, ours.first, ours.to, ours.key, len(ours.notes)) == (
        theirs.kind, theirs.share, theirs.first, theirs.to, theirs.key, len(theirs.notes),
    ), told  # fmt: skip
    return ours


def verdict(report: VerifyReport) -> tuple[bool, int | None]:
    return report.accepted, report.first_bad


@pytest.mark.parametrize(
    ("kind", "first", "to"), [("share", 1, 0), ("period", 3, 7), ("period", 1, 12), ("entry", 5, 5)]
)
def test_an_untouched_bundle_holds(world: World, kind: str, first: int, to: int) -> None:
    report = check(world.bundle(kind, first, to), TRUSTED)
    assert verdict(report) == (True, None), report.problems
    assert (report.kind, report.first, report.to, report.notes) == (kind, first, to or 12, [])


def test_a_bundle_of_one_update_discloses_nothing_of_the_others(world: World) -> None:
    world.move("m1", world.clock.at.date() + timedelta(days=300), reason="Unmistakable words")
    secret, shown = b"Unmistakable words", world.bundle("entry", 13, 13, receipts=False)
    assert any(secret in _content(shown, path) for path in _paths(shown))
    other = world.bundle("entry", 5, 5, receipts=False)
    assert verdict(check(other, TRUSTED)) == (True, None)
    assert not any(secret in _content(other, path) for path in _paths(other))


def _paths(bundle: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return archive.namelist()


def _content(bundle: bytes, path: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return archive.read(path)


@pytest.mark.folder
@pytest.mark.parametrize(("tamper", "first_bad"), MATRIX.values(), ids=MATRIX)
def test_whatever_was_altered_in_the_stored_files_is_found_in_their_bundle(
    world: World, tamper: Tamper, first_bad: int
) -> None:
    assert verdict(check(world.bundle(), TRUSTED)) == (True, None)  # so that a checkpoint of all twelve was signed
    world.close()
    alter(world.path / "disclosure.db", tamper, f"share-{SHARE}")
    world.open()
    assert verdict(check(world.bundle(receipts=False), TRUSTED)) == (False, first_bad)


@pytest.mark.stories
@pytest.mark.parametrize(
    ("drawn", "bits"),
    [(11, few(100, 300)), pytest.param(12, 300, marks=pytest.mark.slow)],
)
def test_one_flipped_bit_anywhere_in_a_bundle_is_found(world: World, drawn: int, bits: int) -> None:
    bundle = world.bundle()
    rng = random.Random(drawn)
    for at in {0, 1, 5, len(bundle) - 1, *(rng.randrange(len(bundle)) for _ in range(bits))}:
        altered = bytearray(bundle)
        altered[at] ^= 1 << rng.randrange(8)
        assert not check(bytes(altered), TRUSTED).accepted, at


@pytest.mark.slow
def test_any_flipped_bit_of_the_list_of_files_gives_both_verifiers_the_same_first_bad_update(world: World) -> None:
    bundle = world.bundle()
    for at in range(bundle.index(b"PK\x01\x02"), len(bundle)):
        for bit in range(8):
            altered = bytearray(bundle)
            altered[at] ^= 1 << bit
            assert not check(bytes(altered), TRUSTED).accepted, (at, bit)


@pytest.mark.parametrize("name", [b"receipts.note", b"key.txt", b"checkpoint.note", b"entries/000000001.jsonl"])
def test_a_file_that_the_list_names_otherwise_gives_both_verifiers_the_same_first_bad_update(
    world: World, name: bytes
) -> None:
    bundle = world.bundle()
    at = bundle.rindex(name)  # in the list at the end of the container
    for i in (at, at + len(name) - 7 if b"jsonl" in name else at + 1):
        altered = bytearray(bundle)
        altered[i] ^= 1
        assert not check(bytes(altered), TRUSTED).accepted, i


@pytest.mark.parametrize("change", ["append", "prepend", "insert", "cut"])
def test_nothing_can_be_hidden_around_or_between_the_files(world: World, change: str) -> None:
    bundle = world.bundle()
    altered = {
        "append": bundle + b"x", "prepend": b"x" + bundle, "insert": bundle[:999] + b"x" + bundle[999:], "cut": bundle[:-1],
    }[change]  # fmt: skip
    assert not check(altered, TRUSTED).accepted


def _remade(bundle: bytes, change: dict[str, bytes | None], key: notes.Signer = KEY) -> bytes:
    """Somebody with the signing key makes the bundle anew, some files changed, added or left out."""
    files = {path: _content(bundle, path) for path in _paths(bundle) if path != container.NOTE}
    files = {path: content for path, content in {**files, **change}.items() if content is not None}
    members = [container.pack(path, files[path]) for path in sorted(files)]
    lines = "".join(f"{member.digest} {member.path}\n" for member in members)
    note = notes.sign(f"{KEY.name}/bundle\n2\n{lines}", key)
    return container.write([container.pack(container.NOTE, note.encode()), *members])


def test_a_bundle_made_anew_by_the_keys_owner_cannot_change_what_was_signed(world: World) -> None:
    bundle = world.bundle()
    path = "entries/000000001.jsonl"
    lines = _content(bundle, path).splitlines(keepends=True)
    assert check(_remade(bundle, {}), TRUSTED).accepted
    for n, altered in {
        5: b"".join([*lines[:4], lines[4].replace(b"Section A", b"Section B"), *lines[5:]]),
        3: b"".join([*lines[:2], *lines[3:]]),
        4: b"".join([*lines[:3], lines[6], *lines[4:]]),
        13: b"".join([*lines, lines[-1]]),
        12: b"".join(lines[:-1]),
        1: b"".join(reversed(lines)),
        2: b"".join([lines[0], b"{}\n", *lines[2:]]),
    }.items():
        assert verdict(check(_remade(bundle, {path: altered}), TRUSTED)) == (False, n)


@pytest.mark.parametrize(
    "change",
    [
        {"index.html": None}, {"verify.py": None}, {"extra.txt": b"x"}, {"key.txt": b"other\n"}, {"checkpoint.note": b""},
        {"bundle.json": b"{}"}, {"base.json": b"[]"}, {"receipts.note": None}, {"erasures/000001.note": b"nothing"},
        {"rotations/000001.note": b"nothing"}, {"checkpoints/000000009.note": b"nothing"},
        {"receipts/000000001.jsonl": b"{}\n"},
    ],
    ids=str,
)  # fmt: skip
def test_a_file_that_is_missing_unknown_or_no_file_of_its_kind_is_found(
    world: World, change: dict[str, bytes | None]
) -> None:
    assert not check(_remade(world.bundle(), change), TRUSTED).accepted


def test_a_stylesheet_that_is_not_the_one_an_update_was_shown_with_is_found(world: World) -> None:
    bundle = world.bundle()
    (style,) = (path for path in _paths(bundle) if path.startswith("stylesheets/"))
    assert verdict(check(_remade(bundle, {style: b"body{display:none}"}), TRUSTED)) == (False, 1)


def test_another_key_is_not_trusted_even_if_the_bundle_brings_it_along(world: World) -> None:
    stranger = signer(KEY.name, bytes(32))
    report = check(world.bundle(), notes.verification_key(stranger.name, stranger.public))
    assert not report.accepted
    own = check(world.bundle())
    assert own.accepted
    assert own.key == "bundle"
    assert "Compare it with the one you were given" in own.notes[0]


def test_a_checkpoint_kept_elsewhere_shows_a_cut_and_a_rewritten_record(world: World, tmp_path: Path) -> None:
    kept = world.notary.share(SHARE)
    assert kept is not None
    assert check(world.bundle(), TRUSTED, [kept.note.encode()]).accepted
    young = World(tmp_path / "young")
    young.clock.at = world.clock.at - timedelta(days=1)
    young.harbour()
    report = check(young.bundle(receipts=False), TRUSTED, [kept.note.encode()])
    assert verdict(report) == (False, 2)
    young.notary.share(SHARE)
    for i in range(14):
        young.move("m1", young.clock.at.date() + timedelta(days=200 + i))
    report = check(young.bundle(receipts=False), TRUSTED, [kept.note.encode()])
    assert verdict(report) == (False, 2)  # its own checkpoint of one update is the last that agrees


def test_a_forged_update_between_two_checkpoints_is_narrowed_down_to_after_the_last_good_one(
    world: World, tmp_path: Path
) -> None:
    bundle, forged = world.bundle(), World(tmp_path / "forged")
    forged.clock.at = world.clock.at - timedelta(days=1)
    forged.harbour()
    for i in range(11):
        forged.move("m1", forged.clock.at.date() + timedelta(days=100 + i))
    path = "entries/000000001.jsonl"
    mine, theirs = (_content(b, path).splitlines(keepends=True) for b in (bundle, forged.bundle(receipts=False)))
    mixed = _remade(bundle, {path: b"".join([*mine[:9], *theirs[9:]])})
    assert check(mixed, TRUSTED).first_bad in (9, 10)  # nine is one after the checkpoint, ten cannot follow from nine


def test_erased_updates_leave_every_proof_standing(world: World) -> None:
    before = world.notary.share(SHARE)
    assert before is not None
    whole = [check(world.bundle(kind, 2, 9), TRUSTED).accepted for kind in ("share", "period")]
    assert whole == [True, True]
    erase_entries(
        world.folder,
        world.notary,
        Erasure(share=SHARE, numbers={3, 4, 8}, reason="Asked for", who="ines"),
        world.clock(),
    )
    for kind, first, to in (("share", 1, 0), ("period", 2, 9), ("period", 3, 4), ("entry", 3, 3), ("entry", 5, 5)):
        report = check(world.bundle(kind, first, to), TRUSTED, [before.note.encode()] if kind == "share" else [])
        assert verdict(report) == (True, None), (kind, report.problems)


def test_content_that_is_gone_without_a_statement_was_tampered_with(world: World) -> None:
    world.bundle()
    world.folder.disclosure.erase(SHARE, [6])
    assert verdict(check(world.bundle(), TRUSTED)) == (False, 6)


def test_receipts_past_their_time_leave_every_proof_standing(world: World) -> None:
    world.clock.forward(days=40)
    assert expire_receipts(world.folder, world.notary, SHARE, 30, now=world.clock()) == 11
    assert check(world.bundle(), TRUSTED).accepted


def test_a_bundle_after_a_rotation_is_trusted_by_who_has_either_key(world: World) -> None:
    world.notary.share(SHARE)
    new = signer(KEY.name, bytes([7] * 32))
    world.notary.rotate(new)
    world.move("m2", world.clock.at.date())
    for key in (KEY, new):
        report = check(world.bundle(), notes.verification_key(key.name, key.public))
        assert verdict(report) == (True, None), report.problems


def test_a_page_that_claims_another_head_is_told_and_not_judged(world: World) -> None:
    world.claim("delivered", 4, head="0123456789abcdef")
    report = check(world.bundle(), TRUSTED)
    assert report.accepted
    assert "held another head at update 4" in report.notes[0]


@pytest.mark.once
@pytest.mark.parametrize(
    "data", [b"", b"PK", b"PK\x05\x06" + bytes(18), bytes(1000)], ids=["nothing", "two", "empty", "zeros"]
)
def test_what_is_no_bundle_at_all_is_rejected_in_a_sentence(data: bytes) -> None:
    report = check(data, TRUSTED)
    assert verdict(report) == (False, None)
    assert report.problems


def members(bundle: bytes) -> dict[str, bytes]:
    """Every file of a bundle but those that say when it was made."""
    return {path: _content(bundle, path) for path in _paths(bundle) if path not in ("bundle.json", container.NOTE)}


def test_a_bundle_holds_nothing_that_was_signed_for_the_bundle_of_somebody_else(world: World) -> None:
    """Whoever saw such a checkpoint would know that somebody took evidence, and at which update."""
    world.notary.sign([SHARE])
    for day, taken in ((1, True), (2, False), (3, True), (4, False)):
        world.move("m2", date(2027, 12, day))
        if taken:
            assert check(world.bundle(receipts=day == 1), TRUSTED).accepted
    origin, head = world.notary.origin(SHARE), world.folder.disclosure.head(SHARE)
    sizes = [size for size in range(1, head + 1) if f"checkpoints/{size:09}.note" in _paths(world.bundle())]
    assert sizes == [one.checkpoint.size for one in world.notary.all_of_clockwork(origin)]
    assert head - 1 in {one.checkpoint.size for one in world.notary.all(origin)} - set(sizes)
    made = world.notary.for_bundle(SHARE)
    assert made is not None
    assert made.number == len(world.notary.all_of_clockwork(origin)) + 1  # and tells no number of others


def test_the_clockwork_signs_as_if_nobody_had_taken_evidence(tmp_path: Path) -> None:
    seen = []
    for name in ("asked", "quiet"):
        world = World(tmp_path / name)
        world.harbour()
        for day in range(1, 9):
            world.move("m2", date(2027, 12, day))
            if name == "asked":
                world.bundle(("share", "entry")[day % 2], 1, 1, receipts=False)  # at a size the clockwork signs, or not
            if day % 3 == 0:
                world.notary.sign([SHARE])
        seen.append(members(world.bundle(receipts=False)))
        assert [finding.n for finding in inspect(world.folder, world.notary, [SHARE])] == []
        world.close()
    assert seen[0] == seen[1]


def test_a_checkpoint_that_was_signed_before_bundles_were_told_apart_is_still_read(world: World) -> None:
    """An earlier version recorded all of them under the origin."""
    world.move("m2", date(2027, 12, 1))
    size = world.folder.disclosure.head(SHARE)
    signed = world.notary.share(SHARE)
    assert signed is not None
    assert not signed.for_bundle
    world.move("m2", date(2027, 12, 2))
    assert f"checkpoints/{size:09}.note" in _paths(world.bundle())
