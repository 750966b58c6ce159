import dataclasses
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from cloud.identity.seals import SealChecks
from cloud.proof.fonts import Fonts, find_fonts
from cloud.proof.model import Verdict
from cloud.proof.pdf import draw
from cloud.proof.sheet import Picture, Sheet, sheet_of
from tests.cloud.proof.sealed import a_proof, closed, heard, looked_at, read
from tests.cloud.said import completed
from wire.checks import ItemOutcome, ParcelState, Waiver, WaiverReason
from wire.events import FailReason, Outcome, StopAmended
from wire.handover import Cash
from wire.manifest import EvidenceKind
from wire.model import Message

NAMES = ("Γιώργος Παπαδόπουλος", "Дмитрий Щербаков", "Łukasz Żółć")


def a_sheet(**changes: object) -> Sheet:
    proof, evidence = a_proof()
    sheet = sheet_of(proof, looked_at(proof, evidence), SealChecks().fingerprint(proof.authority_pem))
    return dataclasses.replace(sheet, **changes)  # type: ignore[arg-type]


def a_photo(colour: str = "brown") -> bytes:
    out = BytesIO()
    Image.new("RGB", (640, 480), colour).save(out, "JPEG")
    return out.getvalue()


def test_the_page_says_who_what_when_where_and_whether_it_holds() -> None:
    sheet = a_sheet()
    assert (sheet.title, sheet.outcome, sheet.recipient) == (
        "Proof of delivery",
        "Delivered to recipient",
        "Zoë Müller 1",
    )
    assert sheet.closed == "Monday, 23 November 2026, 08:09:00"
    assert sheet.address == ("Rua das Flores 1", "4050-262 Porto")
    assert dict(sheet.facts)["Received by"] == "Zoë Müller"
    assert dict(sheet.facts)["Stored"] == "23 Nov 2026, 10:00:00"
    assert [picture.caption for picture in sheet.pictures] == ["Photo, 08:03:00", "Signature, Zoë Müller, 08:08:00"]
    assert sheet.verdict is Verdict.VERIFIED
    assert [label for label, _ in sheet.seal] == ["Records", "Chain head", "Key", "Authority"]


def test_the_same_proof_is_drawn_to_the_same_bytes() -> None:
    images = {picture.item.file or "": a_photo() for picture in a_sheet().pictures}
    first, second = (draw(a_sheet(), images, find_fonts()) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF")


def test_what_was_altered_is_said_on_the_page() -> None:
    proof, evidence = a_proof()
    found = looked_at(proof.model_copy(update={"stop_id": "s9"}), evidence)
    sheet = sheet_of(proof, found)
    assert (sheet.verdict_title, sheet.verdict) == ("Altered", Verdict.ALTERED)
    assert sheet.findings
    assert draw(sheet, {}, find_fonts())


@pytest.mark.parametrize("verdict", list(Verdict))
def test_each_verdict_can_be_drawn(verdict: Verdict) -> None:
    assert draw(a_sheet(verdict=verdict, findings=("Record 7 is missing. " * 20,) * 3), {}, find_fonts())


def test_many_pictures_go_on_to_more_pages_and_all_are_there() -> None:
    one = a_sheet().pictures[0]
    pictures = tuple(
        Picture(one.item.model_copy(update={"file": f"evidence/{number}-photo.jpg"}), f"Photo {number}")
        for number in range(1, 12)
    )
    images = {picture.item.file or "": a_photo(f"#{20 * number:02x}4040") for number, picture in enumerate(pictures)}
    drawn = draw(a_sheet(pictures=pictures), images, find_fonts())
    assert drawn.count(b"/Type /Page\n") > 1
    assert drawn.count(b"/Subtype /Image") == 11


def test_a_picture_that_is_missing_or_none_leaves_its_place(tmp_path: Path) -> None:
    sheet = a_sheet()
    images = {sheet.pictures[0].item.file or "": b"\xff\xd8 no picture"}
    assert draw(sheet, images, find_fonts())


@pytest.mark.parametrize("name", NAMES)
def test_names_in_greek_cyrillic_and_polish_have_their_letters(name: str) -> None:
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415 - as the page does it

    fonts = find_fonts()
    if fonts.is_narrow:
        pytest.skip("neither Roboto nor DejaVu is here")
    font = TTFont("look", fonts.regular)
    assert all(ord(letter) in font.face.charToGlyph for letter in name)
    assert draw(a_sheet(recipient=name), {}, fonts)


def test_without_a_wide_font_the_page_is_still_made(tmp_path: Path) -> None:
    fonts = find_fonts(dejavu=tmp_path)
    assert isinstance(fonts, Fonts)
    assert draw(a_sheet(recipient=NAMES[0]), {}, fonts)


def sheet_after(folder: Path, *said: tuple[str, Message]) -> Sheet:
    database = heard(folder, *said)
    proof, evidence = read(database)
    database.close()
    sheet = sheet_of(proof, looked_at(proof, evidence))
    assert draw(sheet, {}, find_fonts())
    return sheet


def test_a_correction_is_on_the_page_with_its_time(tmp_path: Path) -> None:
    amended = StopAmended(stop_id="s1", reason=FailReason.REFUSED, received_by="", note="wrong door")
    sheet = sheet_after(tmp_path, ("stop.completed", closed("s1")), ("stop.amended", amended))
    facts = dict(sheet.facts)
    assert (sheet.title, sheet.is_good, sheet.outcome) == ("Record of a stop", False, "Refused")
    assert (facts["Note"], facts["Corrected"]) == ("wrong door", "23 Nov 2026, 08:03:00, by the driver")
    assert "Received by" not in facts
    assert sheet.closed.endswith("08:02:00")


def test_a_partial_delivery_says_what_became_of_each_parcel_what_was_left_undone_and_the_money(tmp_path: Path) -> None:
    part = completed(
        "s1",
        outcome=Outcome.PARTIAL,
        items=(
            ItemOutcome(code="P1", state=ParcelState.DELIVERED, is_scanned=True),
            ItemOutcome(code="P2", state=ParcelState.REFUSED),
        ),
        waivers=(Waiver(kind=EvidenceKind.PLACE, why=WaiverReason.ADDRESS_IS_ELSEWHERE),),
        cash=Cash(amount_minor=2450, currency="EUR"),
    )
    sheet = sheet_after(tmp_path, ("stop.completed", part))
    assert sheet.goods == ("P1: delivered", "P2: refused")
    assert dict(sheet.facts)["Left undone"] == "place (address is elsewhere)"
    assert dict(sheet.facts)["Cash"] == "24.50 EUR"
