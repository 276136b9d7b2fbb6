"""Verbatim: what stands in a passage so, and the ways in which the same letters would say something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.verify.verbatim import Source, Wording

Case = tuple[str, str]

STANDS = {
    "words": [
        ("The mill was built in 1641 by Agnes.", "The mill was built in 1641"),
        ("It closed in 1938; the sea-gates failed.", "the Sea-Gates failed"),
        ("Flour keeps for\nthree months.", "for three months"),
        ("The mill was **built** in _1641_.", "The mill was built in 1641."),
        ("Flour keeps for three months.", "The flour keeps"),  # the article is the answer's own
    ],
    "a number, a name, or two content words are enough": [
        ("The mill was built in 1641 by Agnes.", "1641"),
        ("The mill was built in 1641 by Agnes.", "Agnes"),
        ("There are seven trustees.", "seven"),
        ("It was Agnes Reed's house.", "Agnes Reed"),
        ("Flour keeps for three months.", "flour keeps"),
    ],
    "numbers with their signs and units": [
        ("The loss was **1.5** % in May.", "1.5%"),
        ("The loss was 1.5 % in May.", "1.5 per cent"),
        ("The balance is **-1,00** pounds.", "-1,00 pounds"),
        ("It fell to −18 °C.", "-18°C"),
        ("It weighs 1,000 kg.", "1,000 kg"),
        ("It weighs 1 000 kg.", "1 000 kg"),
        ("A walk of 5km.", "5 km"),
        ("Claim 45p a mile.", "45p a mile"),
        ("The server is 10.0.1.47 now.", "10.0.1.47"),
        ("Open at 10:30 a.m. daily.", "10:30 am"),
        ("Closed on 10 May 2020.", "May 2020"),
        ("Closed on May 10, 2020.", "2020"),
        ("Section 5: the trustees.", "Section 5"),
        ("It was built in 1641[3] by Agnes.", "1641"),
        ("image[3] holds the colour.", "image[3]"),
        ("It covers you up to the age of\n85. Past that it does not.", "85"),  # a wrapped line, not a list's item
    ],
    "typographic quotes, dashes, ligatures, spaces": [
        ("the Society’s insurance", "the Society's insurance"),
        ("the Society's insurance", "the Society’s insurance"),
        ("“Fine” ﬂour, non‑stop", "fine flour, non-stop"),
        ("open on Sundays", "open\u00a0on Sun\u00addays"),
        ("from 9–17 h", "from 9 – 17 h"),
    ],
    "a negation elsewhere": [
        ("The mill is not large. It is open on Sundays.", "open on Sundays"),
        ("The mill is not open on Sundays.", "not open on Sundays"),
        ("It is open on Saturdays, but not on Sundays.", "open on Saturdays"),
        ("It is not open on Mondays but on Sundays.", "on Sundays"),
        ("The mill, which was not restored, was built in 1641.", "built in 1641"),
        ("Members may bring dogs, not cats.", "Members may bring dogs"),
        ("On 15 June he was warned unless he recanted.", "15 June"),
        ("Not only Agnes but also Tom Reed signed.", "Agnes"),
        ("No. 5 is the house of Agnes.", "the house of Agnes"),
        ("Dogs: no\nOpening hours: from 9 to 17", "opening hours"),
        ("| dogs allowed | no |\n| cats allowed | yes |", "cats allowed"),
        ("The price includes:\n- two breakfasts\n- parking fees", "parking fees"),
        ("Is it open on Sundays? Yes. Is it free? No.", "open on Sundays"),
    ],
}
"""(passage, claim)"""

STANDS_NOT = {
    "other words": [
        ("The mill was built in 1641 by Agnes.", "It was burnt by pirates in 1700 and nobody survived"),
        ("The mill was built in 1641 by Agnes.", "Agnes built the mill"),
        ("Plan B is the one.", "Plan A"),
        ("Sundays are free.", ""),
        ("Sundays are free.", ". , !"),
    ],
    "too little to be checked": [
        ("The trustees say no to parking.", "No"),
        ("Yes, it is.", "Yes"),
        ("The mill was built in 1641.", "the mill"),
        ("There is one of them.", "one"),
        ("What it was is not known.", "it was"),
    ],
    "a part of a word": [
        ("The mill was built in 1641.", "164"),
        ("In room B12 of the house.", "12"),
        ("Only non-smoking rooms are left.", "smoking rooms"),
        ("It is written in C++ mostly.", "written in C"),
        ("The London–Paris line.", "Paris line"),
        ("The part is A-1043.", "1043"),
        ("The price is that of B-7731/3.", "the price is that of B-7731"),
        ("It runs at 80 km/h.", "80 km"),
    ],
    "a part of a number": [
        ("The loss was **1.5** % in May.", "15"),
        ("The loss was **1.5** % in May.", "1.5"),
        ("The loss was 1,5 % in May.", "1.5 %"),
        ("A dose of .5 litres.", "5 litres"),
        ("A dose of 0.5 litres.", "5 litres"),
        ("The balance is **-1,00** pounds.", "100"),
        ("The balance is **-1,00** pounds.", "1,00"),
        ("It fell to −18 °C.", "18 °C"),
        ("It rose to minus 18 degrees.", "18 degrees"),
        ("It holds for p < 0.05 only.", "0.05"),
        ("It has 1,200,000 bricks.", "1,200"),
        ("It has 1,200,000 bricks.", "1200000 bricks"),
        ("It has 1 200 000 bricks.", "200"),
        ("It has 5 million bricks.", "5"),
        ("It cost 10 000,50 pounds.", "10"),
        ("It cost two hundred and five pounds.", "five pounds"),
        ("It cost twenty five pounds.", "five pounds"),
        ("It cost $1.5M in all.", "1.5"),
        ("It is in ISO 9001:2015.", "9001"),
        ("Half a mile is ½ mile.", "1/2 mile"),
        ("It is 1½ miles.", "1"),
        ("An area of 10² m.", "102"),
        ("Call +44 20 7946 0958.", "7946"),
        ("See pages 10–18 of it.", "18"),
        ("It takes 3 to 6 months.", "6 months"),
        ("It was in the 1640s.", "1640"),
    ],
    "units": [
        ("A walk of 5 km.", "5 miles"),
        ("A walk of 5km.", "5"),
        ("It costs £5.", "5"),
        ("It costs 5 €.", "5"),
        ("It is 18 °C.", "18 °F"),
        ("On the 2nd floor.", "2"),
    ],
    "versions, addresses, dates, times": [
        ("The server is 10.0.1.47 now.", "10.0.14.7"),
        ("The server is 10.0.1.47 now.", "10.0.1.4"),
        ("Version 2.10 is out.", "2.1"),
        ("Take v1.2.3 of it.", "1.2.3"),
        ("Open at 10:30.", "1030"),
        ("Open at 10:30 am.", "10:30"),
        ("Open at 10:30 am.", "10:30 pm"),
        ("Closed on 10 May 2020.", "10"),
        ("Closed on May 10, 2020.", "10"),
        ("Closed on 15 May.", "5 May"),
        ("Due on 2024-05-10.", "2024"),
        ("Due on 10/05/2024.", "10/5/2024"),
    ],
    "a number that is a name of a place": [
        ("Section 5: the trustees. There are seven trustees.", "5"),
        ("See Fig. 5 and § 6.", "5"),
        ("See Fig. 5 and § 6.", "6"),
        ("## 5.2 The trustees\nThey are many.", "5.2"),
        ("1. Open the valve\n2. Close it", "2"),
        ("Do this:\n7. Open the valve", "7"),
        ("It stands still.\n\n12) The gates", "12"),
        ("The wheel turns [5] slowly.", "5"),
    ],
    "a negation that is left out": [
        ("The mill is **not** open on Sundays.", "open on Sundays"),
        ("The mill isn’t open on Sundays.", "open on Sundays"),
        ("The mill is never, under any circumstances, open on Sundays.", "open on Sundays"),
        ("The mill is not, which surprises many, open on Sundays.", "open on Sundays"),
        ("The mill is not\nopen on Sundays.", "open on Sundays"),
        ("The mill is not yet open on Sundays.", "open on Sundays"),
        ("The mill was not built in 1641.", "1641"),
        ("No dogs may enter the mill.", "dogs may enter the mill"),
        ("Nobody under 18 may enter the mill.", "may enter the mill"),
        ("The mill cannot be entered on Sundays.", "entered on Sundays"),
        ("It is open on Saturdays, but not on Sundays.", "on Sundays"),
        ("Dogs may enter the mill at no time.", "Dogs may enter the mill"),
        ("Members' dogs, cats and birds are not allowed.", "Members' dogs"),
        ("It is open daily except Sundays.", "Sundays"),
        ("It is closed unless Agnes Reed is there.", "Agnes Reed is there"),
        ("Dogs allowed: No", "Dogs allowed"),
        ("Dogs allowed – no", "Dogs allowed"),
        ("Dogs allowed (no)", "Dogs allowed"),
        ("| dogs allowed | no |\n| cats allowed | yes |", "dogs allowed"),
        ("Is it open on Sundays? No.", "open on Sundays"),
        ("### Are dogs allowed?\n\nNo, they are not.", "dogs allowed"),
        ("The price does not include:\n- two breakfasts\n- parking fees", "parking fees"),
        ("The price does not include:\n1. two breakfasts\n2. parking fees", "parking fees"),
    ],
}


def cases(table: dict[str, list[Case]]) -> list[Case]:
    return [case for group in table.values() for case in group]


@pytest.mark.parametrize(("passage", "claim"), cases(STANDS))
def test_what_a_passage_says_word_for_word_stands(passage: str, claim: str) -> None:
    assert Source(passage).holds(Wording(claim))


@pytest.mark.parametrize(("passage", "claim"), cases(STANDS_NOT))
def test_what_it_does_not_say_so_does_not_stand(passage: str, claim: str) -> None:
    assert not Source(passage).holds(Wording(claim))


def test_one_sound_place_is_enough() -> None:
    assert Source("Section 5: five trustees. They are 5 in all.").holds(Wording("5"))
    assert Source("It is not open on Sundays. In May it is open on Sundays.").holds(Wording("open on Sundays"))


TEXT = st.text(alphabet="ab N1.5,-–%[]()|*# \n:?’;not", max_size=60)


@given(TEXT, TEXT)
def test_any_text_can_be_checked(passage: str, claim: str) -> None:
    Source(passage).holds(Wording(claim))


@given(st.text(max_size=60))
def test_text_of_any_script_can_be_checked(text: str) -> None:
    Source(text).holds(Wording(text))
