/* Maps: from the pixels of the embedded images, which are lossless, to what a score cannot show.
   The formulas are those of restorecli/report/maps.py; a test holds the two together. */

/** The pixels of a loaded image, as the browser decodes them: {width, height, data: RGBA}. */
function pixelsOf(image) {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Mid-gray where equal, brighter where too bright, darker where too dark. */
function differenceMap(image, reference, gain) {
  const map = new ImageData(image.width, image.height);
  for (let place = 0; place < map.data.length; place += 1) {
    const shown = 127.5 + gain * (image.data[place] - reference.data[place]);
    map.data[place] = place % 4 === 3 ? 255 : Math.floor(shown + 0.5);
  }
  return map;
}

/** The absolute error, summed over red, green and blue (0 to 765), in the color that the page gives for it. */
function errorMap(image, reference, colors) {
  const map = new ImageData(image.width, image.height);
  for (let place = 0; place < map.data.length; place += 4) {
    let error = 0;
    for (let channel = 0; channel < 3; channel += 1) {
      error += Math.abs(image.data[place + channel] - reference.data[place + channel]);
    }
    map.data.set(colors[Math.min(error, colors.length - 1)], place);
    map.data[place + 3] = 255;
  }
  return map;
}

/** Log magnitude of the windowed Fourier transform of the middle, its sides cut to powers of two. */
function spectrumMap(image, decades) {
  const width = powerBelow(image.width);
  const height = powerBelow(image.height);
  const real = windowedLuma(image, width, height);
  const imaginary = new Float64Array(width * height);
  for (let row = 0; row < height; row += 1) transform(real, imaginary, width, row * width, 1);
  for (let column = 0; column < width; column += 1) transform(real, imaginary, height, column, width);
  const weight = (Math.max(1, width / 2)) * (Math.max(1, height / 2));
  const map = new ImageData(width, height);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const from = ((row + height / 2) % height) * width + ((column + width / 2) % width);
      const amplitude = Math.hypot(real[from], imaginary[from]) / weight;
      const level = 255 * (1 + Math.log10(amplitude) / decades);
      const to = 4 * (row * width + column);
      map.data[to] = map.data[to + 1] = map.data[to + 2] = level;
      map.data[to + 3] = 255;
    }
  }
  return map;
}

function powerBelow(length) {
  return Math.min(512, 2 ** Math.floor(Math.log2(length)));
}

function windowedLuma(image, width, height) {
  const plane = new Float64Array(width * height);
  const left = Math.floor((image.width - width) / 2);
  const top = Math.floor((image.height - height) / 2);
  let sum = 0;
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const from = 4 * ((top + row) * image.width + left + column);
      const [red, green, blue] = image.data.subarray(from, from + 3);
      const value = (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
      plane[row * width + column] = value;
      sum += value;
    }
  }
  const across = hann(width);
  const down = hann(height);
  return plane.map((value, place) => {
    const row = Math.floor(place / width);
    return (value - sum / plane.length) * across[place % width] * down[row];
  });
}

function hann(length) {
  return Float64Array.from({ length }, (_, place) =>
    length < 2 ? 1 : 0.5 - 0.5 * Math.cos((2 * Math.PI * place) / length));
}

/** The fast Fourier transform in place of `length` numbers (a power of two) that stand `step` apart. */
function transform(real, imaginary, length, start, step) {
  for (let place = 1, mirrored = 0; place < length; place += 1) {
    let bit = length >> 1;
    for (; mirrored & bit; bit >>= 1) mirrored ^= bit;
    mirrored ^= bit;
    if (place < mirrored) swap(real, imaginary, start + place * step, start + mirrored * step);
  }
  for (let size = 2; size <= length; size *= 2) {
    for (let turn = 0; turn < size / 2; turn += 1) {
      const angle = (-2 * Math.PI * turn) / size;
      const cosine = Math.cos(angle);
      const sine = Math.sin(angle);
      for (let block = turn; block < length; block += size) {
        const upper = start + block * step;
        const lower = upper + (size / 2) * step;
        const turnedReal = real[lower] * cosine - imaginary[lower] * sine;
        const turnedImaginary = real[lower] * sine + imaginary[lower] * cosine;
        real[lower] = real[upper] - turnedReal;
        imaginary[lower] = imaginary[upper] - turnedImaginary;
        real[upper] += turnedReal;
        imaginary[upper] += turnedImaginary;
      }
    }
  }
}

function swap(real, imaginary, one, other) {
  [real[one], real[other]] = [real[other], real[one]];
  [imaginary[one], imaginary[other]] = [imaginary[other], imaginary[one]];
}
