"""Drivers as sentences for an agent and seller: "Its 2,400 sq ft, 550 more than usual here, add about $61K."."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from core.schema import ASSESSED_RISE, unit_of
from core.serve import words
from core.serve.drivers import OWN_SALE_DAY, OWN_SALE_PRICE, Difference, Driver, Drivers, MainSteps
from core.serve.fact_groups import FactGroup
from core.serve.subject import Value
from core.serve.typical_home import WHOLE_MARKET
from core.wording import Conventions, from_sqft, marked, market_day, money, money_short

NAMED_FROM: Final = 0.005
"""Amounts below this share of the estimate do not get their own sentence."""

_COUNTED: Final = {
    "bedrooms": ("bedroom", "bedrooms"),
    "bathrooms": ("bathroom", "bathrooms"),
    "floors": ("floor", "floors"),
    "garage_spaces": ("garage space", "garage spaces"),
    "units": ("dwelling unit", "dwelling units"),
}
# More of these is worth more, so that one of them is seen to work against the amount of its group.
_BETTER: Final = frozenset(
    ["living_area_sqft", "lot_area_sqft", "bathrooms", "garage_spaces", "waterfront", "view", "condition", "grade"]
)
_LACKED: Final = {"view": "view", "garage_spaces": "garage"}
_YEARS: Final = {"year_built": "construction", "year_renovated": "renovation"}
# In percent: a smaller rise beyond the usual one is no sign of anything.
_RISE_TOLD: Final = 5.0
_ONE: Final = ("adds", "takes off")
_MANY: Final = ("add", "take off")


def sentences(drivers: Drivers, shown: MainSteps, market: Conventions) -> tuple[str, ...]:
    """Explain the way from the typical home nearby to the estimate, largest reasons first, in plain text.

    The amounts are those ``shown`` of these drivers in the chart; small ones are combined in one sentence.
    """
    if not drivers.items:
        typical = _signed_amount(drivers.point, market)
        return (f"It is priced as a typical home in {drivers.area}, at about {typical}: no known fact sets it apart.",)
    steps = [replace(driver, amount=amount) for driver, amount in shown.named]
    named = [driver for driver in steps if abs(driver.amount) >= NAMED_FROM * drivers.point]
    rest = shown.rest + sum(driver.amount for driver in steps if driver not in named)
    sentences = [f"A typical home in {drivers.area} is estimated at about {_signed_amount(shown.start, market)}."]
    sentences += [sentence(driver, drivers.area, market) for driver in named if driver.group is not FactGroup.OWN_SALE]
    # What the facts alone say comes before what the home's own sale says beyond them, and is not "everything".
    own = [driver for driver in named if driver.group is FactGroup.OWN_SALE]
    others, adds, makes = ("Its other facts", _MANY, "make") if own else ("Everything else", _ONE, "makes")
    if abs(rest) >= NAMED_FROM * drivers.point:
        sentences.append(f"{others} together {_effect(rest, adds, market)}.")
    elif len(named) < len(drivers.items):
        sentences.append(f"{others} {makes} little difference.")
    sentences += [own_sale_sentence(driver, drivers.point, market) for driver in own]
    return (*sentences, f"So this home is estimated at about {_signed_amount(drivers.point, market)}.")


def sentence(driver: Driver, area_name: str, market: Conventions) -> str:
    """Return one reason as a sentence, such as "Its 2 bathrooms, 1 more than usual here, add about $14K."."""
    if driver.group is FactGroup.PLACE:
        return f"{_place(driver.facts, area_name, market)} {_effect(driver.amount, _ONE, market)}."
    loud, against = _sides(driver)
    despite = f", despite {_listed([_despite(fact, market) for fact in against])}" if against else ""
    match loud:
        case [] if driver.facts:
            return f"What the tax roll says of its {driver.group.value} {_effect(driver.amount, _ONE, market)}."
        case []:
            return f"What is assumed about its {driver.group.value} {_effect(driver.amount, _ONE, market)}."
        case [fact]:
            verb = _MANY if _is_plural(fact) else _ONE
            return f"Its {_alone(fact, market)} {_effect(driver.amount, verb, market)}{despite}."
        case facts:
            things = _listed([_among(fact, market) for fact in facts])
            return f"Its {things} {_effect(driver.amount, _MANY, market)}{despite}."


def what_moves(driver: Driver) -> str:
    """Name what makes a reason, after "its": "lot area" where only the lot differs, else all facts that do.

    A place, and a reason of which no fact can be named, have the name of their group.
    """
    names = dict.fromkeys(_name(fact.name) for fact in _sides(driver)[0])
    grouped = driver.group in (FactGroup.PLACE, FactGroup.OWN_SALE) or not names
    return driver.group.value.removeprefix("its ") if grouped else _listed([*names])


def _sides(driver: Driver) -> tuple[list[Difference], list[Difference]]:
    """Return the facts that make a reason, without those that say nothing to people, and those that work against it."""
    loud = [fact for fact in driver.facts if not is_quiet(fact)]
    against = [fact for fact in loud if _points(fact) * driver.amount < 0]
    # Where every fact points the other way, none of them is the exception.
    if len(against) == len(loud):
        return loud, []
    return [fact for fact in loud if fact not in against], against


def own_sale_sentence(driver: Driver, point: float, market: Conventions) -> str:
    """Say what the home's own sale changes in the price of its facts alone, so that nobody takes it for the price.

    The model learned it from later sales of such homes: it does not tell whether that sale itself was high or low.
    """
    alone = _signed_amount(point - driver.amount, market)
    verb = "more" if driver.amount > 0 else "less"
    return (
        f"By its facts alone it would be about {alone} today. Its own earlier sale{_sold(driver.facts, market)} "
        f"{_effect(driver.amount, _ONE, market)}: homes with such a sale behind them brought {verb} than their facts "
        "say when they were sold again."
    )


def is_quiet(fact: Difference) -> bool:
    """Tell whether a fact is one of the tax roll's that says nothing to people: a usual rise, or a fall."""
    value = fact.subject
    return fact.name == ASSESSED_RISE and not (isinstance(value, float) and value >= _RISE_TOLD)


