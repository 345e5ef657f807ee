// Soft sounds by WebAudio: a tone that follows the response, and a sound of waves that follows the pacer. Silent until a button is pressed.

const TONE = { hz: 147, gain: 0.05, glideS: 8, fadeS: 3, span: 4 / 12 }; // span: octaves from the baseline to either end
const WAVE = { gain: 0.035, lowHz: 220, highHz: 620, easeS: 0.25 };
const NOISE_S = 6;

export class Sound {
  constructor() {
    this.context = null;
    this.wanted = new Map();
  }

  get running() { return this.context?.state === "running"; }

  // Must be called from a press: before one, browsers allow no sound.
  async begin() {
    this.context ??= this.build(new AudioContext());
    if (this.context.state !== "running") await this.context.resume().catch(() => {});
    return this.running;
  }

  build(context) {
    const out = new DynamicsCompressorNode(context, { threshold: -30, ratio: 6 });
    out.connect(context.destination);
    this.toneGain = new GainNode(context, { gain: 0 });
    const soft = new BiquadFilterNode(context, { type: "lowpass", frequency: 700, Q: 0.3 });
    this.voices = [[1, 1], [1.003, 0.8], [1.5, 0.4]].map(([ratio, loud]) => {
      const voice = new OscillatorNode(context, { type: "sine", frequency: TONE.hz * ratio });
      voice.connect(new GainNode(context, { gain: loud })).connect(soft);
      voice.start();
      return { ratio, frequency: voice.frequency };
    });
    soft.connect(this.toneGain).connect(out);
    this.waveGain = new GainNode(context, { gain: 0 });
    this.waveFilter = new BiquadFilterNode(context, { type: "lowpass", frequency: WAVE.lowHz, Q: 0.2 });
    const sea = new AudioBufferSourceNode(context, { buffer: noise(context), loop: true });
    sea.connect(this.waveFilter).connect(this.waveGain).connect(out);
    sea.start();
    return context;
  }

  // `level` null: no tone. `breath`: width of the circle; null: no waves.
  play(level, breath) {
    if (!this.running) return;
    this.glide(this.toneGain.gain, level === null ? 0 : TONE.gain, TONE.fadeS);
    if (level !== null) for (const { ratio, frequency } of this.voices) this.glide(frequency, TONE.hz * ratio * 2 ** (TONE.span * level), TONE.glideS);
    this.glide(this.waveGain.gain, breath === null ? 0 : WAVE.gain * (0.15 + 0.85 * breath), WAVE.easeS);
    if (breath !== null) this.glide(this.waveFilter.frequency, WAVE.lowHz + (WAVE.highHz - WAVE.lowHz) * breath, WAVE.easeS);
  }

  glide(parameter, value, timeS) {
    if (this.wanted.get(parameter) === value) return;
    this.wanted.set(parameter, value);
    parameter.cancelScheduledValues(this.context.currentTime);
    parameter.setTargetAtTime(value, this.context.currentTime, timeS);
  }
}

// Brown noise, whose ends are joined so that the loop does not click.
function noise(context) {
  const size = NOISE_S * context.sampleRate;
  const buffer = new AudioBuffer({ length: size, sampleRate: context.sampleRate });
  const samples = buffer.getChannelData(0);
  let last = 0;
  for (let n = 0; n < size; n += 1) { last = (last + 0.02 * (2 * Math.random() - 1)) / 1.02; samples[n] = 3.5 * last; }
  const join = Math.floor(0.5 * context.sampleRate);
  const step = samples[0] - samples[size - 1];
  for (let n = 0; n < join; n += 1) samples[size - join + n] += step * ((n + 1) / join) ** 2;
  return buffer;
}
