/** Text that Ansible does not template (`!unsafe`). Importers take the mark off. */
export class UnsafeText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
