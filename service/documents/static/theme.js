// Runs before the first paint, so that an extra-dim room is never flashed at.
(() => {
  const KEY = "restbeat-theme";
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const apply = (theme) => {
    root.dataset.theme = theme === "dim" ? "dim" : "dark";
    for (const button of document.querySelectorAll("[data-theme-switch]")) button.setAttribute("aria-pressed", String(theme === "dim"));
    dispatchEvent(new Event("themechange"));
  };
  apply(stored());
  matchMedia("print").addEventListener("change", () => dispatchEvent(new Event("themechange"))); // paper has colours of its own
  addEventListener("storage", (event) => { if (event.key === KEY) apply(event.newValue); });
  addEventListener("DOMContentLoaded", () => {
    apply(stored());
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.addEventListener("click", (event) => {
        const theme = root.dataset.theme === "dim" ? "dark" : "dim";
        try { localStorage.setItem(KEY, theme); } catch { /* private window: the choice lasts for this page */ }
        apply(theme);
        if (event.detail) button.blur(); // by pointer: the space bar belongs to the phases again
      });
    }
  });
})();
