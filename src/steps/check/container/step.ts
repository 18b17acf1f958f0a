import type { FromSchema, JsonSchema } from '../../../documents/json-schema.js';
import { expectSuccess, tabbedLines } from '../../lines.js';
import { rangeProblems, rangeSchema } from '../../range.js';
import { script } from '../../script.js';
import { defineHostStep, type StepProblem, UnreadableOutput } from '../../step.js';
import { type Issue, judgeIssues, measure, wrong } from '../issues.js';

const params = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$',
      description: 'Name of the container. Either this or `label`.',
      examples: ['web'],
    },
    label: {
      type: 'string',
      pattern: '^[^\\s=]+(=.*)?$',
      description: 'Label that the containers carry, with or without its value. At least one must be there.',
      examples: ['com.docker.compose.project=shop'],
    },
    engine: {
      enum: ['auto', 'docker', 'podman'],
      default: 'auto',
      description: 'Whose containers. `auto` takes docker where it is installed, otherwise podman.',
    },
    state: {
      enum: ['running', 'exited', 'paused', 'created', 'absent'],
      default: 'running',
      description: 'State that each should be in.',
    },
    health: {
      enum: ['if-checked', 'healthy', 'ignore'],
      default: 'if-checked',
      description:
        '`if-checked`: not unhealthy, where the container has a health check. `healthy`: it has one and is healthy.',
    },
    'exit-status': {
      type: 'array',
      items: { type: 'integer', minimum: 0, maximum: 255 },
      minItems: 1,
      default: [0],
      description: 'Exit statuses that are fine, with `state: exited`.',
    },
    image: {
      type: 'string',
      minLength: 1,
      description: 'Image that each should have been made from, as it was written then.',
      examples: ['docker.io/library/nginx:1.27'],
    },
    digest: {
      type: 'string',
      pattern: '^sha256:[0-9a-f]{64}$',
      description: 'Digest of that image in a registry, or the id of the image.',
    },
    count: { ...rangeSchema('Fail when the number of containers is outside this range.'), examples: ['3:'] },
    'restarts-warning': {
      ...rangeSchema('Warn when the engine has restarted one more often.'),
      examples: [0],
    },
    'restarts-critical': { ...rangeSchema('Fail when the engine has restarted one more often.'), examples: [5] },
  },
  additionalProperties: false,
} as const satisfies JsonSchema;

type Params = FromSchema<typeof params>;

export interface Container {
  readonly name: string;
  /** As the engine says: running, exited, restarting … */
  readonly status: string;
  readonly exitStatus: number;
  readonly outOfMemory: boolean;
  readonly restarts: number;
  /** Empty when it has no health check. */
  readonly health: string;
  readonly image: string;
  /** Id and digests of its image; empty unless a digest was asked for. */
  readonly digests: readonly string[];
}

export interface ContainerData {
  readonly engine: string;
  readonly containers: readonly Container[];
}

export default defineHostStep<Params, ContainerData>({
  kind: 'check.container',
  summary: 'Containers of docker or podman: state, health, restarts, image',
  params,
  effect: 'read',
  validate: (given) => [
    ...rangeProblems(given, { count: 'count', 'restarts-warning': 'count', 'restarts-critical': 'count' }),
    ...selectionProblems(given),
  ],
  probe: script('./probe.sh', import.meta.url),
  args: ({ engine, name, label, digest }) => [
    engine,
    // docker keeps names with a slash, podman without.
    name === undefined ? `label=${label}` : `name=^/?${name.replaceAll('.', '\\.')}$`,
    digest === undefined ? 'none' : 'digests',
  ],
  parse(output) {
    expectSuccess(output);
    const lines = tabbedLines(output);
    const engine = lines.find(([key]) => key === 'engine')?.[1];
    if (!engine || lines.at(-1)?.[0] !== 'end') throw new UnreadableOutput('the list of containers is cut off');
    const images = lines.filter(([key]) => key === 'image').map(([, value]) => readImage(value));
    const containers = lines
      .filter(([key]) => key === 'container')
      .map(([, value]) => readContainer(value, (id) => images.find((image) => image.id === id)?.digests ?? []));
    return { engine, containers: containers.sort((one, other) => (one.name < other.name ? -1 : 1)) };
  },
  judge({ engine, containers }, given) {
    const subject = given.name ?? `with ${given.label}`;
    const none = containers.length === 0;
    if (given.state === 'absent')
      return none
        ? { outcome: 'ok', reason: 'ok', summary: `${engine} has no container ${subject}` }
        : {
            outcome: 'failed',
            reason: 'container-present',
            summary: `${engine} has container ${containers.map(({ name }) => name).join(', ')}, should not`,
          };
    if (none) return { outcome: 'failed', reason: 'no-container', summary: `${engine} has no container ${subject}` };
    const count = measure(
      'containers',
      containers.length,
      'count',
      { critical: given.count, min: 0 },
      (quantity) => `${quantity} ${containers.length === 1 ? 'container' : 'containers'} ${subject}`,
    );
    const restarts = containers.map((container) =>
      measure(
        given.name === undefined ? `restarts{${container.name}}` : 'restarts',
        container.restarts,
        'count',
        { warning: given['restarts-warning'], critical: given['restarts-critical'], min: 0 },
        (quantity) => `${container.name} was restarted ${quantity} times`,
      ),
    );
    const issues = [
      ...count.issues,
      ...containers.flatMap((container) => issuesOf(container, given)),
      ...restarts.flatMap((each) => each.issues),
    ];
    const [first] = containers;
    const calm =
      containers.length === 1 && first
        ? `${first.name} is ${stateOf(first)} (${engine}, ${first.image || 'no image'})`
        : `${containers.length} containers ${subject} are ${given.state} (${engine})`;
    const metrics = [...(given.name === undefined ? [count.metric] : []), ...restarts.map(({ metric }) => metric)];
    return judgeIssues(issues, { calm, metrics });
  },
});

