// Light or dark, before anything is painted. Without a choice the system's holds.
(() => {
  const KEY = "tether.theme";
  const CHOICES = ["auto", "light", "dark"];

  const stored = () => {
    try {
      const choice = localStorage.getItem(KEY);
      return CHOICES.includes(choice) ? choice : "auto";
    } catch {
      return "auto"; // A browser may keep nothing.
    }
  };

  /** What a phone has no room for, and a reader of the screen says. */
  const label = (text) => {
    const element = document.createElement("span");
    element.className = "long";
    element.textContent = text;
    return element;
  };

  let choice = stored();

  const apply = () => {
    if (choice === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    const button = document.getElementById("theme");
    if (!button) return;
    button.replaceChildren(label("Theme: "), choice);
    button.title = "Light, dark, or as the system has it";
  };

  apply();
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.getElementById("theme").addEventListener("click", () => {
      choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
      try {
        localStorage.setItem(KEY, choice);
      } catch {
        // It holds until the page is left.
      }
      apply();
    });
  });
})();
