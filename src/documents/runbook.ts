import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Place, type Problem, UserError } from '../errors.js';
import { stepKinds } from '../steps/index.js';
import type { StepKind } from '../steps/step.js';
import type { DocumentPath, LoadedDocument } from './document.js';
import { documentReader, shownPath } from './document-reader.js';
import { givenProblems, type IncludeLink, includedFileProblem, includeProblems } from './include.js';
import { type IncludeParams, includeKind, includeSchema } from './include.schema.js';
import { documentProblems, loadedDocument, readDocument } from './load.js';
import { nearest, nearestKind } from './nearest.js';
import { validateParams } from './params.js';
import { parse } from './parse.js';
import {
  type Runbook,
  runbookSchema,
  type Step,
  type StepGroup,
  stepGroupSchema,
  stepSchema,
} from './runbook.schema.js';
import { defaultProblems } from './runbook-params.js';
import { quote } from './source.js';
import { containsTemplate } from './template.js';
import type { ParsedFile } from './tree.js';
import { trendProblems } from './trend.js';
import { hasTemplates, ordered, validate } from './validate.js';

export interface LoadedRunbook extends LoadedDocument<Runbook> {
  /** `steps` as a tree; defaults are filled in. */
  readonly entries: readonly RunbookEntry[];
  /** This file and all included ones, as named in messages, with their hashes. */
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
}

export type RunbookEntry = StepEntry | GroupEntry;

interface EntryBase {
  /** Stable key in results: the id of a step, else its place, such as `3`, `2/1`, `2/rescue/1`; below an include `4/check`. */
  readonly key: string;
  /** Path in `document`. */
  readonly path: DocumentPath;
  /** The file that it stands in. */
  readonly document: LoadedDocument<Runbook>;
}

export interface StepEntry extends EntryBase {
  readonly kind: 'step';
  readonly step: Step;
  readonly stepKind: StepKind;
  /** What `documents` of the kind has read, to join its parameters. */
  readonly documents?: Readonly<Record<string, unknown>>;
}

export interface GroupEntry extends EntryBase {
  readonly kind: 'group';
  readonly group: StepGroup;
  readonly steps: readonly RunbookEntry[];
  readonly rescue: readonly RunbookEntry[];
  readonly always: readonly RunbookEntry[];
  /** Set where `uses: flow.runbook` stands: `steps` are those of `runbook`, with params, vars and step ids of their own. */
  readonly include?: {
    readonly step: Step;
    readonly runbook: LoadedRunbook;
    /** As written; values may hold expressions of the including runbook. */
    readonly params: Readonly<Record<string, unknown>>;
  };
}

export interface RunbookOptions {
  readonly cwd: string;
  /** The text of a runbook that is in no file; `path` is then only its name. */
  readonly text?: string;
  /** Included files must be inside it. The folder of the runbook when absent. */
  readonly projectRoot?: string;
}

/** Reads a runbook and all that it includes. Throws one UserError with everything that is wrong, before any contact. */
export async function loadRunbook(path: string, options: RunbookOptions): Promise<LoadedRunbook> {
  const problems: Problem[] = [];
  const file = resolve(options.cwd, path);
  const loader = new RunbookLoader(options, options.projectRoot ?? dirname(file), problems);
  const runbook = await loader.load({ file, name: path, chain: [], keyPrefix: '' });
  if (problems.length > 0 || !runbook) throw new UserError(ordered(problems));
  return runbook;
}

interface Request {
  readonly file: string;
  /** As messages name it. */
  readonly name: string;
  /** The files that include it, outermost first. */
  readonly chain: readonly IncludeLink[];
  readonly keyPrefix: string;
  readonly from?: Place;
}

const includeLimit = 200;

class RunbookLoader {
  readonly #options: RunbookOptions;
  readonly #root: string;
  readonly #problems: Problem[];
  #loaded = 0;

  constructor(options: RunbookOptions, root: string, problems: Problem[]) {
    this.#options = options;
    this.#root = root;
    this.#problems = problems;
  }

  async load(request: Request): Promise<LoadedRunbook | undefined> {
    const parsed = await this.#read(request);
    if (!parsed) return undefined;
    const subject = 'a runbook';
    const found = await documentProblems(parsed, {
      schema: runbookSchema,
      validator: 'runbook',
      subject,
      templates: false,
    });
    const before = this.#problems.length;
    this.#problems.push(...found);
    const document = loadedDocument<Runbook>(parsed);
    const files = [{ file: parsed.file, sha256: parsed.sha256 }];
    const real = await realpath(request.file).catch(() => request.file);
    const scope: Scope = {
      parsed,
      document,
      files,
      ids: new Map(),
      chain: [...request.chain, { real, name: request.name }],
      request,
    };
    const steps = (parsed.value as Partial<Runbook> | null)?.steps;
    this.#problems.push(...defaultProblems(parsed));
    const entries = Array.isArray(steps) ? await this.#entries(scope, steps, ['steps'], request.keyPrefix) : [];
    this.#problems.splice(before, Infinity, ...ordered(this.#problems.slice(before)));
    return { ...document, entries, files };
  }