function issuesOf(container: Container, given: Params): Issue[] {
  const { name, status, health, image, digests } = container;
  const issues: Issue[] = [];
  // docker says dead, stopping …; podman says stopped for what has just ended.
  const asWanted = status === given.state || (given.state === 'exited' && status === 'stopped');
  if (!asWanted) issues.push(wrong('wrong-state', `${name} is ${stateOf(container)}, should be ${given.state}`));
  else if (given.state === 'exited' && !given['exit-status'].includes(container.exitStatus))
    issues.push(wrong('exit-status', `${name} is ${stateOf(container)}`));
  if (given.health !== 'ignore' && status === 'running') {
    if (health === '' && given.health === 'healthy')
      issues.push(wrong('no-health-check', `${name} has no health check`));
    else if (health === 'starting')
      issues.push({ outcome: 'unknown', reason: 'health-starting', text: `${name} has not told its health yet` });
    else if (health !== '' && health !== 'healthy') issues.push(wrong('unhealthy', `${name} is ${health}`));
  }
  if (given.image !== undefined && given.image !== image)
    issues.push(wrong('wrong-image', `${name} is made from ${image || 'no image'}, should be from ${given.image}`));
  if (given.digest !== undefined && !digests.includes(given.digest))
    issues.push(
      wrong(
        'wrong-digest',
        `the image of ${name} is ${digests.map((digest) => digest.slice(0, 19)).join(', ') || 'gone'}`,
      ),
    );
  return issues;
}

function stateOf({ status, exitStatus, outOfMemory, health }: Container): string {
  if (status === 'running') return health === '' ? status : `${status} and ${health}`;
  if (!['exited', 'stopped', 'restarting', 'dead'].includes(status)) return status;
  return `${status} (status ${exitStatus}${outOfMemory ? ', out of memory' : ''})`;
}

function readContainer(line: string, digestsOf: (id: string) => readonly string[]): Container {
  const said = parseLine(line);
  const { name, status, exit, oom, restarts, health, image, id } = said;
  if (
    typeof name !== 'string' ||
    name === '' ||
    typeof status !== 'string' ||
    status === '' ||
    typeof exit !== 'number' ||
    typeof restarts !== 'number'
  )
    throw new UnreadableOutput(`not a container: ${line.slice(0, 200)}`);
  return {
    name: name.replace(/^\//, ''),
    status,
    exitStatus: exit,
    outOfMemory: oom === true,
    restarts,
    // podman says starting or nothing for none; docker says none when it was switched off.
    health: typeof health === 'string' && health !== 'none' ? health : '',
    image: typeof image === 'string' ? image : '',
    digests: typeof id === 'string' ? digestsOf(withAlgorithm(id)) : [],
  };
}

function readImage(line: string): { readonly id: string; readonly digests: readonly string[] } {
  const { id, digests } = parseLine(line);
  if (typeof id !== 'string') throw new UnreadableOutput(`not an image: ${line.slice(0, 200)}`);
  const list = Array.isArray(digests) ? digests.filter((digest) => typeof digest === 'string') : [];
  return {
    id: withAlgorithm(id),
    digests: [withAlgorithm(id), ...list.map((digest) => digest.slice(digest.indexOf('@') + 1))],
  };
}

/** podman writes the id of an image without `sha256:`. */
function withAlgorithm(id: string): string {
  return id.includes(':') ? id : `sha256:${id}`;
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new UnreadableOutput(`not what the engine prints: ${line.slice(0, 200)}`);
}

function selectionProblems({ name, label, state, ...given }: Params): StepProblem[] {
  if ((name === undefined) === (label === undefined))
    return [{ path: ['name'], what: 'which containers is not told', hint: 'set either `name` or `label`' }];
  if (state === 'absent' && given.count !== undefined)
    return [{ path: ['count'], what: 'what is absent cannot be counted', hint: 'remove it' }];
  return [];
}
