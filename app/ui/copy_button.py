"""A button that puts text on the clipboard, in the browser, without a run of the script."""

from __future__ import annotations

import streamlit as st

_HTML = """<button type="button" class="copy"><span aria-hidden="true"></span></button>"""
_CSS = """
.copy { all: unset; cursor: pointer; padding: .25rem .35rem; border-radius: .35rem;
  font-size: .8rem; color: var(--st-text-color); opacity: .75; white-space: nowrap; }
.copy:hover { opacity: 1; background: var(--st-secondary-background-color); }
.copy:focus-visible { outline: 2px solid var(--st-primary-color); }
"""
_JS = """
export default function ({ parentElement, data }) {
  const button = parentElement.querySelector(".copy");
  const label = button.querySelector("span");
  button.title = data.help;
  button.setAttribute("aria-label", data.help);
  label.textContent = "Copy";
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(data.text);
    } catch {
      const area = document.createElement("textarea");
      area.value = data.text;
      document.body.appendChild(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = "Copy"; }, 1500);
  };
}
"""


def copy_button(text: str, *, key: str, help: str) -> None:
    """Copy `text` as it is. `help` is the tooltip and the accessible name."""
    mount = st.components.v2.component("dyno_copy", html=_HTML, css=_CSS, js=_JS)
    mount(data={"text": text, "help": help}, key=key, width="content", height="content")
