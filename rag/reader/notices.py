"""Small made-up documents of the kind that people ask about: prices, opening hours, telephone numbers, who does what, what is on when.

Sets of questions and answers are about articles. What a club, a clinic or a shop puts on one page is short facts beside each other,
of which a question wants one: the price for a child, not that for an adult. Each fact comes with questions; those about the facts
that were left out of a page have no answer there.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rag.reader.asked import Asked
from rag.reader.near_miss import DAYS, MONTHS

_FIRST = (
    "Agnes Bruno Carla Dilip Edith Farid Greta Hamish Ines Jonas Keiko Lionel Mabel Nadia Oscar Petra Quentin Rosa Stefan Tilda".split()
)
_LAST = (
    "Abbot Barlow Castellan Dunmore Eastwick Falconer Garside Holroyd Ibbotson Jessop Kirkby Lomax Medlock Norbury Okafor Pargeter "
    "Quigley Rasmussen Sorensen Thackray Underhill Vasquez Whitlock Yardley Zielinski"
).split()
_TOWNS = (
    "Alderbrook Birchester Coldwater Dunhaven Elmsworth Fernleigh Granby Hartsop Kingsmere Larkfield Marlow Northby Oakridge Penfold"
).split()
_PLACES = (
    "Swimming Pool,Dental Clinic,Public Library,Garden Centre,Sailing Club,Farm Shop,Art Gallery,Sports Hall,Theatre,Youth Hostel,"
    "Allotment Society,Railway Museum,Community Choir,Animal Shelter,Bakery,Castle,Science Centre,Campsite"
).split(",")
_ROLES = (
    "secretary,treasurer,chair,manager,caretaker,head gardener,receptionist,librarian,volunteer coordinator,safety officer,"
    "membership secretary,head of education,bookings officer,deputy director,press officer"
).split(",")
_GROUPS = "adult,child,student,senior,family of four,carer,group of ten,resident,visitor,member".split(",")
_THINGS = (
    "day ticket,yearly membership,guided tour,locker,swimming lesson,room for the evening,cup of tea,spoken guide,boat for an hour,"
    "printed programme,pitch with electricity,bicycle for a day"
).split(",")
_EVENTS = (
    "plant sale,summer fair,annual general meeting,open day,quiz night,carol concert,committee meeting,first aid course,jumble sale,"
    "photography walk,chess tournament,cookery class,book group,harvest supper"
).split(",")
_ROOMS = "main hall,east garden,reading room,cafe,upper gallery,boathouse,car park,old stable,library annexe".split(",")
_COUNTED = "visitors,members,volunteers,loans,tickets,swimmers,school groups,donations,complaints,new plants".split(",")
_REASONS = (
    "the boiler has to be replaced,too few people booked,the roof was leaking,of flood damage,of a shortage of staff,"
    "the grant was not renewed,the road is being mended,the trees were diseased,asbestos was found in the ceiling"
).split(",")
_STOPPED = "The cafe is closed,The evening class was cancelled,The north door is locked,The price was raised,The heating is off".split(",")
_WHY = {
    "The cafe is closed": ("Why is the cafe closed?", "what happened to the cafe"),
    "The evening class was cancelled": ("Why was the evening class cancelled?", "Why isn't there an evening class?"),
    "The north door is locked": ("Why is the north door locked?", "Why can't I use the north door?"),
    "The price was raised": ("Why was the price raised?", "Why did it get dearer?"),
    "The heating is off": ("Why is the heating off?", "why is there no heating"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a page says.

    Attributes:
        said: ways to say it in a sentence, {} standing for what is asked.
        label: how it stands in a list or table: "label: value".
        questions: whose answer is the value.
    """

    value: str
    said: tuple[str, ...]
    label: str
    questions: tuple[str, ...]


def _money(rng: random.Random) -> str:
    amount = rng.choice((rng.randint(1, 90) * 0.5, rng.randint(2, 250)))
    figure = f"{amount:.2f}" if amount % 1 or rng.random() < 0.5 else str(int(amount))
    return rng.choice(("£{}", "${}", "€{}", "{} euros", "{} pounds")).format(figure)


def _time(rng: random.Random, first: int, last: int) -> str:
    hour, minute = rng.randint(first, last), rng.choice(("00", "00", "15", "30"))
    if rng.random() < 0.4:
        return f"{hour:02d}:{minute}"
    return f"{(hour - 1) % 12 + 1}{'' if minute == '00' else '.' + minute} {'am' if hour < 12 else 'pm'}"


