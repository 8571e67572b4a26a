(() => {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const data = document.getElementById("figures");
  const figures = data ? JSON.parse(data.textContent) : [];
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };

  // Every chart comes in both themes; paper is always light.
  const draw = (theme) =>
    Promise.all(
      figures.map((figure, index) => {
        const { data, layout } = figure[theme];
        return Plotly.react(`chart-${index}`, data, layout, config);
      }),
    );
  const drawForScreen = () => draw(dark.matches ? "dark" : "light");

  // In the one file of a test or a slow machine, the page says when all is drawn.
  drawForScreen().then(() => (document.documentElement.dataset.drawn = figures.length));
  dark.addEventListener("change", drawForScreen);
  window.addEventListener("beforeprint", () => draw("light"));
  window.addEventListener("afterprint", drawForScreen);

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
