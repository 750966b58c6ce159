"""What days driven have taught this van: how long visits and legs take, and how far it was off. Pure.

`lessons.py` says what is learned and how fast it fades, `known.py` how it enters a day, `expect.py` what is expected of
a visit or a leg, `conformal.py` how wide a range must be to hold.
"""
