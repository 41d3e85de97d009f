import pytest

from huaxiao.shared.documents import canonical, digest


def test_the_order_of_keys_does_not_change_a_digest() -> None:
    assert digest({"a": 1, "b": ["县", None]}) == digest({"b": ["县", None], "a": 1})


def test_any_changed_value_changes_the_digest() -> None:
    assert digest({"a": 1}) != digest({"a": "1"})


@pytest.mark.parametrize("bad", [1.5, {"a": [0.0]}, [{"b": float("nan")}]])
def test_a_float_has_no_canonical_form(bad: object) -> None:
    with pytest.raises(TypeError):
        canonical(bad)
