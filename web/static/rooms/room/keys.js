// Keyboard and foot pedal: everything that touch can do.

const OFF = "restbeat-keys";
const TYPING = "input, select, textarea";
const PRESSABLE = "a, button, summary, [role=slider]";

export class Keys {
  // next: `KeyboardEvent.code`s that begin the next phase; commands: functions by letter; sheets: the sheets that handle digits first.
  constructor({ next, begin, technique, commands, sheets, dialog }) {
    Object.assign(this, { next, begin, technique, commands, sheets, dialog });
    document.addEventListener("keydown", (event) => this.press(event));
    document.addEventListener("click", (event) => { // after a touch or a click the space bar begins the next phase again
      if (event.detail && !dialog.open) event.target.closest("button")?.blur();
    });
  }

  // Shortcuts of single letters can be switched off, because speech input types them by accident (WCAG 2.1.4).
  get letters() { try { return localStorage.getItem(OFF) !== "off"; } catch { return true; } }

  set letters(on) { try { localStorage.setItem(OFF, on ? "on" : "off"); } catch { /* storage is forbidden: lasts as long as the page */ } }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || this.dialog.open) return;
    const focused = document.activeElement;
    if (event.key === "Escape" && this.sheets.name) { this.sheets.close(); return; }
    if (focused?.matches(TYPING)) return;
    if (this.next.includes(event.code)) {
      const own = ["Space", "Enter", "NumpadEnter"].includes(event.code) && focused?.matches(PRESSABLE);
      if (own) return;
      event.preventDefault();
      if (!event.repeat) this.begin();
      return;
    }
    if (event.repeat || !this.letters || focused?.matches("[role=slider]") && /^[-+0]$/.test(event.key)) return;
    const digit = /^[0-9]$/.test(event.key) ? event.key : event.shiftKey ? null : /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
    if (this.character(digit ?? event.key.toLowerCase())) event.preventDefault();
  }

  character(key) {
    if (this.sheets.name && this.sheets.pick(key)) return true;
    if (/^[0-9]$/.test(key)) {
      if (key === "0" || this.sheets.name) return false;
      this.technique(Number(key));
      return true;
    }
    this.commands[key]?.();
    return key in this.commands;
  }
}
