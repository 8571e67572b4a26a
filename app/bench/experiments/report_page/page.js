(() => {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const embedded = document.getElementById("figures");
  const panels = embedded ? JSON.parse(embedded.textContent) : [];
  const chosen = panels.map(() => 0);
  const config = {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d"],
  };

  // Every chart comes in both themes; paper is always light.
  const draw = (index, theme) => {
    const { data, layout } = panels[index][chosen[index]][theme];
    return Plotly.react(`chart-${index}`, data, layout, config);
  };
  const drawAll = (theme) => Promise.all(panels.map((_, index) => draw(index, theme)));
  const onScreen = () => (dark.matches ? "dark" : "light");

  drawAll(onScreen());
  dark.addEventListener("change", () => drawAll(onScreen()));
  window.addEventListener("beforeprint", () => drawAll("light"));
  window.addEventListener("afterprint", () => drawAll(onScreen()));

  for (const select of document.querySelectorAll("[data-chooses]")) {
    const index = Number(select.dataset.chooses);
    select.addEventListener("change", () => {
      chosen[index] = Number(select.value);
      draw(index, onScreen());
    });
  }
  for (const button of document.querySelectorAll("[data-copies]")) {
    const source = document.getElementById(button.dataset.copies);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source); // a browser that refuses: ready for Ctrl+C
      }
    });
  }
})();
