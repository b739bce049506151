"""What candidates are told of a correction unless somebody writes it otherwise. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import InputError
from item_bank.results.corrections.terms import CUTS, DROP, KEY

LONGEST = 1000
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    KEY: {
        "en": "The key of a question in your exam was wrong. It has been corrected, and your "
        "result was computed again.",
        "ru": "Ключ к одному из вопросов вашего экзамена был неверным. Он исправлен, и ваш "
        "результат рассчитан заново.",
        "tg": "Калиди яке аз саволҳои имтиҳони шумо нодуруст буд. Он ислоҳ шуд ва натиҷаи шумо "
        "аз нав ҳисоб карда шуд.",
        "zh": "您的考试中有一道题的答案设置有误，现已更正，您的成绩已重新计算。",
    },
    DROP: {
        "en": "A question in your exam turned out to be faulty. It no longer counts, and your "
        "result was computed again.",
        "ru": "Один из вопросов вашего экзамена оказался некорректным. Он больше не учитывается, "
        "и ваш результат рассчитан заново.",
        "tg": "Яке аз саволҳои имтиҳони шумо нодуруст баромад. Он дигар ба ҳисоб гирифта "
        "намешавад ва натиҷаи шумо аз нав ҳисоб карда шуд.",
        "zh": "您的考试中有一道题存在问题，已不再计分，您的成绩已重新计算。",
    },
    CUTS: {
        "en": "The scores from which a level is reached were corrected, and your level was "
        "decided again.",
        "ru": "Баллы, с которых начинаются уровни, исправлены, и ваш уровень определён заново.",
        "tg": "Холҳое, ки сатҳҳо аз онҳо сар мешаванд, ислоҳ шуданд ва сатҳи шумо аз нав муайян "
        "карда шуд.",
        "zh": "等级的分数线已更正，您的等级已重新判定。",
    },
}


def notice_of(kind: str, written: Mapping[str, str]) -> dict[str, str]:
    """Return what candidates are told, by language: as written, and as by default elsewhere.

    Raises
    ------
    InputError
        When a text is longer than 1000 characters.
    """
    own = {language: text.strip() for language, text in written.items() if text.strip()}
    for language, text in own.items():
        if len(text) > LONGEST:
            expected = f"a notice of at most {LONGEST} characters"
            raise InputError(expected, f"{len(text)}", column=f"notice.{language}")
    return {**DEFAULTS[kind], **own}


def notice_in(notice: Mapping[str, str], language: str) -> str:
    """Return a notice in a language, or in English."""
    base = language.partition("-")[0]
    return notice.get(language) or notice.get(base) or notice.get("en", "")
