/* Shows times of the server in the reader's own time zone. Without this script they are UTC. */
"use strict";

(function () {
  const page = document.documentElement.lang || "en";
  /* For a language that it does not know a browser takes its own: no words then, 03.05.2026. */
  const known = Intl.DateTimeFormat.supportedLocalesOf(page).length > 0;
  const language = page === "en" ? "en-GB" : known ? page : "ru";
  const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium", hourCycle: "h23" });
  const moment = new Intl.DateTimeFormat(language, {
    day: known ? "numeric" : "2-digit",
    month: known ? "short" : "2-digit",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });

  function localise(root) {
    for (const element of root.querySelectorAll("time[data-show]")) {
      const at = new Date(element.dateTime);
      element.textContent = (element.dataset.show === "clock" ? clock : moment).format(at);
    }
  }

  document.addEventListener("htmx:afterSwap", (event) => localise(event.target));
  localise(document);
})();
