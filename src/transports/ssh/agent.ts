import { BaseAgent, createAgent, type ParsedKey } from './ssh2.js';

type IdentitiesCallback = (error: Error | null | undefined, keys?: ParsedKey[]) => void;
type SignCallback = (error: Error | null | undefined, signature?: Buffer) => void;

/** The listing of one agent socket, asked once for all hosts. */
export class AgentListing {
  readonly #agents = new Map<string, { readonly agent: InstanceType<typeof BaseAgent>; keys?: Promise<ParsedKey[]> }>();

  /** An agent for one login. With `only`, it offers no other keys than these. */
  open(socket: string, only?: readonly Buffer[]): FilteredAgent {
    let known = this.#agents.get(socket);
    if (!known) {
      known = { agent: createAgent(socket) };
      this.#agents.set(socket, known);
    }
    const { agent } = known;
    const keys = known.keys ?? list(agent);
    known.keys = keys;
    keys.catch(() => {
      // An agent that failed may come back; the next login asks again.
      this.#agents.delete(socket);
    });
    return new FilteredAgent(agent, keys, only);
  }
}

async function list(agent: InstanceType<typeof BaseAgent>): Promise<ParsedKey[]> {
  return new Promise((resolve, reject) => {
    agent.getIdentities((error, keys) => {
      if (error) reject(error);
      else resolve((keys ?? []) as unknown as ParsedKey[]);
    });
  });
}

export class FilteredAgent extends BaseAgent {
  readonly #agent: InstanceType<typeof BaseAgent>;
  readonly #keys: Promise<ParsedKey[]>;
  readonly #only: readonly Buffer[] | undefined;
  /** How many keys were offered, for the message of a failed login. */
  offered = 0;

  constructor(agent: InstanceType<typeof BaseAgent>, keys: Promise<ParsedKey[]>, only?: readonly Buffer[]) {
    super();
    this.#agent = agent;
    this.#keys = keys;
    this.#only = only;
  }

  override getIdentities(callback: IdentitiesCallback): void {
    this.#keys.then(
      (keys) => {
        const wanted = this.#only
          ? keys.filter((key) => this.#only?.some((one) => one.equals(key.getPublicSSH())))
          : keys;
        this.offered = wanted.length;
        callback(undefined, wanted);
      },
      (error: Error) => callback(error),
    );
  }

  override sign(key: unknown, data: Buffer, options: unknown, callback?: unknown): void {
    this.#agent.sign(key as ParsedKey, data, options as never, callback as SignCallback);
  }
}
