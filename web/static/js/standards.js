/* Keeps the slider and the number of a rating the same. Without this script the number alone is there. */
"use strict";

(function () {
  const number = document.getElementById("rating");
  const slider = document.getElementById("slider");
  if (!number || !slider) return;
  slider.hidden = false;
  slider.addEventListener("input", function () {
    number.value = slider.value;
  });
  slider.addEventListener("change", function () {
    number.value = slider.value;
    number.dispatchEvent(new Event("change", { bubbles: true }));
  });
  number.addEventListener("input", function () {
    if (number.value !== "") slider.value = number.value;
  });
})();
