"""A GGUF of the Llama architecture -> the folder mlx-lm reads, without a model hub.

Run by the Python that has mlx-lm: `python mlx_folder.py FROM.gguf TEMPLATE.jinja FOLDER`. The
quantised weights are taken over as they are; the tokenizer is put together from the GGUF's own
tables; the template writes calls between <tool_call> marks, which the server then reads.
"""

import json
import sys
from pathlib import Path

import mlx.core as mx
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def renamed(name: str) -> str:
    parts = name.split(".")
    if parts[0] != "blk":
        return ".".join([NAMES[parts[0]], *parts[1:]])
    return ".".join(["model.layers", parts[1], NAMES[parts[2]], *parts[3:]])


def config(told: dict, weights: dict) -> dict:
    quantised: dict = {"group_size": 32, "bits": 4}
    for name, scales in weights.items():
        if name.endswith(".scales"):
            path = name.removesuffix(".scales")
            bits = weights[f"{path}.weight"].shape[1] * 32 // (scales.shape[1] * 32)
            quantised[path] = {"group_size": 32, "bits": bits}
    return {
        "model_type": "llama",
        "hidden_size": told["llama.embedding_length"].item(),
        "num_hidden_layers": told["llama.block_count"].item(),
        "intermediate_size": told["llama.feed_forward_length"].item(),
        "num_attention_heads": told["llama.attention.head_count"].item(),
        "num_key_value_heads": told["llama.attention.head_count_kv"].item(),
        "rms_norm_eps": told["llama.attention.layer_norm_rms_epsilon"].item(),
        "rope_theta": told["llama.rope.freq_base"].item(),
        "rope_traditional": True,  # GGUF keeps the rows of q and k in that order
        "vocab_size": told["llama.vocab_size"].item(),
        "max_position_embeddings": told["llama.context_length"].item(),
        "tie_word_embeddings": "output.weight" not in weights,
        "eos_token_id": told["tokenizer.ggml.eos_token_id"].item(),
        "quantization": quantised,
    }


def tokenizer(told: dict, template: str) -> PreTrainedTokenizerFast:
    tokens = told["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in told["tokenizer.ggml.merges"]]
    made = Tokenizer(models.BPE({token: at for at, token in enumerate(tokens)}, merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    kinds = told["tokenizer.ggml.token_type"].tolist()
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == 3]
    made.add_special_tokens([AddedToken(token, special=True) for token in special])
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=tokens[told["tokenizer.ggml.eos_token_id"].item()],
        bos_token=tokens[told["tokenizer.ggml.bos_token_id"].item()],
        chat_template=template,
    )


def main(source: str, template: str, folder: str) -> None:
    loaded, told = mx.load(source, return_metadata=True)
    weights = {renamed(name): value for name, value in loaded.items()}
    to = Path(folder)
    to.mkdir(parents=True, exist_ok=True)
    tokenizer(told, Path(template).read_text()).save_pretrained(to)
    about = json.loads((to / "tokenizer_config.json").read_text())
    about["tool_parser_type"] = "json_tools"
    (to / "tokenizer_config.json").write_text(json.dumps(about))
    (to / "config.json").write_text(json.dumps(config(told, weights)))
    mx.save_safetensors(str(to / "model.safetensors"), weights, metadata={"format": "mlx"})


if __name__ == "__main__":
    main(*sys.argv[1:])
