from simulator.report import CloudStop, Report, SeenOutcome, SeenProof, compare

PHOTO = "a" * 64
SEEN = SeenOutcome("van-1", "s1", "delivered_to_recipient")
SEEN_PHOTO = SeenProof("van-1", "s1", "photo", PHOTO)
STORED = CloudStop(("delivered_to_recipient",), (("photo", PHOTO),))


def a_report(**changes: object) -> Report:
    figures: dict[str, object] = {
        "scenario": "a morning",
        "seed": 1,
        "vans": 3,
        "stops": 48,
        "saved_seen": 100,
        "outcomes_cloud": 48,
        "proofs_seen": 90,
        "proofs_cloud": 90,
        "lost": 0,
        "doubled": 0,
        "blob_mismatches": 0,
        "offline_s": 2000.0,
        "run_s_of_cut_van": 5000.0,
        "replans_offline": 1,
        "offers_accepted": 2,
        "offers_kept": 1,
        "faults_fired": {"link cut (van-2)": True},
        "windows_kept": 40,
        "windows_total": 48,
        "wall_s": 200.0,
        "complaints": (),
    }
    return Report(**(figures | changes))  # type: ignore[arg-type]  # a dict of figures, each of the field's type


def test_what_both_sides_have_is_neither_lost_nor_doubled() -> None:
    found = compare([SEEN], [SEEN_PHOTO], {"s1": STORED}, {PHOTO: b"x"}, {PHOTO: b"x"})
    assert (found.lost, found.doubled, found.blob_mismatches, found.complaints) == (0, 0, 0, ())


def test_a_stop_the_coordinator_never_heard_of_is_lost() -> None:
    assert compare([SEEN], [], {}, {}, {}).lost == 1


def test_another_outcome_than_the_driver_saw_is_lost() -> None:
    assert compare([SEEN], [], {"s1": CloudStop(("refused",), ())}, {}, {}).lost == 1


def test_evidence_announced_without_its_bytes_is_lost() -> None:
    assert compare([], [SEEN_PHOTO], {"s1": STORED}, {PHOTO: b"x"}, {}).lost == 1


def test_other_bytes_under_the_same_fingerprint_are_a_mismatch() -> None:
    assert compare([], [SEEN_PHOTO], {"s1": STORED}, {PHOTO: b"x"}, {PHOTO: b"y"}).blob_mismatches == 1


def test_a_stop_closed_twice_and_a_proof_stored_twice_are_doubled() -> None:
    twice = CloudStop(STORED.results * 2, STORED.proofs * 2)
    assert compare([SEEN], [SEEN_PHOTO], {"s1": twice}, {}, {PHOTO: b"x"}).doubled == 2


def test_a_run_passes_only_when_nothing_is_missing() -> None:
    assert a_report().shortcomings() == ()
    for change in (
        {"lost": 1},
        {"doubled": 1},
        {"blob_mismatches": 1},
        {"saved_seen": 0},
        {"offline_s": 1600.0},
        {"replans_offline": 0},
        {"faults_fired": {"link cut (van-2)": True, "van killed (van-1)": False}},
    ):
        assert len(a_report(**change).shortcomings()) == 1, change
