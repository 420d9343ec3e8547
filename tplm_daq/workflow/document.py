"""A result as JSON: what is not finite has no number in JSON, and becomes null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def json_text(document: Mapping[str, object], indent: int | None = None) -> str:
    """Return a document as JSON that every program reads.

    Examples
    --------
    >>> json_text({"tau_us": 6.0, "errors_us": [float("inf"), float("nan")]})
    '{"tau_us": 6.0, "errors_us": [null, null]}'
    """
    return json.dumps(_finite(document), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
