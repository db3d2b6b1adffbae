"""Makes the README's pictures out of the last tour's screenshots: cropped, small, in docs/images/.

.venv/bin/python -m e2e.tour.pictures
"""

from pathlib import Path

from PIL import Image

from e2e.tour.installation import ROOT

SHOTS, IMAGES = ROOT / "build" / "tour" / "screenshots", ROOT / "docs" / "images"
PAPER = "#e8e2d6"
MAX_BYTES = 150_000
# picture: screenshots side by side, each with its height in pixels
PICTURES: dict[str, list[tuple[str, int]]] = {
    "front-page": [("visitor-landing-desktop", 980)],
    "tracker": [("anna-tracker-delivered-desktop", 900)],
    "blind-reading": [("chen-blind-images-desktop", 1060)],
    "finding": [("chen-finding-image-desktop", 1060)],
    "phone": [
        (f"{name}-phone", 1100) for name in ("anna-records", "anna-tracker-delivered", "anna-report", "weiss-report")
    ],
    "verify": [("anyone-verify-code-desktop", 760)],
}


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, parts in PICTURES.items():
        save(side_by_side([cropped(SHOTS / f"{shot}.png", height) for shot, height in parts]), IMAGES / f"{name}.png")


def cropped(path: Path, height: int) -> Image.Image:
    found = Image.open(path).convert("RGB")
    return found.crop((0, 0, found.width, min(height, found.height)))


def side_by_side(parts: list[Image.Image], gap: int = 24) -> Image.Image:
    if len(parts) == 1:
        return parts[0]
    width = sum(part.width for part in parts) + gap * (len(parts) + 1)
    sheet = Image.new("RGB", (width, max(part.height for part in parts) + 2 * gap), PAPER)
    left = gap
    for part in parts:
        sheet.paste(part, (left, gap))
        left += part.width + gap
    return sheet


def save(picture: Image.Image, path: Path) -> None:
    """The widest and most colourful version that stays small enough."""
    for width, colours in ((1200, 128), (1100, 96), (1000, 64), (900, 48), (800, 32)):
        size = (min(width, picture.width), round(picture.height * min(width, picture.width) / picture.width))
        small = picture.resize(size, Image.Resampling.LANCZOS).quantize(colours, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
        if path.stat().st_size <= MAX_BYTES:
            return


if __name__ == "__main__":
    main()
