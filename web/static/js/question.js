/* Questions: lines that are moved by buttons, and areas of a picture that show what is chosen.
   Everything works without it, by lists of places and by the boxes beside the picture. */
"use strict";

(function () {
  document.documentElement.classList.add("scripted");

  function say(text) {
    const place = document.getElementById("announcements");
    if (place) place.textContent = text;
  }

  /* --- lines in an order ------------------------------------------------------------------------ */

  function lines(list) {
    return Array.from(list.querySelectorAll(".order-line"));
  }

  function place(line) {
    return line.querySelector("select");
  }

  /* Lines stand as their places say, when every one has a place. */
  function sort(list) {
    const all = lines(list);
    const places = all.map((line) => Number(place(line).value));
    if (new Set(places).size === all.length && !places.includes(0)) {
      all.sort((a, b) => place(a).value - place(b).value).forEach((line) => list.append(line));
    }
    markEnds(list);
  }

  function markEnds(list) {
    const all = lines(list);
    all.forEach((line, index) => {
      const [up, down] = line.querySelectorAll(".move");
      up.setAttribute("aria-disabled", String(index === 0));
      down.setAttribute("aria-disabled", String(index === all.length - 1));
    });
  }

  function move(button) {
    const line = button.closest(".order-line");
    const list = line.parentElement;
    const all = lines(list);
    const other = all[all.indexOf(line) + Number(button.dataset.move)];
    if (!other || line.closest("fieldset").disabled) return;
    if (button.dataset.move === "1") other.after(line);
    else other.before(line);
    for (const one of all) one.classList.toggle("moved", one === line);
    const after = lines(list);
    after.forEach((one, index) => (place(one).value = String(index + 1)));
    markEnds(list);
    button.focus({ preventScroll: false });
    place(line).dispatchEvent(new Event("change", { bubbles: true }));
    announce(line, after.indexOf(line) + 1, after.length);
  }

  function announce(line, n, all) {
    const said = line.closest("fieldset").dataset.moved;
    const text = line.querySelector(".order-text").textContent.trim();
    say(said.replace("{line}", text).replace("{n}", n).replace("{all}", all));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".move");
    if (button) move(button);
  });

  /* --- areas of a picture ------------------------------------------------------------------------ */

  function showAreas(root) {
    for (const area of root.querySelectorAll(".area")) {
      const box = document.getElementById(area.dataset.for);
      area.classList.toggle("chosen", Boolean(box) && box.checked);
    }
  }

  document.addEventListener("change", (event) => {
    const areas = event.target.closest(".hotspot");
    if (areas) showAreas(areas);
  });

  /* Called when a question has come, and when a draft has been put back. */
  function ready() {
    document.querySelectorAll(".order-lines").forEach(sort);
    showAreas(document);
  }

  document.addEventListener("question:ready", ready);
  ready();
})();
