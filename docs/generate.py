"""Write what is made from code: openapi.json of each component (the orchestrator's is the whole API) and docs/settings.md.

python docs/generate.py            writes them
python docs/generate.py --check    ends with 1 and names those that are stale
"""

import json
import sys
from importlib import import_module
from pathlib import Path

from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

ROOT = Path(__file__).parent.parent
COMPONENTS = ("orchestrator", "research", "backend")
sys.path[:0] = [str(ROOT / name) for name in (*COMPONENTS, "cli")]

from openapi import front_door  # noqa: E402  it needs the components on the path


def settings_class(component: str) -> type[BaseSettings]:
    return import_module(f"extrophi_{component}.settings").Settings


def openapi() -> dict[str, str]:
    """Each component's API as it serves it, with no service in reach: making an app connects to nothing."""
    apps = {
        component: import_module(f"extrophi_{component}.app").create_app(settings_class(component)())
        for component in COMPONENTS
    }
    documents = {component: app.openapi() for component, app in apps.items()}
    documents["orchestrator"] = front_door(documents.pop("orchestrator"), documents)
    return {
        component: json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        for component, document in documents.items()
    }


def settings_page() -> str:
    """A table of every variable, per component, from the classes that read them."""
    parts = [
        "# Settings",
        "",
        "Environment variables, as `python docs/generate.py` found them in the code. A blank variable counts as unset. Where a",
        "secret is expected, `NAME_FILE` may name a file that holds it. A wrong value ends the start with one line that names it.",
    ]
    for component in COMPONENTS:
        rows = [
            (name(field_name, field.alias, field.validation_alias), shown(field.default), field.description or "")
            for field_name, field in settings_class(component).model_fields.items()
        ]
        parts += ["", f"## {component}", "", "| variable | default | what it changes |", "| --- | --- | --- |"]
        parts += [f"| `{variable}` | {default} | {meaning} |" for variable, default, meaning in sorted(rows)]
    return "\n".join(parts) + "\n"


def name(field_name: str, alias: str | None, validation_alias: object) -> str:
    return alias or (validation_alias if isinstance(validation_alias, str) else field_name.upper())


def shown(default: object) -> str:
    if default is PydanticUndefined or default is None or default in {"", ()}:
        return "–"
    return f"`{default}`"


def main() -> int:
    pages = {ROOT / component / "openapi.json": text for component, text in openapi().items()}
    pages[ROOT / "docs" / "settings.md"] = settings_page()
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    if "--check" not in sys.argv:
        for path in stale:
            path.write_text(pages[path])
            print(f"wrote {path.relative_to(ROOT)}")
        return 0
    for path in stale:
        print(f"{path.relative_to(ROOT)} is stale: run `make api`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
