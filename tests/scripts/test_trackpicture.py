from xml.etree import ElementTree as ET

from scripts.trackpicture import svg

TRACKS = {
    "quectel-eg25-g": {"accepted": [[0, 0], [10, 5], [20, 10]], "refused": [[500, 5]], "halts": [[20, 10]]},
    "car-reno-2005-city": {"accepted": [[0, 0], [9_000, 12_000]], "refused": [], "halts": []},
    "unknown": {"accepted": [[0, 0]], "refused": [], "halts": []},
}


def test_each_kind_of_fix_has_a_shape_of_its_own_and_all_lie_in_the_picture() -> None:
    drawn = ET.fromstring(svg(TRACKS))
    kinds = [part.get("class") for part in drawn.iter() if part.get("class")]
    assert (kinds.count("dot"), kinds.count("cross"), kinds.count("halt")) == (5 + 1, 1 + 1, 1 + 1)  # and the key
    assert (kinds.count("frame"), kinds.count("scale")) == (2, 2)
    for part in drawn.iter():
        if part.get("cx"):
            assert 0 < float(part.get("cx", "")) < 1_000
            assert 0 < float(part.get("cy", "")) < 520
    words = {part.text for part in drawn.iter() if part.text}
    assert {"believed", "refused", "arrived by dwell"} <= words
