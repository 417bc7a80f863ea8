"""Trees of frozen dataclasses as plain JSON values, and back through a strict reader."""

import dataclasses
import types
import typing
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def config_to_dict(config: Any) -> dict[str, Any]:
    """Return a dataclass tree as plain JSON values.

    Enums are written by value, paths as text, tuples as lists; where the declared type leaves a
    choice of dataclasses, a key ``type`` names the one that was taken.
    """
    values = {}
    for name, kind in _field_types(type(config)).items():
        value = getattr(config, name)
        plain = _plain(value)
        if dataclasses.is_dataclass(value) and len(_dataclasses_of(kind)) > 1:
            plain = {"type": type(value).__name__, **plain}
        values[name] = plain
    return values


def config_from_dict(kind: type[T], values: Any, *, path: str = "") -> T:
    """Return the dataclass tree that ``config_to_dict`` wrote; absent keys take their default.

    Raises:
        ValueError: a key is unknown or a value does not fit; the message says where.
    """
    where = path or kind.__name__
    if not isinstance(values, dict):
        raise ValueError(f"{where} must be a table of settings, got {values!r}")
    fields = _field_types(kind)
    for name in values:
        if name not in fields:
            raise ValueError(f"{where} has no setting {name!r}; it has {', '.join(fields)}")
    prefix = f"{path}." if path else ""
    read = {name: _read(fields[name], value, prefix + name) for name, value in values.items()}
    try:
        return kind(**read)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _field_types(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}


def _dataclasses_of(kind: Any) -> list[Any]:
    return [member for member in _members(kind) if dataclasses.is_dataclass(member)]


def _members(kind: Any) -> tuple[Any, ...]:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return typing.get_args(kind)
    return (kind,)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return config_to_dict(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _read(kind: Any, value: Any, path: str) -> Any:
    choices = _dataclasses_of(kind)
    if choices and isinstance(value, dict):
        return _read_dataclass(choices, value, path)
    for member in _members(kind):
        read = _read_value(member, value, path)
        if read is not _MISFIT:
            return read
    wanted = " or ".join(getattr(member, "__name__", str(member)) for member in _members(kind))
    raise ValueError(f"{path} must be {wanted}, got {value!r}")


def _read_dataclass(choices: list[Any], value: dict[str, Any], path: str) -> Any:
    if len(choices) == 1:
        return config_from_dict(choices[0], value, path=path)
    by_name = {choice.__name__: choice for choice in choices}
    name = value.get("type")
    if name not in by_name:
        raise ValueError(f"{path}.type must be one of {', '.join(by_name)}, got {name!r}")
    rest = {key: item for key, item in value.items() if key != "type"}
    return config_from_dict(by_name[name], rest, path=path)


_MISFIT = object()


def _read_value(kind: Any, value: Any, path: str) -> Any:
    """Return ``value`` as ``kind``, or ``_MISFIT``; no number is taken for a truth value."""
    if typing.get_origin(kind) is tuple:
        return _read_tuple(typing.get_args(kind), value, path)
    if typing.get_origin(kind) is typing.Literal:
        return value if value in typing.get_args(kind) else _MISFIT
    if kind is type(None):
        return None if value is None else _MISFIT
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _read_enum(kind, value, path)
    if kind is Path:
        return Path(value) if isinstance(value, str) else _MISFIT
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if number else _MISFIT
    return value if type(value) is kind else _MISFIT


def _read_tuple(kinds: tuple[Any, ...], value: Any, path: str) -> Any:
    if not isinstance(value, list | tuple):
        return _MISFIT
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        return _MISFIT
    pairs = zip(kinds, value, strict=True)
    return tuple(_read(kind, item, f"{path}[{i}]") for i, (kind, item) in enumerate(pairs))


def _read_enum(kind: type[Enum], value: Any, path: str) -> Enum:
    for member in kind:
        if member.value == value:
            return member
    choices = ", ".join(repr(member.value) for member in kind)
    raise ValueError(f"{path} must be one of {choices}, got {value!r}")
