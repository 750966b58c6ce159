import subprocess
import sys
from pathlib import Path

import pytest

from host.folder import FolderError, claim_folder

HOLD = "import sys; from pathlib import Path; from host.folder import claim_folder\n"
HOLD += "held = claim_folder(Path(sys.argv[1]), 'x'); print('held', flush=True); sys.stdin.read()"


def test_a_folder_is_claimed_once_and_is_free_again_when_let_go(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with (
        claim_folder(folder, "the coordinator"),
        pytest.raises(FolderError, match="the coordinator: another program is at work in"),
    ):
        claim_folder(folder, "the coordinator")
    claim_folder(folder, "the coordinator").close()


def test_a_holder_that_is_killed_lets_go(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FolderError):
            claim_folder(tmp_path, "the coordinator")
        holder.kill()
    claim_folder(tmp_path, "the coordinator").close()


def test_a_folder_that_is_a_file_is_refused_with_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(FolderError, match="choose another data_dir"):
        claim_folder(tmp_path / "data", "the coordinator")
