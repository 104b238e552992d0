"""The kinds of component that are shipped: a line each, which makes them known under their names."""

from gpt_zoo.config.attention.gated_linear import GatedLinearAttentionConfig
from gpt_zoo.config.attention.grouped_query import GroupedQueryAttentionConfig
from gpt_zoo.config.attention.latent import LatentAttentionConfig
from gpt_zoo.config.attention.multi_head import MultiHeadAttentionConfig
from gpt_zoo.config.attention.multi_query import MultiQueryAttentionConfig
from gpt_zoo.config.block.parallel import ParallelBlockConfig
from gpt_zoo.config.block.sequential import TransformerBlockConfig
from gpt_zoo.config.component import Component
from gpt_zoo.config.embedding.token import TokenEmbeddingConfig
from gpt_zoo.config.feed_forward.gated import GatedFeedForwardConfig
from gpt_zoo.config.feed_forward.mixture_of_experts import MixtureOfExpertsConfig
from gpt_zoo.config.feed_forward.plain import FeedForwardConfig
from gpt_zoo.config.head.linear import LinearHeadConfig
from gpt_zoo.config.norm.layer_norm import LayerNormConfig
from gpt_zoo.config.norm.none import NoNormConfig
from gpt_zoo.config.norm.rms_norm import RMSNormConfig
from gpt_zoo.config.position.alibi import AlibiPositionConfig
from gpt_zoo.config.position.learned import LearnedPositionConfig
from gpt_zoo.config.position.none import NoPositionConfig
from gpt_zoo.config.position.rotary import RotaryPositionConfig
from gpt_zoo.config.position.rotary_scaling import (
    LinearScalingConfig,
    Llama3ScalingConfig,
    NTKScalingConfig,
    YarnScalingConfig,
)
from gpt_zoo.config.position.sinusoidal import SinusoidalPositionConfig
from gpt_zoo.config.slot import register_kind

SHIPPED: dict[str, tuple[type[Component], ...]] = {
    "attention": (
        MultiHeadAttentionConfig,
        GroupedQueryAttentionConfig,
        MultiQueryAttentionConfig,
        LatentAttentionConfig,
        GatedLinearAttentionConfig,
    ),
    "position": (
        LearnedPositionConfig,
        SinusoidalPositionConfig,
        RotaryPositionConfig,
        AlibiPositionConfig,
        NoPositionConfig,
    ),
    "norm": (LayerNormConfig, RMSNormConfig, NoNormConfig),
    "feed_forward": (FeedForwardConfig, GatedFeedForwardConfig, MixtureOfExpertsConfig),
    "block": (TransformerBlockConfig, ParallelBlockConfig),
    "embedding": (TokenEmbeddingConfig,),
    "head": (LinearHeadConfig,),
    "rotary_scaling": (LinearScalingConfig, NTKScalingConfig, Llama3ScalingConfig, YarnScalingConfig),
    "expert": (FeedForwardConfig, GatedFeedForwardConfig),
}

for _slot, _configs in SHIPPED.items():
    for _config in _configs:
        register_kind(_slot, _config)
