/* The stage of one pair: the divider between two images, zoom and pan of all of them in step, and their maps. */

const ZOOMS = [1, 2, 4, 8];
const GRIP = 24;

class Viewer {
  constructor(card, facts) {
    this.card = card;
    this.facts = facts;
    this.stage = card.querySelector(".stage");
    this.slider = card.querySelector(".slider");
    this.panes = [...card.querySelectorAll(".pane")];
    this.roles = this.panes.map((pane) => pane.dataset.role);
    this.labels = this.panes.map((pane) => pane.dataset.label);
    this.zoom = 1;
    this.middle = { x: 0.5, y: 0.5 };
    this.wanted = "";
    this.listen();
    this.follow();
  }

  listen() {
    this.slider.addEventListener("input", () => this.follow());
    for (const button of this.card.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.zoomBy(Number(button.dataset.zoom)));
    }
    this.stage.addEventListener("pointerdown", (event) => this.grab(event));
    this.stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(end, () => this.release());
    }
    this.stage.addEventListener("dblclick", (event) => this.zoomAt(event, this.zoom > 1 ? 1 : 4));
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** Put the divider where the slider is. */
  follow() {
    this.stage.style.setProperty("--cut", `${this.slider.value}%`);
  }

  /** Show two of the images on one another, or all side by side. */
  compare(kind) {
    const [under, over] = kind.split("-");
    const left = this.roles.includes(under) ? under : this.roles[0];
    const right = this.roles.includes(over) && over !== left ? over : this.roles.find((role) => role !== left);
    this.panes.forEach((pane) => {
      pane.classList.toggle("under", pane.dataset.role === left);
      pane.classList.toggle("over", pane.dataset.role === right);
    });
    this.stage.classList.toggle("single", right === undefined);
    const label = (role) => this.labels[this.roles.indexOf(role)] ?? "nothing";
    this.slider.setAttribute("aria-label", `Divider between ${label(left)} and ${label(right)}`);
  }

  /** Show the images or one of their maps; nothing is computed twice. */
  async show(view, gain) {
    const wanted = `${view} ${gain}`;
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    const images = this.panes.map((pane) => pane.querySelector("img"));
    await Promise.all(images.map((image) => image.decode().catch(() => undefined)));
    if (wanted !== this.wanted) return;
    const truth = this.roles.indexOf("reference");
    images.forEach((image, index) => {
      const role = this.roles[index];
      const isMapped = view === "spectrum" || (view !== "image" && truth >= 0 && role !== "reference");
      this.cover(this.panes[index], image, isMapped ? this.map(view, image, images[truth], gain) : null);
      const label = this.labels[index];
      const words = isMapped ? `${label}: ${view}` : label;
      this.panes[index].querySelector("figcaption").textContent = words;
    });
    this.stage.dataset.view = view;
  }

  map(view, image, reference, gain) {
    if (view === "spectrum") return spectrumMap(pixelsOf(image), this.facts.decades);
    const [seen, truth] = [pixelsOf(image), pixelsOf(reference)];
    if (view === "difference") return differenceMap(seen, truth, gain);
    return errorMap(seen, truth, this.facts.colors);
  }

  cover(pane, image, map) {
    const view = pane.querySelector(".view");
    const canvas = view.querySelector("canvas") ?? view.appendChild(document.createElement("canvas"));
    canvas.hidden = map === null;
    image.classList.toggle("mapped", map !== null);
    if (map === null) return;
    canvas.width = map.width;
    canvas.height = map.height;
    canvas.getContext("2d").putImageData(map, 0, 0);
  }

  zoomBy(steps) {
    const place = ZOOMS.indexOf(this.zoom) + steps;
    this.zoomTo(steps === 0 ? 1 : ZOOMS[Math.max(0, Math.min(ZOOMS.length - 1, place))]);
  }

  /** Zoom so that the point under the pointer stays where it is. */
  zoomAt(event, zoom) {
    const point = this.pointOf(event);
    const shift = 1 / this.zoom - 1 / zoom;
    this.zoomTo(zoom, {
      x: this.middle.x + (point.x - 0.5) * shift,
      y: this.middle.y + (point.y - 0.5) * shift,
    });
  }

  zoomTo(zoom, middle = this.middle) {
    const margin = 0.5 / zoom;
    const inside = (place) => Math.max(margin, Math.min(1 - margin, place));
    this.zoom = zoom;
    this.middle = { x: inside(middle.x), y: inside(middle.y) };
    this.stage.classList.toggle("zoomed", zoom > 1);
    this.stage.style.setProperty("--zoom", zoom);
    this.stage.style.setProperty("--left", `${(0.5 - this.middle.x * zoom) * 100}%`);
    this.stage.style.setProperty("--top", `${(0.5 - this.middle.y * zoom) * 100}%`);
    this.card.querySelector(".zoom output").textContent = `${zoom}\u00d7`;
  }

  pan(x, y) {
    this.zoomTo(this.zoom, { x: this.middle.x + x / this.zoom, y: this.middle.y + y / this.zoom });
  }

  wheel(event) {
    if (!event.ctrlKey || event.deltaY === 0) return;
    event.preventDefault();
    const place = ZOOMS.indexOf(this.zoom) - Math.sign(event.deltaY);
    this.zoomAt(event, ZOOMS[Math.max(0, Math.min(ZOOMS.length - 1, place))]);
  }

  /** Where the pointer is in the pane under it, from 0 to 1. */
  pointOf(event) {
    const pane = event.target.closest(".pane") ?? this.stage;
    const box = pane.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height, box };
  }

  grab(event) {
    if (event.button !== 0) return;
    const { x, box } = this.pointOf(event);
    const isStacked = this.card.closest(".stacked") !== null;
    const isNear = Math.abs(x - this.slider.value / 100) * box.width < GRIP;
    if (!isStacked && this.zoom === 1) return;
    this.held = { slides: isStacked && (this.zoom === 1 || isNear), x: event.clientX, y: event.clientY, box };
    this.stage.setPointerCapture(event.pointerId);
    this.stage.classList.toggle("held", !this.held.slides);
    this.slider.focus({ preventScroll: true });
    event.preventDefault();
    this.drag(event);
  }

  drag(event) {
    if (!this.held) return;
    const { box } = this.held;
    if (this.held.slides) {
      this.slider.value = ((event.clientX - box.left) / box.width) * 100;
      this.follow();
      return;
    }
    this.pan((this.held.x - event.clientX) / box.width, (this.held.y - event.clientY) / box.height);
    this.held = { ...this.held, x: event.clientX, y: event.clientY };
  }

  release() {
    this.held = null;
    this.stage.classList.remove("held");
  }
}
