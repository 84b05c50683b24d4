"""Types flattened for explaining: what each kind of JSON may be at one place."""

from __future__ import annotations

import datetime
import decimal
import uuid
from functools import lru_cache
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import inspect


class ObjectShape:
    """One struct (dataclass, typed dict): its fields by their wire name.

    `tag_field` is None for a struct without a tag; `closed` says unknown fields are refused.
    """

    __slots__ = ("closed", "fields", "required", "tag", "tag_field", "type")

    def __init__(self, type: Any, tag_field: str | None, tag: str | int | None, closed: bool):
        self.type = type
        self.tag_field = tag_field
        self.tag = tag
        self.closed = closed
        self.fields: dict[str, Shape] = {}
        self.required: list[str] = []


class Shape:
    """What may stand at one place, the arms of a union side by side."""

    __slots__ = (
        "anything",
        "item_count",
        "items",
        "key",
        "key_count",
        "literals",
        "objects",
        "plain",
        "scalars",
        "values",
        "words",
    )

    def __init__(self) -> None:
        self.anything = False
        self.scalars: Any = None
        """The union of all arms that are neither list nor object, as msgspec takes it."""
        self.plain: set[type] = set()
        """Python types that fit as they are, in strict mode."""
        self.literals: list[str | int] = []
        self.items: list[Shape] = []
        """One shape for every item; several for a tuple of fixed length; empty for no list."""
        self.item_count: tuple[int, int | None] = (0, None)
        self.objects: dict[Any, ObjectShape] = {}
        """Structs by tag; one struct without a tag stands under None."""
        self.key: Shape | None = None
        """With `values`: an object with free keys."""
        self.values: Shape | None = None
        self.key_count: tuple[int, int | None] = (0, None)
        self.words: list[str] = []
        """JSON kinds that may stand here, for a sentence."""

    @property
    def wanted(self) -> str:
        """ "string, object or array"."""
        words = [word for word in self.words if word != "null"] or self.words or ["nothing"]
        return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))

    @property
    def tag_field(self) -> str | None:
        """The field that tells the objects apart."""
        return next((shape.tag_field for shape in self.objects.values()), None)


@lru_cache(maxsize=64)
def shape_of(type: Any) -> Shape:
    """The shape of any type msgspec can decode, recursive ones included."""
    return _Flattener().shape(inspect.type_info(type))


_PLAIN: dict[Any, tuple[Any, str, set[type]]] = {
    inspect.NoneType: (None, "null", {type(None)}),
    inspect.BoolType: (bool, "boolean", {bool}),
    inspect.IntType: (int, "integer", {int}),
    inspect.FloatType: (float, "number", {float}),
    inspect.StrType: (str, "string", {str}),
    inspect.BytesType: (bytes, "base64 string", set()),
    inspect.ByteArrayType: (bytearray, "base64 string", set()),
    inspect.MemoryViewType: (memoryview, "base64 string", set()),
    inspect.DateTimeType: (datetime.datetime, "RFC 3339 time", set()),
    inspect.TimeType: (datetime.time, "RFC 3339 time of day", set()),
    inspect.DateType: (datetime.date, "RFC 3339 date", set()),
    inspect.TimeDeltaType: (datetime.timedelta, "ISO 8601 duration", set()),
    inspect.UUIDType: (uuid.UUID, "UUID", set()),
    inspect.DecimalType: (decimal.Decimal, "decimal number", set()),
}

_LISTS = (
    inspect.CollectionType,
    inspect.ListType,
    inspect.SetType,
    inspect.FrozenSetType,
    inspect.VarTupleType,
)


class _Flattener:
    """Turns msgspec's description of a type into shapes; each struct once."""

    def __init__(self) -> None:
        self.seen: dict[Any, ObjectShape] = {}

    def shape(self, info: Any) -> Shape:
        shape = Shape()
        arms = info.types if isinstance(info, inspect.UnionType) else (info,)
        scalars: list[Any] = []
        for arm in arms:
            while isinstance(arm, inspect.Metadata):
                arm = arm.type
            self._add(shape, arm, scalars)
        if scalars:
            shape.scalars = Union[tuple(scalars)]  # noqa: UP007
        return shape

    def _add(self, shape: Shape, arm: Any, scalars: list[Any]) -> None:
        if isinstance(arm, inspect.AnyType | inspect.RawType):
            shape.anything = True
        elif isinstance(arm, inspect.LiteralType | inspect.EnumType):
            self._add_choice(shape, arm, scalars)
        elif isinstance(arm, _LISTS):
            _add_word(shape, "array")
            shape.items = [self.shape(arm.item_type)]
            shape.item_count = (arm.min_length or 0, arm.max_length)
        elif isinstance(arm, inspect.TupleType):
            _add_word(shape, "array")
            shape.items = [self.shape(item) for item in arm.item_types]
            shape.item_count = (len(shape.items), len(shape.items))
        elif isinstance(arm, inspect.DictType | inspect.FrozenDictType):
            _add_word(shape, "object")
            shape.key, shape.values = self.shape(arm.key_type), self.shape(arm.value_type)
            shape.key_count = (arm.min_length or 0, arm.max_length)
        elif isinstance(arm, inspect.DataclassType | inspect.TypedDictType) or (
            isinstance(arm, inspect.StructType) and not arm.array_like
        ):
            _add_word(shape, "object")
            found = self._object(arm)
            shape.objects[found.tag] = found
        elif type(arm) in _PLAIN:
            raw, word, plain = _PLAIN[type(arm)]
            _add_word(shape, word)
            meta = _bounds(arm)
            scalars.append(Annotated[raw, meta] if meta else raw)
            shape.plain |= set() if meta else plain
        else:
            _add_word(shape, arm.cls.__name__)
            scalars.append(arm.cls)

    def _add_choice(self, shape: Shape, arm: Any, scalars: list[Any]) -> None:
        if isinstance(arm, inspect.EnumType):
            values: list[Any] = [member.value for member in arm.cls]
            scalars.append(arm.cls)
        else:
            values = [value for value in arm.values if value is not None]
            scalars.append(Literal[arm.values])
        shape.literals += values
        for value in values:
            _add_word(shape, "string" if isinstance(value, str) else "integer")

    def _object(self, arm: Any) -> ObjectShape:
        if arm.cls in self.seen:
            return self.seen[arm.cls]
        struct = isinstance(arm, inspect.StructType)
        found = ObjectShape(
            arm.cls,
            arm.tag_field if struct else None,
            arm.tag if struct else None,
            struct and arm.forbid_unknown_fields,
        )
        self.seen[arm.cls] = found
        for field in arm.fields:
            found.fields[field.encode_name] = self.shape(field.type)
            if field.required:
                found.required.append(field.encode_name)
        return found


def _add_word(shape: Shape, word: str) -> None:
    if word not in shape.words:
        shape.words.append(word)


def _bounds(arm: Any) -> msgspec.Meta | None:
    """The constraints of a scalar arm as msgspec takes them, None when it has none."""
    given = {
        name: value
        for name in ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")
        if (value := getattr(arm, name, None)) is not None
    }
    if (tz := getattr(arm, "tz", None)) is not None:
        given["tz"] = tz
    return msgspec.Meta(**given) if given else None
