/** Properties that `systemctl show` prints for one unit. */
export type UnitProperties = Readonly<Record<string, string>>;

/** Reads `systemctl show`: `Key=Value` lines, units apart by a blank line. */
export function readUnits(output: string): readonly UnitProperties[] {
  return output
    .split(/\n\s*\n/)
    .map((block) =>
      Object.fromEntries(
        block
          .split('\n')
          .filter((line) => line.includes('='))
          .map((line) => {
            const equals = line.indexOf('=');
            return [line.slice(0, equals), line.slice(equals + 1)];
          }),
      ),
    )
    .filter((unit) => Object.keys(unit).length > 0);
}

/** Seconds since a monotonic time stamp in µs; null when it never happened. Sleep of a laptop counts as time. */
export function secondsSince(microseconds: string | undefined, uptime: number): number | null {
  const at = Number(microseconds ?? 0) / 1e6;
  return at > 0 ? Math.max(0, uptime - at) : null;
}
