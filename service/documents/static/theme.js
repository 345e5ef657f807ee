// Sets the theme before the first paint, so that a bright page never flashes in an extra-dim room.
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
  matchMedia("print").addEventListener("change", () => dispatchEvent(new Event("themechange"))); // print has colours of its own
  addEventListener("storage", (event) => { if (event.key === KEY) apply(event.newValue); });
  addEventListener("DOMContentLoaded", () => {
    apply(stored());
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.addEventListener("click", (event) => {
        const theme = root.dataset.theme === "dim" ? "dark" : "dim";
        try { localStorage.setItem(KEY, theme); } catch { /* private window: the choice lasts for this page */ }
        apply(theme);
        if (event.detail) button.blur(); // after a click the space bar begins the next phase again
      });
    }
  });
})();
