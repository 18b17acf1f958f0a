import type { Draft } from '../draft.js';

/** What loading needs of the world. */
export interface InventoryContext {
  readonly cwd: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly signal?: AbortSignal;
}

/** A file that was read, and is not yet known to be of any kind. */
export interface SourceFile {
  /** As the user named it, for messages. */
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer;
  readonly executable: boolean;
}

/** A kind of inventory. The first one whose `reads` says yes gets the file. */
export interface SourceKind {
  readonly name: string;
  /** Whether group_vars/ and host_vars/ beside the file belong to it. */
  readonly varsFolders: boolean;
  reads(file: SourceFile): boolean | Promise<boolean>;
  /** Adds to the draft. What is wrong goes to its problems, or is thrown as a UserError. */
  load(file: SourceFile, draft: Draft, context: InventoryContext): Promise<void>;
}