def _date(rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(2019, 2027)
    return rng.choice((f"{day} {month} {year}", f"{rng.choice(DAYS)} {day} {month}", f"{month} {day}, {year}"))


def _person(rng: random.Random) -> str:
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def _prices(rng: random.Random) -> list[Fact]:
    thing = rng.choice(_THINGS)
    facts = [
        Fact(
            price,
            (f"For {one} a {thing} is {{}}.", f"Each {group} pays {{}} for a {thing}.", f"The {thing} costs {{}} for {one}."),
            f"{thing.capitalize()}, {group}",
            (f"How much is a {thing} for {one}?", f"What does {one} pay for a {thing}?", f"{thing} {group} price", f"{group} {thing} cost"),
        )
        for group in rng.sample(_GROUPS, 4)
        for price, one in [(_money(rng), f"{'an' if group == 'adult' else 'a'} {group}")]
    ]
    young = rng.randint(3, 6)
    age = rng.randint(1, young - 1)
    free = Fact(
        rng.choice(("free", "free of charge", "nothing")),
        (f"For children under {young} the {thing} is {{}}.", f"Under {young}s: {{}}."),
        f"{thing.capitalize()}, children under {young}",
        (f"How much is a {thing} for a {age} year old?", f"{thing} price for a {age} year old", f"What do children under {young} pay?"),
    )
    return [*facts, *([free] if rng.random() < 0.4 else [])]


def _hours(place: str, rng: random.Random) -> list[Fact]:
    facts = []
    for day in rng.sample(DAYS, 4):
        hours = f"{_time(rng, 7, 11)} to {_time(rng, 14, 21)}" if rng.random() < 0.8 else "closed"
        said = (
            (f"On {day}s we are {{}}.",)
            if hours == "closed"
            else (f"On {day} it is open from {{}}.", f"{day}s: {{}}.", f"Open {{}} on {day}s.")
        )
        forms = (
            f"When is {place} open on {day}?",
            f"Opening hours on {day}?",
            f"{day} opening times",
            f"What time do you open on {day}s?",
            f"Are you open on {day}?",
        )
        facts.append(Fact(hours, said, day, forms))
    return facts


def _contacts(place: str, rng: random.Random) -> list[Fact]:
    facts = []
    for who in (place, *(_person(rng) for _ in range(3))):
        name = who.split()[0].lower()
        phone = f"0{rng.randint(1000, 9999)} {rng.randint(100000, 999999)}" if rng.random() < 0.6 else f"555-{rng.randint(1000, 9999)}"
        email = f"{name}@{rng.choice(_TOWNS).lower()}.example"
        facts += [
            Fact(
                phone,
                (f"{who} can be reached on {{}}.", f"Telephone {{}} for {who}.", f"Call {who} on {{}}."),
                f"{who}, telephone",
                (f"What is {who}'s phone number?", f"How can I call {who}?", f"{who} phone", f"telephone number of {who}"),
            ),
            Fact(
                email,
                (f"The e-mail address of {who} is {{}}.", f"Write to {who} at {{}}."),
                f"{who}, e-mail",
                (f"What is {who}'s e-mail address?", f"How do I email {who}?", f"{who} email"),
            ),
            Fact(
                f"{rng.randint(1, 99)} {rng.choice(_LAST)} Street, {rng.choice(_TOWNS)}",
                (f"The address of {who} is {{}}.", f"You find {who} at {{}}."),
                f"{who}, address",
                (f"What is {who}'s address?", f"Where is {who}?", f"address of {who}", f"Where can I find {who}?"),
            ),
        ]
    return facts


def _people(rng: random.Random) -> list[Fact]:
    facts = []
    for role in rng.sample(_ROLES, 4):
        name = _person(rng)
        who = (f"Who is the {role}?", f"What is the {role} called?", f"{role} name", f"Who do I ask for as {role}?")
        facts.append(Fact(name, (f"The {role} is {{}}.", f"{{}} is our {role}.", f"{{}} was elected {role}."), role.capitalize(), who))
        does = (f"What does {name} do?", f"What is {name}'s job?", f"Who is {name}?")
        facts.append(Fact(role, (f"{name} is the {{}}.", f"{name} works here as {{}}."), name, does))
    return facts


def _counts(place: str, rng: random.Random) -> list[Fact]:
    counted, first = rng.choice(_COUNTED), rng.randint(2009, 2023)
    return [
        Fact(
            f"{rng.randint(12, 99999):,}",
            (f"In {year} there were {{}} {counted}.", f"{place} had {{}} {counted} in {year}.", f"{{}} {counted} were counted in {year}."),
            f"{counted.capitalize()}, {year}",
            (f"How many {counted} were there in {year}?", f"number of {counted} {year}", f"How many {counted} did {place} have in {year}?"),
        )
        for year in range(first, first + 4)
    ]


def _events(rng: random.Random) -> list[Fact]:
    facts = []
    for event in rng.sample(_EVENTS, 3):
        facts += [
            Fact(
                _date(rng),
                (f"The {event} is on {{}}.", f"Our {event} will be held on {{}}.", f"The date of the {event} is {{}}."),
                f"Date of the {event}",
                (f"When is the {event}?", f"When is the next {event}?", f"{event} date", f"What day is the {event}?"),
            ),
            Fact(
                _time(rng, 9, 20),
                (f"The {event} begins at {{}}.", f"Come to the {event} at {{}}."),
                f"{event.capitalize()}, begins",
                (f"What time does the {event} start?", f"When does the {event} begin?", f"{event} time"),
            ),
            Fact(
                f"the {rng.choice(_ROOMS)}",
                (f"The {event} takes place in {{}}.", f"For the {event} we meet in {{}}."),
                f"{event.capitalize()}, place",
                (f"Where is the {event}?", f"Which room is the {event} in?", f"{event} location"),
            ),
            Fact(
                _person(rng),
                (f"The {event} was won by {{}}.", f"First prize at the {event} went to {{}}."),
                f"{event.capitalize()}, winner",
                (f"Who won the {event}?", f"Who got first prize at the {event}?", f"{event} winner"),
            ),
        ]
    return facts


def _reasons(rng: random.Random) -> list[Fact]:
    facts = []
    for stopped in rng.sample(_STOPPED, 2):
        facts.append(Fact(rng.choice(_REASONS), (f"{stopped} because {{}}.",), f"{stopped}, because", _WHY[stopped]))
    return facts


def notice(rng: random.Random) -> list[Asked]:
    """One page of facts, as sentences, a list or a table, and the questions after those it tells and those it leaves out."""
    place = f"{rng.choice(_TOWNS)} {rng.choice(_PLACES)}"
    kinds: list[Callable[[], list[Fact]]] = [
        partial(_prices, rng),
        partial(_hours, place, rng),
        partial(_contacts, place, rng),
        partial(_people, rng),
        partial(_counts, place, rng),
        partial(_events, rng),
        partial(_reasons, rng),
    ]
    told: list[Fact] = []
    untold: list[Fact] = []
    for make in rng.sample(kinds, rng.randint(1, 3)):
        facts = make()
        rng.shuffle(facts)
        kept = rng.randint(1, max(1, len(facts) - 1))
        told += facts[:kept]
        untold += facts[kept:]
    told = told[:10]
    rng.shuffle(told)
    text, places = _page(place, told, rng)
    asked = [Asked(rng.choice(fact.questions), text, [span], True) for fact, span in zip(told, places, strict=True)]
    missed = [Asked(rng.choice(fact.questions), text, [], False) for fact in untold if fact.value not in text]
    return rng.sample(asked, min(4, len(asked))) + rng.sample(missed, min(3, len(missed)))


def _page(place: str, facts: list[Fact], rng: random.Random) -> tuple[str, list[tuple[int, int]]]:
    """The page's text, and where each fact's value stands in it."""
    way = rng.random()
    head = rng.choice(("", f"# {place}\n\n", f"{place}\n\n", f"Welcome to {place}.\n\n"))
    between = " " if way < 0.4 else "\n"
    if way > 0.7:
        head += rng.choice(("| | |", "| What | Details |")) + "\n|---|---|\n"
    text, places = head, []
    for fact in facts:
        form = rng.choice(fact.said) if way < 0.5 else f"- {fact.label}: {{}}" if way <= 0.7 else f"| {fact.label} | {{}} |"
        before, _, after = form.partition("{}")
        start = len(text) + len(before)
        places.append((start, start + len(fact.value)))
        text += before + fact.value + after + between
    return text.rstrip(), places


def notices(count: int, rng: random.Random) -> Iterator[Asked]:
    for _ in range(count):
        yield from notice(rng)
