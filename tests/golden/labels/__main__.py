"""``python -m tests.golden.labels``: write the golden labels anew, after a change that is meant.

Look at the pictures before they are committed: they are what patients carry.
"""

from agent.drivers.encoder import LabelEncoder
from tests.golden.labels.cases import CASES, LABELS, PRINTERS, media_mm
from tests.labels.renderer import ZplRenderer


def main() -> None:
    """Bytes by our encoder, pictures by the independent renderer."""
    encoder = LabelEncoder()
    with ZplRenderer() as renderer:
        for case, label in CASES.items():
            for language in PRINTERS:
                (LABELS / f"{case}.{language}").write_bytes(encoder.encode(label, language))
            picture = renderer.render(encoder.encode(label), *media_mm(label))
            picture.convert("1").save(LABELS / f"{case}.png", optimize=True)
            print(case)


if __name__ == "__main__":
    main()
