"""The report as one HTML file that fetches nothing."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from experiments.report.content import Report

HERE = Path(__file__).parent


def render_html(report: Report) -> dict[str, str]:
    """The page, by its file name."""
    return {"report.html": render_page("report.html.jinja", report=report)}


def render_page(template: str, **content: Any) -> str:
    """A page in the style of the report.

    Every value is escaped by the template; only our own drawings, style and script go in as they are. A
    policy in the page forbids everything but them, so that nothing a record smuggled in could run or call
    out.

    Args:
        template: A file of this folder.
        content: What it shows, by the names that it uses.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawing"] = lambda picture: Markup(picture.svg)
    script = (HERE / "report.js").read_text()
    return environment.get_template(template).render(
        **content,
        style=Markup((HERE / "report.css").read_text()),
        script=Markup(script),
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )
