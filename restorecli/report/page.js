document.documentElement.classList.add("live");
for (const card of document.querySelectorAll(".card")) {
  const compare = card.querySelector(".compare");
  const slider = card.querySelector("input");
  const button = card.querySelector(".switch");
  if (slider) {
    const follow = () => compare.style.setProperty("--cut", slider.value + "%");
    slider.addEventListener("input", follow);
    follow();
  }
  if (button) {
    button.addEventListener("click", () => {
      const shown = compare.classList.toggle("shows-truth");
      button.setAttribute("aria-pressed", String(shown));
    });
  }
}
