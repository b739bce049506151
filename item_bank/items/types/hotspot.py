"""Areas of a picture: those that are right, with a label each for who cannot see it.

Areas are in the picture's own units: ``rect`` left, top, right, bottom; ``circle`` centre and
radius; ``poly`` its corners.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from item_bank.items.markdown import MEDIUM_NAME
from item_bank.items.types import several
from item_bank.items.types.base import (
    Flaw,
    Flaws,
    ItemType,
    Key,
    Variant,
    Variants,
    first,
    ids_flaws,
    is_plain,
    named_text_flaws,
    only,
    scoring_flaws,
    short,
    some_of,
)

MAX_SIDE = 10_000
_IMAGE = ("media", "alt", "width", "height")


def _variant_flaws(path: str, variant: Variant) -> Flaws:
    yield from _image_flaws(f"{path}.image", variant.get("image"))
    yield from named_text_flaws(f"{path}.areas", variant.get("areas"), "area")


def _image_flaws(path: str, image: object) -> Flaws:
    if not isinstance(image, Mapping):
        yield Flaw(path, f"an object of {', '.join(_IMAGE)}", short(image))
        return
    yield from only(path, image, _IMAGE)
    name, alt = image.get("media"), image.get("alt")
    if not isinstance(name, str) or not MEDIUM_NAME.fullmatch(name):
        yield Flaw(f"{path}.media", "the name of a medium", short(name))
    if not isinstance(alt, str) or not alt.strip() or not is_plain(alt):
        yield Flaw(f"{path}.alt", "words for who cannot see the picture", short(alt))
    for side in ("width", "height"):
        if not _is_number(image.get(side)) or not 0 < image[side] <= MAX_SIDE:
            yield Flaw(f"{path}.{side}", f"a number above 0, {MAX_SIDE} at most",
                       short(image.get(side)))  # fmt: skip


def _key_flaws(key: Key, variants: Variants) -> Flaws:
    yield from only("key", key, ("correct", "areas", "scoring"))
    areas, labels = key.get("areas"), tuple(first(variants)["areas"])
    yield from ids_flaws("key.correct", key.get("correct"), labels, "area")
    yield from scoring_flaws(key)
    if not isinstance(areas, Mapping) or set(areas) != set(labels):
        found = sorted(areas) if isinstance(areas, Mapping) else areas
        yield Flaw("key.areas", f"a shape for each of {', '.join(labels)}", short(found))
        return
    sides = [(v["image"]["width"], v["image"]["height"]) for v in variants.values()]
    size = min(width for width, _ in sides), min(height for _, height in sides)
    for name, area in areas.items():
        yield from _area_flaws(f"key.areas.{name}", area, size)


def _area_flaws(path: str, area: object, size: tuple[float, float]) -> Flaws:
    if not isinstance(area, Mapping) or set(area) != {"shape", "coords"}:
        yield Flaw(path, "an object of shape and coords", short(area))
        return
    shape, coords = area["shape"], area["coords"]
    if shape not in ("rect", "circle", "poly"):
        yield Flaw(f"{path}.shape", "rect, circle or poly", short(shape))
    elif not isinstance(coords, list) or not all(map(_is_number, coords)):
        yield Flaw(f"{path}.coords", "a list of numbers", short(coords))
    elif not _is_shape(shape, coords):
        yield Flaw(f"{path}.coords", _EXPECTED[shape], short(coords))
    elif not _is_inside(shape, coords, size):
        expected = f"an area within the picture, {size[0]} by {size[1]}"
        yield Flaw(f"{path}.coords", expected, short(coords))


_EXPECTED = {
    "rect": "left, top, right, bottom",
    "circle": "x and y of the centre, and a radius above 0",
    "poly": "x and y of three corners or more",
}


def _is_shape(shape: str, coords: Sequence[float]) -> bool:
    if shape == "rect":
        return len(coords) == 4 and coords[0] < coords[2] and coords[1] < coords[3]
    if shape == "circle":
        return len(coords) == 3 and coords[2] > 0
    return 6 <= len(coords) <= 200 and len(coords) % 2 == 0


def _is_inside(shape: str, coords: Sequence[float], size: tuple[float, float]) -> bool:
    """Whether the corners, or a circle's centre, are within the picture."""
    xs, ys = (coords[:1], coords[1:2]) if shape == "circle" else (coords[::2], coords[1::2])
    return all(0 <= x <= size[0] for x in xs) and all(0 <= y <= size[1] for y in ys)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _stored_key(_: Key, variants: Variants) -> dict[str, Any]:
    return {"choices": list(first(variants)["areas"])}


def _checked(key: Key, response: Any) -> list[str] | None:
    return some_of(response, key["choices"])


HOTSPOT = ItemType(
    "hotspot",
    parts=("image", "areas"),
    optional=(),
    named=("areas",),
    variant_flaws=_variant_flaws,
    key_flaws=_key_flaws,
    stored_key=_stored_key,
    max_score=several.max_score,
    score=several.score,
    checked=_checked,
    shuffled="choices",
)
