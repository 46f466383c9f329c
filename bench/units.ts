/** Figures as text. */
export const micros = (us: number): string => `${us.toFixed(1)} µs`;
export const millis = (ms: number): string => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
export const megabits = (bitsPerSecond: number): string => `${(bitsPerSecond / 1e6).toFixed(0)} Mbit/s`;
export const queriesPerSecond = (rate: number): string => `${(rate / 1000).toFixed(1)} k q/s`;
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
