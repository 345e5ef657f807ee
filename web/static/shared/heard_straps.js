// The straps that are heard now, the adapter's state, and how well a strap is heard, in words.

const PATIENCE_MS = 5000;

// Returns what is heard; null where restbeat does not answer, which the page already states.
export async function heardStraps() {
  try {
    const response = await fetch("/api/v1/straps", { signal: AbortSignal.timeout(PATIENCE_MS) });
    return await response.json();
  } catch {
    return null;
  }
}

export const strength = (dbm) => (dbm === null ? "" : dbm > -65 ? "strong signal" : dbm > -80 ? "fair signal" : "weak signal");
