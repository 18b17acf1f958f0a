import { expectSuccess, tabbedLines } from '../../lines.js';
import { type ProbeOutput, UnreadableOutput } from '../../step.js';

export interface Sensor {
  /** Chip and label, `coretemp Package id 0`; the number where there is no label, the device where two are the same. */
  readonly name: string;
  /** Celsius; null when it cannot be read now. */
  readonly degrees: number | null;
  /** Limits of the sensor itself. */
  readonly max: number | null;
  readonly critical: number | null;
}

/** The sensors of the chips, and the zones of the kernel that are not such a chip again. */
export function readSensors(output: ProbeOutput): readonly Sensor[] {
  expectSuccess(output);
  const lines = tabbedLines(output);
  if (lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the list of sensors is cut off');
  const rows = lines.slice(0, -1).map(([kind, rest]) => {
    const [number = '', value = '', max = '', critical = '', chip = '', label = '', device = ''] = rest.split('\t');
    if ((kind !== 'sensor' && kind !== 'zone') || !/^\d+$/.test(number))
      throw new UnreadableOutput(`not a sensor: ${kind} ${rest.slice(0, 80)}`);
    const degrees = degreesOf(value);
    const bounds = { max: limitOf(max), critical: limitOf(critical) };
    return { kind, chip, name: nameOf(kind, chip, label, number), device: shown(device), degrees, ...bounds };
  });
  const chips = new Set(rows.filter(({ kind }) => kind === 'sensor').map(({ chip }) => chip));
  const kept = rows.filter(({ kind, chip }) => kind === 'sensor' || !chips.has(chip));
  // Two disks are two chips of one name.
  const isSole = (name: string) => kept.filter((row) => row.name === name).length === 1;
  const used = new Map<string, number>();
  return kept.map(({ name: plain, device, degrees, max, critical }) => {
    const name = isSole(plain) || device === '' ? plain : `${plain} ${device}`;
    const count = (used.get(name) ?? 0) + 1;
    used.set(name, count);
    return { name: count === 1 ? name : `${name} #${count}`, degrees, max, critical };
  });
}

/** Braces would end the name of a metric. */
function shown(text: string): string {
  return text.replace(/[^\w .:+/-]+/g, '_').trim();
}

function nameOf(kind: string, chip: string, label: string, number: string): string {
  if (kind === 'zone') return shown(chip) || `zone ${number}`;
  return `${shown(chip) || 'sensor'} ${shown(label) || number}`;
}

/** Sensors that are not connected say such as -128 or 255. */
function degreesOf(text: string): number | null {
  if (text === '') return null;
  if (!/^-?\d{1,9}$/.test(text)) throw new UnreadableOutput(`not a temperature: ${text.slice(0, 40)}`);
  const degrees = Number(text) / 1000;
  return degrees > -100 && degrees < 200 ? degrees : null;
}

/** Firmware leaves 0, 255 or 65 261 where nobody has set a limit. */
function limitOf(text: string): number | null {
  const degrees = /^-?\d{1,9}$/.test(text) ? Number(text) / 1000 : Number.NaN;
  return degrees >= 30 && degrees <= 150 ? degrees : null;
}
