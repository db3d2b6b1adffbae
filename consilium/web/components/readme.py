"""Rewrites the table of README.md from the registry: `python -m consilium.web.components.readme`."""

from pathlib import Path

from consilium.web.components.registry import ROWS, Component

README = Path(__file__).with_name("README.md")
START, END = "<!-- table: generated from registry.py -->", "<!-- end of table -->"


def row(component: Component) -> str:
    """One line of the table: how to write the tag, and what it is for."""
    optional = ", ".join(
        f"{name}={default!r}" if default not in ("", None, False) else name
        for name, default in component.optional.items()
    )
    end = f" … `{{% end{component.name} %}}`" if component.body else ""
    required = " ".join(component.required)
    call = f"`{{% {component.name}{' ' + required if required else ''} %}}`{end}"
    return f"| {call} | {optional} | {component.purpose.replace('|', ', ')} |"


def table() -> str:
    """The whole table in Markdown."""
    head = ["| tag (required values in order) | optional, by name | for |", "|---|---|---|"]
    return "\n".join([*head, *(row(component) for component in ROWS)])


def rewritten(text: str) -> str:
    """The README with its table renewed."""
    before, rest = text.split(START, 1)
    return f"{before}{START}\n{table()}\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text("utf-8")), "utf-8")
