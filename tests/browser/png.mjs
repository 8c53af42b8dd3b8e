// SPDX-License-Identifier: GPL-3.0-or-later
// Makes a screenshot small: at most 64 colours in a palette (PNG
// specification, third edition). What it reads is what Chromium writes: 8 bits, RGB or RGBA.
import zlib from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS = 64;

function chunksOf(png) {
  const chunks = [];
  for (let at = SIGNATURE.length; at < png.length;) {
    const size = png.readUInt32BE(at);
    chunks.push({ type: png.toString("latin1", at + 4, at + 8),
      body: png.subarray(at + 8, at + 8 + size) });
    at += 12 + size;
  }
  return chunks;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

const FILTERS = [() => 0, (left) => left, (left, up) => up, (left, up) => (left + up) >> 1, paeth];

// {width, height, step, rows}: lines of samples, step octets a pixel.
function decode(png) {
  const chunks = chunksOf(png);
  const head = chunks.find(({ type }) => type === "IHDR").body;
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const step = { 2: 3, 6: 4 }[head[9]];
  if (head[8] !== 8 || step === undefined || head[12] !== 0) {
    throw new Error("a PNG of another kind than Chromium's");
  }
  const data = zlib.inflateSync(Buffer.concat(chunks.filter(({ type }) => type === "IDAT")
    .map(({ body }) => body)));
  const rows = [];
  for (let y = 0; y < height; y++) {
    const start = y * (width * step + 1);
    const filter = FILTERS[data[start]];
    const row = data.subarray(start + 1, start + 1 + width * step);
    const above = rows[y - 1];
    for (let i = 0; i < row.length; i++) {
      const left = i >= step ? row[i - step] : 0;
      const corner = i >= step && above ? above[i - step] : 0;
      row[i] += filter(left, above ? above[i] : 0, corner);
    }
    rows.push(row);
  }
  return { width, height, step, rows };
}

const distance = (a, b) => ((a >> 16) - (b >> 16)) ** 2 +
  (((a >> 8) & 255) - ((b >> 8) & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2;

// Colours that look alike are one: of those, that which is seen most.
const kind = (pixel) => (pixel & 0xf80000) | (pixel & 0xf800) | (pixel & 0xf8);

// One after the other that which is seen most and is farthest from those that are chosen.
function choose(kinds) {
  const palette = [];
  let left = kinds.map((item) => ({ ...item, far: Infinity }));
  while (palette.length < COLOURS && left.length > 0) {
    const best = left.reduce((a, b) => (b.all * b.far > a.all * a.far ||
      (b.far === a.far && b.all > a.all) ? b : a));
    palette.push(best.colour);
    left = left.map((item) => ({ ...item, far: Math.min(item.far,
      distance(item.colour, best.colour)) })).filter(({ far }) => far > 0);
  }
  return palette;
}

// Few colours for all, and for every colour the number of the nearest of them.
function paletteOf(pixels) {
  const seen = new Map();
  const kinds = new Map();
  for (const pixel of pixels) {
    seen.set(pixel, (seen.get(pixel) ?? 0) + 1);
  }
  for (const [colour, times] of seen) {
    const best = kinds.get(kind(colour));
    const all = (best?.all ?? 0) + times;
    kinds.set(kind(colour), best && seen.get(best.colour) >= times
      ? { colour: best.colour, all } : { colour, all });
  }
  const palette = choose([...kinds.values()]);
  const nearest = new Map([...seen.keys()].map((colour) => {
    let best = 0;
    for (let i = 1; i < palette.length; i++) {
      best = distance(palette[i], colour) < distance(palette[best], colour) ? i : best;
    }
    return [colour, best];
  }));
  return { palette, nearest };
}

function chunk(type, body) {
  const named = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const whole = Buffer.alloc(body.length + 12);
  whole.writeUInt32BE(body.length);
  named.copy(whole, 4);
  whole.writeUInt32BE(crc32(named), whole.length - 4);
  return whole;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
  }
  return ~crc >>> 0;
}

export function shrink(png) {
  const { width, height, step, rows } = decode(png);
  const pixels = new Uint32Array(width * height);
  rows.forEach((row, y) => {
    for (let x = 0; x < width; x++) {
      pixels[y * width + x] = row.readUIntBE(x * step, 3);
    }
  });
  const { palette, nearest } = paletteOf(pixels);
  const lines = Buffer.alloc(height * (width + 1)); // filter 0 in each
  pixels.forEach((pixel, i) => {
    lines[i + Math.floor(i / width) + 1] = nearest.get(pixel);
  });
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.alloc(palette.length * 3);
  palette.forEach((colour, i) => colours.writeUIntBE(colour, i * 3, 3));
  return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("PLTE", colours),
    chunk("IDAT", zlib.deflateSync(lines, { level: 9, memLevel: 9 })),
    chunk("IEND", Buffer.alloc(0))]);
}
