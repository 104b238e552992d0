from cases_gptj import GPTJ
from hub_models import HubCase

CASES = [
    HubCase(
        "codegen",
        "CodeGenConfig",
        {**GPTJ, "n_head": 8, "n_embd": 48, "rotary_dim": 4},
        breaks={"n_head": 6, "rotary_dim": 8},
        beyond={"position.interleaved": False, "attention.out_bias": True},
    ),
    HubCase("codegen", "CodeGenConfig", {**GPTJ, "rotary_dim": 8, "n_inner": 40}, "all-turned"),
]
