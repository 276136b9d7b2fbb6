"""Other words that say the same, and words of the passage that say something else."""

import pytest

from tests.rag.test_claims import support, verifier

MILL = "The mill was built in 1641 by Agnes Reed, four years later than planned. Since 1990 it has been kept by three trustees."
COURT = (
    "On 7 June 2019 the Supreme Court overturned the ruling of the lower court by five votes to two. Justice Okafor wrote the "
    "majority opinion; Justice Lindqvist dissented. Barrow Textiles had sued Meridian Shipping for 2.4 million dollars. Meridian "
    "Shipping owes Barrow Textiles the full sum. The court did not decide whether the captain had been negligent."
)
TRIAL = (
    "Our trial enrolled 240 adults. Blood pressure fell by 9 mmHg in the drug group and by 3 mmHg in the placebo group. No deaths "
    "occurred. The authors suggest that the effect could be due to better sleep."
)
RULES = (
    "Visitors may pick up windfalls free of charge but must not climb the trees. If a repair is not possible, the customer receives a"
    " refund. Nearly all members who took part in the survey want longer hours. Swimming is forbidden. An employer may dismiss an "
    "employee without notice only for gross misconduct. Fees rise from 9.1 to 9.6 million euros. Let the dough rest for at least half"
    " an hour. The road is closed until 9 p.m. on weekdays. Cut it into strips 2 cm wide."
)
VINEYARD = (
    "Marta Oliveira sold the northern half to Pedro Nunes, who planted olives there, and kept the southern half. Her brother Luis "
    "runs the shop; her daughter Ines hopes to take over. The treasurer, Omar Said, reported a deficit of £2,150. Unlike her uncle "
    "Walter, she never married."
)
TABLE = "| Trail | Length (km) | Climb (m) |\n| --- | --- | --- |\n| Heron Loop | 6.5 | 120 |\n| Ridge Path | 14 | 840 |"

POOL = (
    "Nitrate was measured at 11.2 mg/l. The gain was smaller in girls than in boys. Visits were rare because the spire had fallen in the "
    "storm; nobody was hurt. The tower may be visited only in calm weather. Never grease the belt before you fit it."
)

