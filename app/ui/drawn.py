"""The browser's last word on a drawn page: it scrolls to the new turn and says that it is there.

A job that began when the script had drawn, and not the browser, made its first tokens while they
could not be shown yet, and competed with the drawing for the same cores (measured: 60 to 80 ms).
"""

from __future__ import annotations

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.bench.jobs import Job
from app.ui.server import get_server

_PATH = "/_dyno/drawn"
_WAIT_SECONDS = 1.0
_MOUNT = "dyno_drawn"
# Drawn is when a frame was painted and nothing is left to do: a chart may still be on its way.
_JS = """
export default function ({ data }) {
  if (window.dynoDrawn === data.id) return;
  window.dynoDrawn = data.id;
  const visible = [...document.querySelectorAll(`[class*="${data.prefix}"]`)].find(
    (element) => element.offsetParent !== null,
  );
  visible?.scrollIntoView({ block: "start", behavior: "instant" });
  const tell = () =>
    fetch(new URL("." + data.path, document.baseURI), { method: "POST", body: data.id })
      .catch(() => {});
  if (document.hidden) return void tell(); // a tab that nobody sees gets no frames
  const whenIdle = window.requestIdleCallback ?? ((task) => setTimeout(task, 0));
  requestAnimationFrame(() => whenIdle(tell, { timeout: 600 }));
}
"""


def begin_when_drawn(job: Job) -> None:
    """Scroll to the job's turn and begin the job once the browser shows it, or soon after.

    A browser that is slow, far away or gone keeps the job waiting for a second at most.
    """
    mount = st.components.v2.component(_MOUNT, html="<span></span>", js=_JS)
    mount(
        data={"id": job.id, "prefix": f"turn-{job.turn}-prompt", "path": _PATH},
        key="drawn",
        height=1,
    )
    job.wait_begun(_WAIT_SECONDS)
    job.begin()


async def _drawn(request: Request) -> Response:
    """Begins a job that waits for its page; its id, which only its page knows, is the body."""
    get_server().jobs.begin((await request.body())[:64].decode(errors="replace"))
    return Response(status_code=204)


def drawn_route() -> Route:
    return Route(_PATH, _drawn, methods=["POST"])
