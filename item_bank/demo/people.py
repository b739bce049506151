"""The people of the demonstration: made up, from everyday names of the region.

Abilities are drawn from N(0, 1); that they are simulated is on every record.
"""

from __future__ import annotations

from engine.randomness import uniform
from item_bank.exams.people import RosterRow

GIVEN = (
    "Aigerim", "Akbar", "Alisher", "Amina", "Anora", "Bekzod", "Chen", "Dilnoza", "Dinara",
    "Farhod", "Farida", "Firuz", "Gulnora", "Jasur", "Kamila", "Lan", "Lola", "Madina", "Malika",
    "Manizha", "Mei", "Nargis", "Nigora", "Olim", "Parviz", "Ravshan", "Rustam", "Sabina", "Said",
    "Shahnoza", "Sitora", "Timur", "Umed", "Wei", "Xin", "Yulia", "Zafar", "Zarina",
)  # fmt: skip
FAMILY = (
    "Abdullaev", "Akhmedov", "Aliev", "Bai", "Davlatov", "Ergashev", "Fu", "Ganiev", "Huang",
    "Ismoilov", "Jumaev", "Karimov", "Kholov", "Kim", "Li", "Mirzoev", "Nazarov", "Ochilov",
    "Qodirov", "Rahimov", "Safarov", "Sharipov", "Sun", "Tursunov", "Usmonov", "Wang", "Zhao",
)  # fmt: skip
COUNTRIES = ("TJ", "UZ", "KZ", "KG", "CN")
CENTRES = {
    "TJ": ("Dushanbe", "Khujand"), "UZ": ("Tashkent", "Samarkand"), "KZ": ("Almaty",),
    "KG": ("Bishkek",), "CN": ("Urumqi", "Kashgar"),
}  # fmt: skip


def past_candidate(number: int, seed: int) -> RosterRow:
    """Return the roster row of a simulated candidate."""
    country = _one(COUNTRIES, seed, number, "country")
    return RosterRow(
        roster_id=f"P-{number:04d}",
        name=f"{_one(GIVEN, seed, number, 'given')} {_one(FAMILY, seed, number, 'family')}",
        country=country,
        centre=_one(CENTRES[country], seed, number, "centre"),
        language="en" if float(uniform(seed, number, "language")[0]) < 0.4 else "ru",
    )


def _one(names: tuple[str, ...], seed: int, number: int, purpose: str) -> str:
    return names[int(float(uniform(seed, number, purpose)[0]) * len(names))]