def _points(fact: Difference) -> int:
    """Return which way a fact alone moves a price: 1 up, -1 down, 0 if that is not known."""
    subject, usual = fact.subject, fact.typical
    if fact.name not in _BETTER or not isinstance(subject, float) or not isinstance(usual, float):
        return 0
    return (subject > usual) - (subject < usual)


def _despite(fact: Difference, market: Conventions) -> str:
    if _is_lacked(fact):
        return f"no {_LACKED[fact.name]}"
    return f"its {_among(fact, market)}"


def _is_lacked(fact: Difference) -> bool:
    return fact.name in _LACKED and fact.subject == 0


def _sold(facts: Sequence[Difference], market: Conventions) -> str:
    days = [str(fact.subject) for fact in facts if fact.name == OWN_SALE_DAY]
    prices = [fact.subject for fact in facts if fact.name == OWN_SALE_PRICE and isinstance(fact.subject, float)]
    on = "".join(f" on {market_day(date.fromisoformat(one), market.currency)}" for one in days)
    return on + "".join(f" for {money(one, market.currency)}" for one in prices)


def _effect(amount: float, verb: tuple[str, str], market: Conventions) -> str:
    return f"{verb[amount < 0]} about {_signed_amount(abs(amount), market)}"


def _signed_amount(amount: float, market: Conventions) -> str:
    return money_short(amount, market.currency)


def _is_plural(fact: Difference) -> bool:
    return fact.subject is not None and (
        fact.name == "living_area_sqft" or (fact.name in _COUNTED and fact.subject != 1 and not _is_lacked(fact))
    )


def _place(facts: Sequence[Difference], area_name: str, market: Conventions) -> str:
    details = [_among(fact, market) for fact in facts if fact.name not in ("address", "latitude", "longitude")]
    spot = "Its location" if area_name == WHOLE_MARKET else f"Its spot within {area_name}"
    return f"{spot}, with {_listed(details)}," if details else spot


def _listed(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _alone(fact: Difference, market: Conventions) -> str:
    thing, remark = _thing(fact, market), _remark(fact, market)
    return f"{thing}, {remark}," if _is_amount(fact) and remark else _bracketed(thing, remark)


def _among(fact: Difference, market: Conventions) -> str:
    return _bracketed(_thing(fact, market), _remark(fact, market))


def _bracketed(thing: str, remark: str) -> str:
    return f"{thing} ({remark})" if remark else thing


def _thing(fact: Difference, market: Conventions) -> str:
    """Name the fact so that it can follow "Its"."""
    name, value = fact.name, fact.subject
    if name == ASSESSED_RISE:
        return "rise in assessed value"
    if value is None:
        return "lack of a renovation" if name == "year_renovated" else f"unknown {_name(name)}"
    if words.is_flag(name):
        return _name(name) if _is_yes(value) else f"lack of {_name(name)}"
    if _is_lacked(fact):
        return f"lack of a {_LACKED[name]}"
    return _with_value(name, value, words.fact_value(name, value, market))


def _with_value(name: str, value: Value, text: str) -> str:
    if name == "living_area_sqft":
        return text
    if name in _COUNTED:
        return f"{text.partition(' ')[0]} {_COUNTED[name][value != 1]}"
    if name in _YEARS:
        return f"{_YEARS[name]} in {text}"
    if unit_of(name) == "sqft":
        return f"{_name(name)} of {text}"
    called = words.inside_sentence(words.name_of_fact(name))
    if (rated := words.rated(name, text)) != text:
        return f"{called} rated {rated}"
    return f"{called} {text.lower() if name == 'property_type' else text}"


def _remark(fact: Difference, market: Conventions) -> str:
    """Compare the fact with the usual one; "" if there is nothing to say."""
    name, usual = fact.name, fact.typical
    if name == ASSESSED_RISE and isinstance(fact.subject, float):
        return f"{fact.subject:.0f}% more than usual in the area, a sign of renovation"
    if fact.subject is None or words.is_flag(name) or (name in _COUNTED and _is_lacked(fact)):
        return ""
    if usual is None:
        return "most here never were" if name == "year_renovated" else ""
    if _is_amount(fact):
        return _more(_amount(name, fact.subject, market) - _amount(name, usual, market), market)
    if name in _LACKED and usual == 0:
        return "most here have none"
    text = words.fact_value(name, usual, market)
    return f"{text.lower() if name == 'property_type' else text} is usual here"


def _is_amount(fact: Difference) -> bool:
    return fact.name in _COUNTED or unit_of(fact.name) == "sqft"


def _amount(name: str, value: Value, market: Conventions) -> float:
    number = float(value)
    return float(round(from_sqft(number, market.area_unit))) if unit_of(name) == "sqft" else number


def _more(difference: float, market: Conventions) -> str:
    amount = marked(abs(difference), market.currency)
    if amount == "0":
        return "as usual here"
    return f"{amount} {'more' if difference > 0 else 'less'} than usual here"


def _name(name: str) -> str:
    return words.inside_sentence(words.name_of_fact(name))


def _is_yes(value: Value) -> bool:
    return not isinstance(value, str) and value > 0
