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

  // Every chart comes in both themes. Paper is light, and narrower than most windows: nothing tells
  // how wide it is, but this fits on A4 and Letter.
  const paper = { theme: "light", size: { autosize: false, width: 680 } };
  const screen = () => ({ theme: dark.matches ? "dark" : "light", size: { autosize: true } });
  const draw = (index, { theme, size }) => {
    const { data, layout } = panels[index][chosen[index]][theme];
    Plotly.react(`chart-${index}`, data, { ...layout, ...size }, config);
  };
  const drawAll = (look) => panels.forEach((_, index) => draw(index, look));

  drawAll(screen());
  dark.addEventListener("change", () => drawAll(screen()));
  window.addEventListener("beforeprint", () => drawAll(paper));
  window.addEventListener("afterprint", () => drawAll(screen()));

  for (const select of document.querySelectorAll("[data-chooses]")) {
    const index = Number(select.dataset.chooses);
    select.addEventListener("change", () => {
      chosen[index] = Number(select.value);
      draw(index, screen());
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
