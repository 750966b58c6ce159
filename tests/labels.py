"""Transport labels as readers send them."""

from datetime import date

from wire.gs1 import GS, check_digit

DAY = date(2026, 11, 23)


def sscc(number: int) -> str:
    digits = f"3401234500000{number:04d}"
    return digits + str(check_digit(digits))


SSCC = sscc(1)


def a_label(code: str = SSCC, **elements: str) -> str:
    """`_4302="..."` is that element; the address, window and flags of a usual one unless told otherwise."""
    usual = {
        "420": "4050-262",
        "4300": "Loja+das+Flores",
        "4301": "Maria+Jos%C3%A9",
        "4302": "Rua+das+Flores+12",
        "4303": "2.%C2%BA+esquerdo",
        "4305": "Porto",
        "4307": "PT",
        "4308": "+351220000000",
        "4309": "13114961230351389100",
        "4320": "Next+day",
        "4321": "0",
        "4322": "1",
        "4323": "1",
        "4324": "2611230900",
        "4325": "2611231130",
    }
    said = {**usual, **{name.removeprefix("_"): value for name, value in elements.items()}}
    return f"]d200{code}" + GS.join(f"{name}{value}" for name, value in said.items() if value)
