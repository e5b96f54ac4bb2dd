/* The page: the theme, the choices of the gallery (filter, order, view) and the keys. */

const root = document.documentElement;
root.classList.add("live");

const theme = document.getElementById("theme");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches;
}

function nameTheme() {
  theme.textContent = isDark() ? "Light" : "Dark";
  theme.setAttribute("aria-label", `Change to ${isDark() ? "light" : "dark"} colors`);
}

function toggleTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
}

theme.addEventListener("click", toggleTheme);
prefersDark.addEventListener("change", nameTheme);
nameTheme();

class Gallery {
  constructor(facts) {
    this.facts = facts;
    this.root = document.querySelector(".gallery");
    this.cards = [...this.root.querySelectorAll(".card")];
    this.viewers = new Map();
    this.view = "image";
    for (const card of this.cards) {
      if (card.querySelector(".stage")) this.viewers.set(card, new Viewer(card, facts));
    }
    this.near = new Set();
    this.watcher = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "300px" });
    this.viewers.forEach((_, card) => this.watcher.observe(card));
    for (const name of ["category", "order", "metric", "compare", "gain"]) {
      this[name] = document.getElementById(name);
      this[name]?.addEventListener("change", () => this.update());
    }
    this.buttons = [...document.querySelectorAll("[data-view-button]")];
    for (const button of this.buttons) {
      button.addEventListener("click", () => this.choose(button.dataset.viewButton));
    }
    this.outline = document.getElementById("outline");
    this.outline?.addEventListener("change", () => this.update());
    this.unfolder = document.getElementById("unfold");
    this.unfolder?.addEventListener("click", () => this.unfold());
    this.update();
  }

  /** Show all pairs, not only the first ones in the order chosen. */
  unfold() {
    this.root.classList.remove("folded");
    this.unfolder?.remove();
    this.unfolder = null;
  }

  /** Show or hide the outlines of the defects. */
  toggleOutline() {
    if (!this.outline) return;
    this.outline.checked = !this.outline.checked;
    this.update();
  }

  choose(view) {
    this.view = view;
    this.update();
  }

  /** Bring the page in line with every choice. */
  update() {
    this.buttons.forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.viewButton === this.view));
    });
    this.arrange();
    const compare = this.compare.value;
    this.root.dataset.compare = compare;
    this.root.classList.toggle("stacked", compare !== "beside");
    this.root.classList.toggle("beside", compare === "beside");
    this.viewers.forEach((viewer) => viewer.compare(compare));
    this.root.classList.toggle("bare", this.outline?.checked === false);
    this.gain.closest("label").hidden = this.view !== "difference";
    this.near.forEach((card) => this.draw(card));
  }

  /** Filter by category, then sort; equal scores keep the order of the file. */
  arrange() {
    const wanted = this.category?.value ?? "all";
    const scored = this.cards.map((card) => ({ card, key: this.keyOf(card) }));
    scored.sort((one, other) => one.key - other.key);
    const hadFocus = document.activeElement;
    let shown = 0;
    for (const { card } of scored) {
      const isShown = wanted === "all" || this.factsOf(card).category === Number(wanted);
      card.hidden = !isShown;
      card.classList.toggle("later", shown >= this.facts.open);
      shown += Number(isShown);
    }
    const order = scored.map(({ card }) => card);
    if (order.some((card, place) => this.root.children[place] !== card)) {
      this.root.append(...order);
      hadFocus?.focus({ preventScroll: true });
    }
    document.getElementById("status").textContent = `${shown} of ${this.cards.length} pairs`;
  }

  factsOf(card) {
    return this.facts.cards[Number(card.dataset.index)];
  }

  /** What a card is sorted by, the lowest first; a pair without the number comes last. */
  keyOf(card) {
    const metric = this.facts.metrics[Number(this.metric?.value ?? 0)];
    const { final, gain } = this.factsOf(card);
    const sign = metric.higher_is_better === false ? -1 : 1;
    const [score, change] = [final[metric.name], gain[metric.name]].map((text) => this.number(text));
    const keys = {
      name: Number(card.dataset.index),
      worst: sign * score,
      best: -sign * score,
      change: -Math.abs(change),
      gain: -sign * change,
      loss: sign * change,
    };
    const key = keys[this.order.value];
    return Number.isNaN(key) ? Infinity : key;
  }

  number(value) {
    if (value === "inf") return Number.MAX_VALUE;
    return typeof value === "number" ? value : NaN;
  }

  seen(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.near.add(target);
      else this.near.delete(target);
      if (isIntersecting) this.draw(target);
    }
  }

  draw(card) {
    this.viewers.get(card).show(this.view, Number(this.gain.value));
  }

  /** The pair that has the focus, else the first one that is shown. */
  current() {
    const card = document.activeElement?.closest(".card");
    return card && this.viewers.has(card) ? card : null;
  }

  /** Move the focus to another pair. */
  step(by) {
    const shown = [...this.root.children].filter((card) => !card.hidden && this.viewers.has(card));
    const from = shown.indexOf(this.current());
    const card = shown[from < 0 ? (by > 0 ? 0 : shown.length - 1) : from + by];
    if (!card) return;
    if (card.classList.contains("later")) this.unfold();
    this.viewers.get(card).slider.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }

  /** The next choice of "Compare". */
  turn() {
    this.compare.selectedIndex = (this.compare.selectedIndex + 1) % this.compare.options.length;
    this.update();
  }

  key(event) {
    const views = ["image", "difference", "error", "spectrum"];
    const viewer = this.viewers.get(this.current());
    const moves = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
    const actions = {
      n: () => this.step(1),
      p: () => this.step(-1),
      c: () => this.turn(),
      o: () => this.toggleOutline(),
      "+": () => viewer?.zoomBy(1),
      "-": () => viewer?.zoomBy(-1),
      0: () => viewer?.zoomBy(0),
    };
    views.forEach((view, place) => { actions[place + 1] = () => this.choose(view); });
    if (event.shiftKey && event.key in moves && viewer) return () => viewer.pan(...moves[event.key]);
    return actions[event.key];
  }
}

const facts = JSON.parse(document.getElementById("facts").textContent);
const gallery = facts.cards.length ? new Gallery(facts) : null;

function toggleKeys() {
  const keys = document.getElementById("keys");
  if (!keys) return;
  keys.open = !keys.open;
  keys.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("select, input:not([type=range]), textarea");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const general = { t: toggleTheme, "?": toggleKeys };
  const action = general[event.key] ?? gallery?.key(event);
  if (!action) return;
  event.preventDefault();
  action();
});
