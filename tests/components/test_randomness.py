"""Random numbers keyed by what they are for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlpkit.components.randomness import keyed_generator

keys = st.tuples(st.integers(0, 2**64), st.lists(st.one_of(st.text(), st.integers()), max_size=4))


def draw(seed, *key):
    return keyed_generator(seed, *key).integers(0, 2**62, 4).tolist()


@given(st.lists(keys, min_size=2, max_size=5), st.randoms())
def test_the_order_of_drawing_does_not_count(wanted, random):
    once = [draw(seed, *key) for seed, key in wanted]
    order = list(range(len(wanted)))
    random.shuffle(order)
    again = {i: draw(wanted[i][0], *wanted[i][1]) for i in order}
    assert [again[i] for i in range(len(wanted))] == once


@given(keys, keys)
def test_other_keys_give_other_numbers(first, second):
    same = first == second
    assert (draw(first[0], *first[1]) == draw(second[0], *second[1])) == same


def test_a_number_and_its_digits_are_different_keys():
    assert draw(0, "layer", 1) != draw(0, "layer", "1")
    assert draw(0, "a", "b") != draw(0, "ab") != draw(0, "a, b")


def test_the_bits_never_change():
    def bits(generator):
        return generator.bit_generator.random_raw(3).tolist()

    assert bits(keyed_generator(0)) == [6806182852985850620, 11397129395101630591, 18066817832281456194]
    assert bits(keyed_generator(7, "layer", "Dropout1", 3, 0)) == [
        11541879948683204672,
        1087949178315373439,
        1401247661035261142,
    ]
