# ruff: noqa: RUF001 - letters of other scripts are what this is about
"""What children and teens may read, and what no editor would print for them."""

import pytest

from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.safety.age_bands import broken_by, found_in

YOUNG = (Audience.CHILDREN, Audience.TEENS)

FIT = [
    "The hunter cut the sleeping wolf open, and out came grandmother. Then the wolf was dead.",
    "They filled his belly with stones, and he fell into the well and drowned.",
    "Gretel pushed the witch into the oven and bolted the door, and the witch burned to ashes.",
    "The queen shouted: off with her head! And the executioner cut off the giant's head.",
    "The knight killed the dragon with one thrust, and its blood ran into the river.",
    "The old king died in the night, and the whole village wept at his grave.",
    "She gathered a bundle of sticks, a faggot, for the fire, and the cock crowed on the dunghill.",
    "The donkey, the silly ass, brayed; the bitch had five puppies; the tits sang in the birch.",
    "The boy cut his finger and a drop of blood fell on the snow.",
    "Grandpa had a heart attack and died. Mum said it is all right to be sad.",
    "The pirates drank rum and fired the cannons, and a mast fell on the captain's leg.",
    "Anna asked whether the baby was a boy or a girl. Her sex did not matter to anybody.",
    "Der dicke Kater flickte seine Hose.",
    "Le roi était en retard, et sa fille lui donna un baiser. Il y avait un con de lune.",
    "La maestra explicó el cono y el sistema solar. Kike pintó un gato negro.",
    "Hon stängde boken. Slut.",
    "Hun foder katten hver morgen.",
    "У попугая был жёлтый хохол, и он любил кашу.",
    "그는 잠을 자지 않고 별을 보았다. 아무도 보지 못했다.",
    "狼は井戸に落ちて死んでしまいました。みんなは喜びました。",
    "猎人杀死了狼，救出了外婆。",
    "قتل الصياد الذئب وعاشت الجدة بسلام.",
]

UNFIT = [
    "He looked at her and said: fuck this village.",
    "They had sex behind the barn.",
    "He caressed her naked breasts.",
    "Sie hatten Sex im Stall.",
    "Ils faisaient l'amour dans la grange.",
    "Tuvieron sexo en el granero.",
    "Они занялись сексом в сарае.",
    "他们在谷仓里做爱。",
    "二人はセックスをした。",
    "그들은 헛간에서 섹스를 했다.",
    "You stupid nigger, said the farmer.",
    "Ты шлюха, сказал он.",
    "Her intestines spilled over the floor.",
    "He gouged out both of her eyes with a spoon, and blood spurted from the holes.",
    "Die Eingeweide quollen ihm aus dem Leib.",
    "The easiest way to kill yourself is described below.",
    "She slit her wrists in the bath.",
    "Sie schnitt sich die Pulsadern auf.",
    "To cook crystal meth you first need a flask.",
    "First they build a pipe bomb from a pipe.",
    "Zuerst muss man die Rohrbombe bauen.",
    "He raped the girl.",
]


def is_fit(text: str, audience: Audience) -> bool:
    """Tell whether no rule stands against a text."""
    return not broken_by(found_in(text, audience))


@pytest.mark.parametrize("text", FIT)
@pytest.mark.parametrize("audience", Audience)
def test_a_fairy_tale_may_be_grim(text: str, audience: Audience) -> None:
    """Proves that the rules know tales, and words that mean something else elsewhere."""
    assert is_fit(text, audience)


@pytest.mark.parametrize(
    "word",
    [
        "f\u200buck",
        "fu\u00adck",
        "f\u2060uck",
        "\uff46\uff55\uff43\uff4b",
        "fu\u0441k",
        "f\u03c5ck",
        "_fuck_",
        "fuck_you",
        "encule\u0301",
        "FU\U000e0043CK",
    ],
)
def test_a_word_is_what_its_readers_see(word: str) -> None:
    """Proves it for unseen signs, full width, look-alikes, underscores and accents set apart."""
    assert not is_fit(f"He said: what the {word}!", Audience.CHILDREN)


def test_words_of_one_script_are_not_read_as_another_s() -> None:
    """Proves that only a word of several scripts is folded: none here is what it looks like."""
    assert is_fit("Тихо сиял месяц, и ТВАТ было имя реки.", Audience.CHILDREN)
    assert is_fit("Koyunu sıktır, dedi; sıkı sıkı sarıldı.", Audience.CHILDREN)


@pytest.mark.parametrize("text", UNFIT)
@pytest.mark.parametrize("audience", YOUNG)
def test_what_no_editor_would_print_is_found(text: str, audience: Audience) -> None:
    """Proves each kind of rule, in several languages."""
    story = f"Once upon a time there was a farm. {text} And so they lived."
    assert not is_fit(story, audience)


@pytest.mark.parametrize("text", UNFIT)
def test_for_adults_no_rule_of_ours_forbids_anything(text: str) -> None:
    """Proves that adults' stories are left to the model and the provider's moderation."""
    assert is_fit(text, Audience.ADULTS)


def test_children_are_spared_what_teens_may_read() -> None:
    """Proves that the bands differ."""
    for text in ("Shit, said the coach.", "Romeo and Juliet committed suicide."):
        assert not is_fit(text, Audience.CHILDREN)
        assert is_fit(text, Audience.TEENS)


def test_harsh_words_add_up_for_children() -> None:
    """Proves that one slip passes and two do not."""
    assert is_fit("The bastard ran away.", Audience.CHILDREN)
    assert not is_fit("The bastard ran away from the twat.", Audience.CHILDREN)


def test_two_sentences_tell_of_two_things() -> None:
    """Proves that a phrase does not reach over the end of a sentence."""
    assert is_fit("She sawed. Through his arms the rain fell.", Audience.CHILDREN)
    assert not is_fit("She sawed through his arms in the rain.", Audience.CHILDREN)


def test_what_breaks_is_named_by_its_rules_alone() -> None:
    """Proves what an operator reads: ids, each once, and nothing while a text is fit."""
    harsh = "The bastard ran from the twat, and they had sex."
    assert broken_by(found_in(harsh, Audience.CHILDREN)) == ("abuse.harsh", "sex.acts.en")
    assert broken_by(found_in("The bastard ran away.", Audience.CHILDREN)) == ()
