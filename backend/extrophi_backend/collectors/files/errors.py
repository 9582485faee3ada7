"""What is wrong with a file or folder that a person named.

InvalidTarget
├── NotAPath       malformed, of another machine, or neither file nor folder
├── OutsideRoots   not below EXTROPHI_FILES_ROOTS
└── TargetMissing  not there, or not to be read, as a whole
"""

from extrophi_backend.errors import InvalidTarget


class NotAPath(InvalidTarget):
    def __init__(self, typed: str, why: str) -> None:
        super().__init__(
            f"{_short(typed)} cannot be collected. {why}",
            hint="Name a file or a folder by its absolute path.",
            field="target",
        )


class OutsideRoots(InvalidTarget):
    code = "outside_roots"

    def __init__(self, typed: str) -> None:
        super().__init__(
            f"{_short(typed)} is outside the folders that Extrophi may read.",
            hint="Add its folder to EXTROPHI_FILES_ROOTS, or upload the files instead.",
            field="target",
        )


class TargetMissing(InvalidTarget):
    code = "target_missing"

    def __init__(self, typed: str, why: str = "It is not there.") -> None:
        super().__init__(
            f"{_short(typed)} cannot be read. {why}",
            hint="Check the path, its permissions and its disk. What was collected from it before is kept.",
            field="target",
        )


def _short(typed: str) -> str:
    return typed[:300].encode("utf-8", "replace").decode()
