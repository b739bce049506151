/* Shows times of the server in the reader's own time zone. Without this script they are UTC. */
"use strict";

(function () {
  const page = document.documentElement.lang;
  const language = page === "en" ? "en-GB" : page || undefined;
  const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium", hourCycle: "h23" });
  const moment = new Intl.DateTimeFormat(language, {
    day: "numeric",
    month: "short",
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
