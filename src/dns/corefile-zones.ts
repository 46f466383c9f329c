/** isWithin reports whether a name is a zone or lies below it; both in lower case, without the dot at the end. */
export function isWithin(name: string, zone: string): boolean {
  return zone === "" || name === zone || name.endsWith(`.${zone}`);
}
