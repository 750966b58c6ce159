"""The search itself, in C++; `README.md` tells how it works. Built by scripts/setup into `_core.abi3.so`."""
