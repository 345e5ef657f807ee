// The breathing pacer: breathe in for two fifths of a breath, out for three fifths, with a smooth turn in between.

const IN = 0.4;

export class Pacer {
  constructor() {
    this.phase = 0; // position in the breath, 0 to 1; begins with breathing in
    this.shown = 0;
  }

  // Returns the width of the circle (0 to 1), whether to breathe in now, and how far the circle has faded in (0 to 1).
  step(perMin, dtS) {
    const dt = Math.min(dtS, 1.5); // after the page was suspended the pacer continues where it was
    if (perMin === null) {
      this.shown = Math.max(0, this.shown - dt / 4);
      if (this.shown === 0) this.phase = 0;
    } else {
      this.shown = Math.min(1, this.shown + dt / 4);
    }
    this.perMin = perMin ?? this.perMin ?? 6;
    if (this.shown > 0) this.phase = (this.phase + (dt * this.perMin) / 60) % 1;
    const inwards = this.phase < IN;
    const part = inwards ? this.phase / IN : 1 - (this.phase - IN) / (1 - IN);
    return { wide: (1 - Math.cos(Math.PI * part)) / 2, inwards, shown: this.shown };
  }
}
