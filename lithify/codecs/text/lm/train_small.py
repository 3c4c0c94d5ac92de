"""Trains a small Llama-style model on text packs and saves it as Hugging Face folders are: to try the codec with.

python -m lithify.codecs.text.lm.train_small PACKS OUT [--minutes M]

PACKS is a folder of `*.tar.xz`. Needs the extra `native`.
"""

import argparse
import random
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

BEGIN = "<|begin|>"
SHARES = {"books_en": 0.45, "docs2": 0.22, "code": 0.2, "json": 0.06, "markup": 0.07}
"""How much of what is read comes from each pack; of packs that are not named here, nothing."""


@dataclass(frozen=True)
class Size:
    """A model's dimensions, and how it is taught."""

    vocabulary: int = 2048
    width: int = 192
    layers: int = 4
    heads: int = 6
    key_heads: int = 2
    inner: int = 512
    context: int = 256
    batch: int = 16
    megabytes: int = 40
    """Of text, read once at random places."""
    rate: float = 4e-3


def read_texts(packs: Path, megabytes: int, seed: int = 1) -> list[bytes]:
    """Members of the packs, as many of each as its share says."""
    chance, found = random.Random(seed), []  # noqa: S311 - the same choice each time
    for pack, share in SHARES.items():
        path = packs / f"{pack}.tar.xz"
        if path.is_file():
            texts = list(_members(path, int(share * megabytes * 1_000_000)))
            chance.shuffle(texts)
            found += texts
    return found


def _members(path: Path, most: int) -> Iterator[bytes]:
    """The members of one pack, until there are so many bytes."""
    with tarfile.open(path) as pack:
        for member in pack:
            file = pack.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            data = file.read(most)
            yield data
            most -= len(data)
            if most <= 0:
                return


def make_tokenizer(texts: list[bytes], vocabulary: int) -> Tokenizer:
    """Byte-level BPE: every byte has a token, so that any text can be told."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, special_tokens=[BEGIN])
    tokenizer.train_from_iterator((text.decode("utf-8", "replace") for text in texts), trainer)
    return tokenizer


def make_model(size: Size, begin: int) -> LlamaForCausalLM:
    """An untaught model."""
    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        intermediate_size=size.inner,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.key_heads,
        max_position_embeddings=size.context,
        tie_word_embeddings=True,
        bos_token_id=begin,
        eos_token_id=begin,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    )
    return LlamaForCausalLM(config)


def teach(model: LlamaForCausalLM, tokens: Any, begin: int, size: Size, minutes: float) -> None:
    """Minimise what the tokens cost, for so many minutes: the rate rises, stays, and falls in the last third."""
    decayed = [one for one in model.parameters() if one.dim() > 1]
    others = [one for one in model.parameters() if one.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=size.rate, betas=(0.9, 0.95))
    chance = np.random.default_rng(1)
    started, step, shown = time.monotonic(), 0, 0.0
    while (done := (time.monotonic() - started) / (60 * minutes)) < 1:
        rate = size.rate * min(1.0, (step + 1) / 100) * min(1.0, 0.02 + (1 - done) / 0.35)
        for group in optimiser.param_groups:
            group["lr"] = rate
        starts = chance.integers(0, len(tokens) - size.context, size.batch)
        rows = np.stack([tokens[at : at + size.context] for at in starts]).astype(np.int64)
        rows[:, 0] = begin
        batch = torch.from_numpy(rows)
        loss = model(input_ids=batch, labels=batch).loss
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        shown = 0.98 * shown + 0.02 * loss.item() if shown else loss.item()
        if step % 50 == 0:
            print(f"step {step}, {done:.0%}: {shown / np.log(2):.3f} bits a token", flush=True)


def main() -> None:
    """Read, make a vocabulary, teach, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=1)
    for name, kind in Size.__annotations__.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=getattr(Size, name))
    asked = vars(parser.parse_args())
    size = Size(**{name: asked[name] for name in Size.__annotations__})
    torch.set_num_threads(asked["threads"])
    torch.manual_seed(1)
    texts = read_texts(asked["packs"], size.megabytes)
    tokenizer = make_tokenizer(texts[:: max(1, len(texts) // 2000)], size.vocabulary)
    begin = tokenizer.token_to_id(BEGIN) or 0
    tokens = tokenized(tokenizer, texts, begin)
    print(f"{len(tokens)} tokens of {sum(map(len, texts))} bytes", flush=True)
    model = make_model(size, begin)
    print(f"{model.num_parameters()} weights", flush=True)
    teach(model, tokens, begin, size, asked["minutes"])
    model.save_pretrained(asked["out"])
    tokenizer.save(str(asked["out"] / "tokenizer.json"))


def tokenized(tokenizer: Tokenizer, texts: list[bytes], begin: int) -> Any:
    """All texts, one behind another, each behind the token that begins one; in random order, all packs mixed."""
    random.Random(2).shuffle(texts)  # noqa: S311 - the same order each time
    found = []
    for text in texts:
        found.append(begin)
        for at in range(0, len(text), 1 << 18):
            found += tokenizer.encode(text[at : at + (1 << 18)].decode("utf-8", "replace")).ids
    return np.array(found, np.uint16)


if __name__ == "__main__":
    main()
