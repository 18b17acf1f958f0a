/** `6.1.0-13-amd64` and `6.1.0-18-amd64` are of one flavour, `…-cloud-amd64` is another. */
export function sameFlavour(left: string, right: string): boolean {
  return flavour(left) === flavour(right);
}

/** Compares the numbers of two kernels of one flavour. */
export function isNewer(left: string, right: string): boolean {
  const [a, b] = [numbers(left), numbers(right)];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** The words after the version: `-amd64`, `.el.x86_64`, `-lts`, `-v7l+`. */
function flavour(kernel: string): string {
  const words = /(?:[-.+_](?![\d])[A-Za-z][\w]*)+\+?$/.exec(kernel.replace(/(?<=[-.])rc\d+/, ''))?.[0] ?? '';
  // el9_3 and el9_4 are updates of one release, and fc41 is followed by fc42.
  return words.replace(/\.(el|fc)\d+(?:_\d+)?/, '.$1');
}

/** Its numbers in order, those of the architecture left out. A release candidate comes before its release. */
function numbers(kernel: string): readonly number[] {
  const version = kernel.replace(/(?:amd64|x86_64|aarch64|arm64|ppc64le|ppc64el|s390x|i[36]86|riscv64|armv\dl?)/g, '');
  return (version.match(/rc\d+|\d+/g) ?? []).map((part) =>
    part.startsWith('rc') ? Number(part.slice(2)) - 1_000_000 : Number(part),
  );
}