  async #read({ name, from }: Request): Promise<ParsedFile | undefined> {
    try {
      const { cwd, text } = this.#options;
      if (text !== undefined && !from) return parse(Buffer.from(text), name, { subject: 'a runbook' });
      return await readDocument(name, { cwd, subject: 'a runbook', ...(from && { from }) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#problems.push(...error.problems);
      return undefined;
    }
  }

  async #entries(scope: Scope, list: readonly unknown[], path: DocumentPath, prefix: string): Promise<RunbookEntry[]> {
    const entries: RunbookEntry[] = [];
    for (const [index, value] of list.entries()) {
      const entry = await this.#entry(scope, value, [...path, index], `${prefix}${index + 1}`);
      if (entry) entries.push(entry);
    }
    return entries;
  }

  async #entry(scope: Scope, value: unknown, path: DocumentPath, place: string): Promise<RunbookEntry | undefined> {
    // The schema of the list has already refused what is no map.
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const keys = Object.keys(value);
    if (keys.includes('uses') && keys.includes('steps')) {
      this.#refuse(
        'E_STEP_SHAPE',
        'an entry has `uses` or `steps`, not both',
        scope.document.place([...path, 'steps'], 'key'),
        'move the group into an entry of its own',
      );
      return undefined;
    }
    const isGroup =
      !keys.includes('uses') && (keys.includes('steps') || (!nearestKey(keys, 'uses') && nearestKey(keys, 'steps')));
    return isGroup
      ? this.#group(scope, value as StepGroup, path, place)
      : this.#step(scope, value as Step, path, place);
  }

  async #group(scope: Scope, group: StepGroup, path: DocumentPath, place: string): Promise<GroupEntry | undefined> {
    await this.#validate(scope, group, path, { schema: stepGroupSchema, validator: 'step-group', subject: 'a group' });
    this.#claimId(scope, group, path);
    if (group.id !== undefined && group.require === undefined) {
      const where = scope.document.place([...path, 'id'], 'key');
      const hint = 'add `require: all`, or give its steps an `id`';
      this.#refuse('E_STEP_SHAPE', 'a group without `require` has no result that an `id` could name', where, hint);
    }
    const key = typeof group.id === 'string' ? `${scope.request.keyPrefix}${group.id}` : place;
    const part = async (name: 'steps' | 'rescue' | 'always') => {
      const list: unknown = group[name];
      const prefix = name === 'steps' ? `${place}/` : `${place}/${name}/`;
      return Array.isArray(list) ? this.#entries(scope, list, [...path, name], prefix) : [];
    };
    const steps = await part('steps');
    const rescue = await part('rescue');
    const always = await part('always');
    return { kind: 'group', key, path, document: scope.document, group, steps, rescue, always };
  }

  async #step(scope: Scope, step: Step, path: DocumentPath, place: string): Promise<RunbookEntry | undefined> {
    const problems = await this.#validate(scope, step, path, {
      schema: stepSchema,
      validator: 'step',
      subject: 'a step',
    });
    this.#claimId(scope, step, path);
    const key = typeof step.id === 'string' ? `${scope.request.keyPrefix}${step.id}` : place;
    if (typeof step.uses !== 'string') return undefined;
    const at = (part: DocumentPath, side?: 'key' | 'value') => scope.document.place([...path, ...part], side);
    const load = Object.hasOwn(stepKinds, step.uses) ? stepKinds[step.uses] : undefined;
    if (step.uses !== includeKind && !load) {
      const meant = nearestKind(step.uses, [...Object.keys(stepKinds), includeKind]);
      const hint = `${meant ? `did you mean \`${meant}\`? ` : ''}list the step kinds with \`opsctl steps\``;
      this.#refuse('E_STEP_UNKNOWN', `unknown step ${quote(step.uses)}`, at(['uses']), hint);
      return undefined;
    }
    const given: unknown = step.with ?? {};
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
    const params = given as Record<string, unknown>;
    (step as { with?: unknown }).with = params;
    if (!load) return this.#include(scope, step, params, path, key);
    const stepKind = await load();
    const found = await validateParams(stepKind, params, {
      place: (part, side) => at(['with', ...part], side),
      written: (part) => scope.parsed.written([...path, 'with', ...part]),
      templates: true,
    });
    this.#problems.push(...found);
    if (found.length > 0) return undefined;
    if (problems.length === 0) this.#checkFit(stepKind, step, at);
    const reader = documentReader({
      cwd: this.#options.cwd,
      folder: dirname(scope.request.file),
      // A file that the command line names may be anywhere.
      ...(this.#options.text === undefined || this.#options.projectRoot !== undefined ? { root: this.#root } : {}),
      place: (part, side) => at(['with', ...part], side),
      refuse: (problem) => this.#problems.push(problem),
      files: scope.files,
    });
    const documents = await stepKind.documents?.(params, reader);
    return { kind: 'step', key, path, document: scope.document, step, stepKind, ...(documents && { documents }) };
  }

  /** What depends on the kind and no schema can say. */
  #checkFit(kind: StepKind, step: Step, at: (part: DocumentPath, side?: 'key' | 'value') => Place): void {
    for (const [index, trend] of (step.trends ?? []).entries())
      for (const { path, what, hint } of trendProblems(trend))
        this.#refuse('E_VALUE', what, at(['trends', index, ...path]), hint);
    if (step.from !== undefined && step.from !== kind.runs && step.from !== kind.alsoFrom) {
      const what = `${kind.kind} looks from the ${kind.runs} only`;
      this.#refuse('E_FROM', what, at(['from']), 'remove `from`');
    }
    if (step.retry && (!hasTemplates(step.with) || typeof kind.effect === 'string')) {
      const effect = typeof kind.effect === 'string' ? kind.effect : kind.effect(step.with);
      if (effect === 'change') {
        this.#refuse(
          'E_RETRY_CHANGE',
          'a changing step runs at most once, so it takes no `retry`',
          at(['retry'], 'key'),
          'remove it (`opsctl resume` goes on after an interruption)',
        );
      }
    }
  }

  #claimId(scope: Scope, step: Step | StepGroup, path: DocumentPath): void {
    if (typeof step.id !== 'string') return;
    const place = scope.document.place([...path, 'id']);
    const first = scope.ids.get(step.id);
    if (first)
      this.#refuse(
        'E_DUP_ID',
        `the id \`${step.id}\` is already used on line ${first.line}`,
        place,
        'rename one of them',
      );
    else scope.ids.set(step.id, place);
  }

  async #include(
    scope: Scope,
    step: Step,
    params: Record<string, unknown>,
    path: DocumentPath,
    key: string,
  ): Promise<GroupEntry | undefined> {
    const at = (part: DocumentPath, side?: 'key' | 'value') => scope.document.place([...path, ...part], side);
    const problems = await validate({
      ...{
        value: params,
        schema: includeSchema,
        validator: includeKind,
        subject: `\`with\` of ${includeKind}`,
        base: [...path, 'with'],
      },
      ...{ place: scope.document.place, written: scope.parsed.written, templates: true },
    });
    const include = params as IncludeParams;
    problems.push(...includeProblems(step, include, at));
    this.#problems.push(...problems);
    if (typeof include.file !== 'string' || include.file === '' || containsTemplate(include.file)) return undefined;
    const from = at(['with', 'file']);
    const file = resolve(dirname(scope.request.file), include.file);
    if (!(await this.#mayInclude(scope, include.file, file, from))) return undefined;
    const runbook = await this.load({
      file,
      name: shownPath(file, this.#options.cwd),
      chain: scope.chain,
      keyPrefix: `${key}/`,
      from,
    });
    if (!runbook) return undefined;
    scope.files.push(...runbook.files);
    const given = (include.params ?? {}) as Record<string, unknown>;
    const place: typeof at = (part, side) => at(['with', 'params', ...part], side);
    this.#problems.push(...givenProblems(runbook, given, { place, missing: at(['with'], 'key') }));
    const { name, when, needs, tags, sudo } = step;
    const group: StepGroup = {
      name: name ?? runbook.value.name,
      ...(when !== undefined && { when }),
      ...(needs !== undefined && { needs }),
      ...(tags && { tags }),
      ...(sudo !== undefined && { sudo }),
      steps: runbook.value.steps,
    };
    const base = { kind: 'group' as const, key, path, document: scope.document, group, rescue: [], always: [] };
    return { ...base, steps: runbook.entries, include: { step, runbook, params: given } };
  }

  async #mayInclude(scope: Scope, written: string, file: string, from: Place): Promise<boolean> {
    if (++this.#loaded > includeLimit) {
      const what = `more than ${includeLimit} runbooks are included`;
      if (this.#loaded === includeLimit + 1) this.#refuse('E_INCLUDE_LIMIT', what, from, 'include less');
      return false;
    }
    const problem = await includedFileProblem(file, { written, root: this.#root, chain: scope.chain, from });
    if (problem) this.#problems.push(problem);
    return problem === undefined;
  }

  async #validate(
    scope: Scope,
    value: unknown,
    path: DocumentPath,
    check: { schema: typeof stepSchema | typeof stepGroupSchema; validator: string; subject: string },
  ): Promise<readonly Problem[]> {
    const { place } = scope.document;
    const found = await validate({
      ...check,
      value,
      base: path,
      place,
      written: scope.parsed.written,
      templates: false,
    });
    this.#problems.push(...found);
    return found;
  }

  #refuse(code: Problem['code'], what: string, place: Place, hint?: string): void {
    this.#problems.push({ code, what, place, ...(hint !== undefined && { hint }) });
  }
}

/** What the loader knows while it walks one file. */
interface Scope {
  readonly parsed: ParsedFile;
  readonly document: LoadedDocument<Runbook>;
  readonly files: { readonly file: string; readonly sha256: string }[];
  readonly ids: Map<string, Place>;
  readonly chain: Request['chain'];
  readonly request: Request;
}

function nearestKey(keys: readonly string[], meant: string): boolean {
  return keys.some((key) => nearest(key, [meant]) !== undefined);
}
