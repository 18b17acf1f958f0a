/** Where and why a file cannot be read. */
export interface Trouble {
  readonly what: string;
  readonly line?: number;
  readonly column?: number;
}

export class TroubleError extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.what);
    this.name = 'TroubleError';
    this.trouble = trouble;
  }
}