SAYS = [
    ("Nitrate stood at 11.2 milligrams per litre.", POOL),
    ("No one was injured when the spire collapsed in the storm.", POOL),
    ("In 1641 Agnes Reed built the mill.", MILL),
    ("It was built four years later than planned.", MILL),
    ("3 trustees have kept it since 1990.", MILL),
    ("The lower court's ruling was overturned on June 7, 2019.", COURT),
    ("Barrow Textiles had sued Meridian Shipping for $2.4 million.", COURT),
    ("Justice Lindqvist dissented and Justice Okafor wrote the majority opinion.", COURT),
    ("Whether the captain had been negligent was not decided by the court.", COURT),
    ("In the placebo group, blood pressure fell by 3 mmHg.", TRIAL),
    ("There were no deaths.", TRIAL),
    ("Visitors can pick up windfalls for free.", RULES),
    ("Climbing the trees is not allowed.", RULES),
    ("If a repair isn't possible, the customer gets a refund.", RULES),
    ("Swimming is not allowed.", RULES),
    ("Fees rise from €9.1 million to €9.6 million.", RULES),
    ("Let the dough rest for at least 30 minutes.", RULES),
    ("On weekdays the road is closed until 21:00.", RULES),
    ("The strips are cut 20 mm wide.", RULES),
    ("The northern half was sold to Pedro Nunes.", VINEYARD),
    ("Omar Said is the treasurer.", VINEYARD),
    ("Treasurer Omar Said reported a deficit of 2,150 pounds.", VINEYARD),
    ("The Heron Loop is 6.5 km long.", TABLE),
    ("The Ridge Path climbs 840 metres.", TABLE),
]
SAYS_NOT = {
    "one word for another that excludes it, or is only like it": [
        ("Nitrate was measured at 11.2 grams per litre.", POOL),
        ("The gain was smaller in boys than in girls.", POOL),
        ("The spire was damaged in the storm.", POOL),
        ("The tower may be visited in any weather.", POOL),
        ("The belt must be greased before it is mounted.", POOL),
    ],
    "another number, unit or bound": [
        ("It was built five years later than planned.", MILL),
        ("The strips are cut 2 mm wide.", RULES),
        ("The dough must rest for half an hour at most.", RULES),
        ("Barrow Textiles had sued Meridian Shipping for 2.4 million euros.", COURT),
    ],
    "a part of a compound": [
        ("Each hour costs €12.", "Each half-hour costs €12 at the pier and must be paid at once."),
        ("The path is level.", "The sea-wall path is steep, and the wall is level."),
    ],
    "the number of another": [
        ("Blood pressure fell by 9 mmHg in the placebo group.", TRIAL),
        ("The Supreme Court overturned the ruling by two votes to five.", COURT),
        ("Fees rise from 9.6 to 9.1 million euros.", RULES),
        ("The Ridge Path is 6.5 km long.", TABLE),
        ("The Heron Loop is 120 km long.", TABLE),
    ],
    "another who did it": [
        ("Barrow Textiles owes Meridian Shipping the full sum.", COURT),
        ("Justice Lindqvist wrote the majority opinion.", COURT),
        ("Pedro Nunes sold the northern half to Marta Oliveira.", VINEYARD),
        ("Marta Oliveira planted olives there.", VINEYARD),
        ("Marta Oliveira sold the southern half to Pedro Nunes.", VINEYARD),
        ("Ines runs the shop.", VINEYARD),
        ("Walter never married.", VINEYARD),
        ("Omar Said is the brother.", VINEYARD),
        ("Imran Qureshi will succeed Laura Finch.", "Imran Qureshi retires in May and will be succeeded by his deputy, Laura Finch."),
        ("Brandt found no link.", "Contrary to what Brandt reported, we found no link between the moon and the tide."),
    ],
    "a not, or one too few": [
        ("The court decided whether the captain had been negligent.", COURT),
        ("Visitors must climb the trees.", RULES),
        ("Swimming is allowed.", RULES),
        ("Deaths occurred.", TRIAL),
        ("The mill was not built in 1641.", MILL),
    ],
    "what was only thought, hoped or tied to an if": [
        ("The effect is due to better sleep.", TRIAL),
        ("The authors suggest that the effect is due to better sleep.", TRIAL),
        ("Ines will take over.", VINEYARD),
        ("The customer receives a refund.", RULES),
        ("An employer may dismiss an employee without notice.", RULES),
    ],
    "more of them, or others": [
        ("All members who took part in the survey want longer hours.", RULES),
        ("Nearly all members took part in the survey.", RULES),
        ("Some visitors may pick up windfalls.", RULES),
    ],
    "earlier for later, over for under": [
        ("It was built four years earlier than planned.", MILL),
        ("Blood pressure rose by 9 mmHg in the drug group.", TRIAL),
        ("It has been kept by three trustees until 1990.", MILL),
    ],
}


@pytest.mark.parametrize(("claim", "passage"), SAYS)
def test_what_a_passage_says_in_other_words_is_supported(claim: str, passage: str) -> None:
    assert support(claim, passage) == "supported"


@pytest.mark.parametrize(("claim", "passage"), [case for cases in SAYS_NOT.values() for case in cases])
def test_what_only_uses_its_words_is_not(claim: str, passage: str) -> None:
    assert support(claim, passage) == "unsupported"


def test_a_heading_or_the_file_s_name_may_say_what_it_is_about() -> None:
    passage = "It was built in 1641 of yellow brick and closed in 1938."
    assert support("The windmill was built of yellow brick in 1641.", passage, "Buildings > The windmill") == "supported"
    assert support("The notes say: it was built of yellow brick in 1641.", passage) == "supported"
    assert support("The windmill was built of yellow brick in 1641.", passage) == "unsupported"


def test_the_words_that_say_it_are_found() -> None:
    span = verifier(COURT).check(1, "The ruling of the lower court was overturned on June 7, 2019.").span
    assert span is not None
    assert COURT[slice(*span)] == "7 June 2019 the Supreme Court overturned the ruling of the lower court"
    row = verifier(TABLE).check(1, "The Ridge Path climbs 840 metres.").span
    assert row is not None
    assert TABLE[slice(*row)] == "| Ridge Path | 14 | 840 |"


def test_other_languages_are_held_to_their_letters() -> None:
    passage = "Das Museum ist von April bis Oktober und am Montag nicht geöffnet. Das Haus ist vielleicht von 1641."
    assert support("Das Haus ist vielleicht von 1641", passage) == "verbatim"
    assert support("Das Museum ist am Montag geöffnet", passage) == "unsupported"
    assert support("Das Haus ist von 1641", passage) == "unsupported"
