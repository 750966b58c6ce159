"""Lets people and vans of a run in, by the commands an operator would type."""

import asyncio
import sys

from simulator.stage import DISPATCHER, Stage, VanStage

WITHIN_S = 60.0


class NotLetInError(RuntimeError):
    """A command failed; the text is its own."""


async def dispatcher_let_in(stage: Stage) -> None:
    """Makes the dispatcher's account, before the coordinator starts for the first time. Raises NotLetInError."""
    if not stage.is_plain:
        await _typed("cloud", "admin", str(stage.cloud_file), DISPATCHER, said=stage.password)


async def van_let_in(stage: Stage, van: VanStage) -> None:
    """Enrols a van that has no certificate yet; the coordinator answers already. Raises NotLetInError."""
    if (van.data_dir / "identity" / "badge.pem").exists():
        return
    token = await _typed("cloud", "enrol", str(stage.cloud_file), van.name)
    await _typed("agent", "enrol", str(van.settings_file), token.strip(), stage.console_url)


async def _typed(*arguments: str, said: str = "") -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            answer, complaint = await process.communicate(f"{said}\n".encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NotLetInError(f"python -m {arguments[0]} {arguments[1]} did not answer") from None
    if process.returncode != 0:
        raise NotLetInError(complaint.decode(errors="replace").strip())
    return answer.decode()
