"""What readers read, in their language: Swedish, Norwegian bokmål or English.

A study says its language; whatever is written while `speaking` holds is written in it::

    from workbench.language import per_cent, speaking, text

    with speaking("sv"):
        text("Persons")                                   # "Personer"
        text("{share} of {n} units", share=per_cent(0.45), n=12)
        counted(3, "{n} unit", "{n} units")               # "3 enheter"

The English sentence is the key. It is whole, with its parts as `{names}`, so that another language
can put them in its own order; the other languages stand in `catalogues/sv.po` and `nb.po`, which
are read as they are. A sentence that no catalogue has is given back in English, and a test finds
it. What the study's author wrote (titles, labels) is not translated.

Without `speaking` the language is English. The language belongs to the thread (or task) that set
it, so that two reports can be made at once.

speech      which language is spoken
sentences   texts, plurals, and English sentences made elsewhere told again
numerals    numbers, percentages, dates and months
"""

from workbench.language.numerals import date, decimal_sign, month, number, per_cent, share
from workbench.language.sentences import counted, inside, retold, text
from workbench.language.speech import LANGUAGES, Language, current, speaking, spoken

__all__ = [
    "LANGUAGES",
    "Language",
    "counted",
    "current",
    "date",
    "decimal_sign",
    "inside",
    "month",
    "number",
    "per_cent",
    "retold",
    "share",
    "speaking",
    "spoken",
    "text",
]
