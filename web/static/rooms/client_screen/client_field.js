// The colours of the client's colour field, computed without drawing. They change too slowly to flash, and both ends are equally bright, so that neither looks better.

const FADE_S = 14; // from dark to full colour
const FOLLOW_S = 20; // time constant towards the level
const MOST_PER_S = 0.04; // largest change of the level per second
const DRIFT_S = 97; // period of a slow drift of the hue, so that nobody reads a figure from the colour
const LOWER_HUE = 285, HIGHER_HUE = 190, DRIFT_HUE = 10;
const INNER = { l: 0.40, c: 0.075 }, OUTER = { l: 0.24, c: 0.055 };

export class Field {
  constructor() {
    this.shown = 0; // 0 to 1
    this.level = 0;
    this.t = 0;
  }

  // `level` is null where nothing is to be shown. Returns the two colours, as RGB from 0 to 255, and the position of the lighter one.
  step(level, dtS) {
    const dt = Math.min(dtS, 1); // after the page was suspended the change stays slow
    this.t += dt;
    const fade = dt / FADE_S;
    this.shown = level === null ? Math.max(0, this.shown - fade) : Math.min(1, this.shown + fade);
    if (level !== null) {
      const towards = (level - this.level) * (1 - Math.exp(-dt / FOLLOW_S));
      this.level += Math.max(-MOST_PER_S * dt, Math.min(MOST_PER_S * dt, towards));
    }
    const wander = Math.sin((2 * Math.PI * this.t) / DRIFT_S);
    const hue = LOWER_HUE + ((HIGHER_HUE - LOWER_HUE) * (this.level + 1)) / 2 + DRIFT_HUE * wander;
    return {
      inner: colour({ ...INNER, h: hue }, this.shown),
      outer: colour({ ...OUTER, h: hue + 25 }, this.shown),
      x: 50 + 14 * Math.sin((2 * Math.PI * this.t) / 131),
      y: 48 + 10 * Math.cos((2 * Math.PI * this.t) / 173),
    };
  }
}

// OKLCH (Ottosson 2020) to sRGB, faded in linear light.
function colour({ l, c, h }, shown) {
  const [a, b] = [c * Math.cos((h * Math.PI) / 180), c * Math.sin((h * Math.PI) / 180)];
  const [L, M, S] = [l + 0.3963377774 * a + 0.2158037573 * b, l - 0.1055613458 * a - 0.0638541728 * b, l - 0.0894841775 * a - 1.291485548 * b].map((x) => x ** 3);
  const linear = [4.0767416621 * L - 3.3077115913 * M + 0.2309699292 * S, -1.2684380046 * L + 2.6097574011 * M - 0.3413193965 * S, -0.0041960863 * L - 0.7034186147 * M + 1.707614701 * S];
  return linear.map((x) => { const y = Math.max(0, x) * shown; return Math.round(255 * (y <= 0.0031308 ? 12.92 * y : 1.055 * y ** (1 / 2.4) - 0.055)); });
}
