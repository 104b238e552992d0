"""Secrets out of text that leaves the machine: a report is sent to colleagues, a password is not."""

import re
from typing import Any

MASK = "***"
# Greedy up to the last @ of the word: a password may hold an @ that nobody escaped.
USER_AND_PASSWORD = re.compile(r"(?P<kept>[a-z][a-z0-9+.-]*://[^\s/:@]*:)\S+@", re.IGNORECASE)
TOKEN_AS_USER = re.compile(r"(?P<kept>https?://)[^\s/:@]+@", re.IGNORECASE)
# Not every token is a secret: `bos_token` is part of a vocabulary.
SECRET_KEYS = "password|passwd|pwd|secret|api_?key|(?:access|auth|api|hf|github)_token"
QUERY = re.compile(rf"(?P<kept>[?&](?:token|{SECRET_KEYS})=)[^&\s#]+", re.IGNORECASE)
SECRET_KEY = re.compile(rf"(?:.*_)?(?:{SECRET_KEYS})", re.IGNORECASE)


def mask_text(text: str) -> str:
    """The text with the passwords of its URLs replaced by ***."""
    text = USER_AND_PASSWORD.sub(rf"\g<kept>{MASK}@", text)
    text = TOKEN_AS_USER.sub(rf"\g<kept>{MASK}@", text)
    return QUERY.sub(rf"\g<kept>{MASK}", text)


def mask_secrets(value: Any) -> Any:
    """A copy of plain data without passwords: in URLs, and text under keys like `password` or `api_key`."""
    if isinstance(value, dict):
        return {
            mask_text(key) if isinstance(key, str) else key: MASK
            if isinstance(key, str) and isinstance(entry, str) and SECRET_KEY.fullmatch(key)
            else mask_secrets(entry)
            for key, entry in value.items()
        }
    if isinstance(value, list | tuple):
        return [mask_secrets(entry) for entry in value]
    return mask_text(value) if isinstance(value, str) else value
