import pytest

from experiments.masking import mask_secrets, mask_text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://user:secret@host/db", "postgresql://user:***@host/db"),
        ("see mysql+pymysql://u:p@ss@h:33/db now", "see mysql+pymysql://u:***@h:33/db now"),
        ("redis://:secret@host", "redis://:***@host"),
        ("https://ghp_abc@example.org/x", "https://***@example.org/x"),
        ("https://example.org/x?a=1&token=abc&b=2", "https://example.org/x?a=1&token=***&b=2"),
        ("sqlite:///study.db", "sqlite:///study.db"),
        ("mail a@b.c at 12:30", "mail a@b.c at 12:30"),
    ],
)
def test_passwords_in_urls_are_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_structures_are_masked_and_vocabulary_is_not() -> None:
    data = {"db_password": "x", "bos_token": "<s>", "steps": [1, "a://b:c@d"], "secret": None}
    assert mask_secrets(data) == {
        "db_password": "***",
        "bos_token": "<s>",
        "steps": [1, "a://b:***@d"],
        "secret": None,
    }
