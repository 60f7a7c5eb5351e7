"""The JSON Schema of config.yaml, made from its models, so that editors complete and check it. `make schema` writes it.

Defaults that are not written in the file as they stand in the models (quantities, whole sections) are left out.
"""

import json
import sys
from typing import Any

from daemon.config.models import Config


def schema_text() -> str:
    """The schema as docs/config.schema.json holds it."""
    schema = _without_defaults(Config.model_json_schema())
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "config.yaml of Rasid"}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _without_defaults(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_defaults(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    written = {name: _without_defaults(part) for name, part in schema.items()}
    default = written.get("default")
    if isinstance(default, dict | list) or ("pattern" in written and isinstance(default, int | float)):
        del written["default"]
    return written


if __name__ == "__main__":
    sys.stdout.write(schema_text())
