// Times in the practice's time zone, wherever the reader is, and in the reader's language.

const zone = document.querySelector('meta[name="time-zone"]')?.content;

// Options of `toLocaleString` in the practice's time zone.
export const inZone = (format = {}) => ({ ...format, timeZone: zone });

const FORMATS = {
  long: { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" },
  day: { day: "numeric", month: "long", year: "numeric" },
  time: { hour: "2-digit", minute: "2-digit" },
};

export function localTimes(language = undefined) {
  for (const element of document.querySelectorAll("time[data-format]")) {
    const at = new Date(element.dateTime);
    if (!Number.isNaN(at.getTime())) element.textContent = at.toLocaleString(language, inZone(FORMATS[element.dataset.format]));
  }
}
