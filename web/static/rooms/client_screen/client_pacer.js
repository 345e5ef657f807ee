// The pace of breathing: in for two fifths of a breath, out for three, without a corner in between.

const IN = 0.4;

export class Pacer {
  constructor() {
    this.phase = 0; // of one breath, 0 to 1; begins with breathing in
    this.shown = 0;
  }

  // Gives how wide the circle is (0 to 1), whether it is the time to breathe in, and how far it has come out of the dark.
  step(perMin, dtS) {
    const dt = Math.min(dtS, 1.5); // a page that slept goes on where it was
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
