"""Text from a checkpoint: several prompts at once, stop strings, and what is told while it is written."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from experiments.cli.generate import generate
from experiments.data.tokenizers.bytes import ByteLevelTokenizer
from experiments.text import continue_texts
from gpt_zoo import GPTModel, save_checkpoint

SCRIPT = "Grüße aus 東京. STEP two, STOP now."


def save_reciter(folder: Path, script: bytes) -> Path:
    """A model that knows one text by heart: at each position its next byte, whatever stands before."""
    length = len(script) + 1  # byte 0, the separator, stands in front
    model = GPTModel(
        {"vocab_size": 256, "context_length": length, "emb_dim": length, "n_heads": 1, "n_layers": 1}
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.position.table.weight.copy_(torch.eye(length))
        model.final_norm.scale.fill_(1.0)
        model.head.weight.copy_(F.one_hot(torch.tensor([*script, 0]), 256).T)
    save_checkpoint(folder, model)
    ByteLevelTokenizer().save(folder)
    return folder


@pytest.fixture(scope="module")
def reciter(tmp_path_factory) -> Path:
    return save_reciter(tmp_path_factory.mktemp("reciter"), SCRIPT.encode())


def test_prompts_of_different_lengths_are_each_continued_from_their_own_end(reciter):
    prompts = [SCRIPT[:3], SCRIPT[:14], SCRIPT[:1]]
    assert continue_texts(reciter, prompts, 30, temperature=0) == [
        (prompt.encode() + SCRIPT.encode()[len(prompt.encode()) :][:30]).decode(errors="replace")
        for prompt in prompts
    ]


def test_a_text_ends_where_the_model_separates_documents(reciter):
    assert continue_texts(reciter, ["G", "Gr"], 500, temperature=0) == [SCRIPT, SCRIPT]


@pytest.mark.parametrize(
    ("stop", "end"),
    [
        (["STOP"], "STOP"),
        (["two", "STOP"], "two"),
        (["never written", "."], "."),
        (["京"], "京"),
    ],
)
def test_a_stop_string_ends_the_text_before_itself(reciter, stop, end):
    told = []
    [text] = continue_texts(
        reciter, ["Gr"], 500, stop=stop, on_text=lambda index, piece: told.append(piece), temperature=0
    )
    assert text == SCRIPT[: SCRIPT.index(end)]
    assert "".join(told) == text, "what was told cannot be taken back"


def test_a_stop_string_ends_its_own_text_alone(reciter):
    first, second = continue_texts(reciter, ["G", SCRIPT[:15]], 500, stop=["aus"], temperature=0)
    assert first == SCRIPT[: SCRIPT.index("aus")]
    assert second == SCRIPT


def test_pieces_are_told_as_soon_as_they_are_whole_characters(reciter):
    told = []
    continue_texts(reciter, ["Gr"], 13, on_text=lambda index, piece: told.append(piece), temperature=0)
    # The ü and the ß are two bytes each, the 東 is three: "üße aus 東" takes 13.
    assert told == ["Gr", *"üße aus 東"]


def test_half_a_character_is_told_at_the_end_only(reciter):
    told = []
    continue_texts(reciter, ["Gr"], 12, on_text=lambda index, piece: told.append(piece), temperature=0)
    assert told == ["Gr", *"üße aus ", "\ufffd"]


def test_what_a_model_writes_does_not_steer_the_terminal(tmp_path, capsys):
    folder = save_reciter(tmp_path, b"a\tb\nc\x1b[2Jd")
    generate(folder, ["a"], temperature=0)
    generate(folder, ["a", "a\t"], temperature=0)
    shown = "a\tb\nc\ufffd[2Jd"
    assert capsys.readouterr().out == f"{shown}\n{shown}\n\n{shown}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stop": [""]}, "a stop string must not be empty"),
        ({"temperature": -1.0}, "`temperature` must be 0 or more"),
        ({"min_p": 1.5}, "`min_p` must lie in 0 to 1, got 1.5"),
    ],
)
def test_options_out_of_range(reciter, options, message):
    with pytest.raises(ValueError, match=message):
        continue_texts(reciter, ["G"], 5, **options)
