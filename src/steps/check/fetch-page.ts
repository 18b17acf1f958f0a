import { readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { type Duplex, pipeline, type Readable } from 'node:stream';
import {
  checkServerIdentity,
  connect as connectTls,
  type PeerCertificate,
  rootCertificates,
  TLSSocket,
} from 'node:tls';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Dial } from '../step.js';
import { type Certificate, readCertificate } from './certificate.js';
import type { ClientCertificate } from './client-certificate.js';
import { attemptTimeout, type ConnectionFailure, connectionFailure, lookupTimedOut } from './connection.js';

/** Most of a body that is looked at. */
export const bodyLimit = 1_048_576;

export interface HttpTarget {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Connect here instead of asking for the address of the name. */
  readonly address: string | undefined;
  readonly ca: string | undefined;
  /** Shown to the server of the URL, and to no other that it redirects to. */
  readonly identity?: ClientCertificate | undefined;
  readonly redirects: number;
  /** For all requests together. */
  readonly seconds: number;
  /** How to connect, when not from here. */
  readonly dial?: Dial | undefined;
}

export interface Phases {
  readonly dns: number;
  readonly connect: number;
  readonly tls: number;
  /** From the request until the first byte of the answer. */
  readonly firstByte: number;
  /** All of it, redirects included. */
  readonly total: number;
}

export interface HttpAnswer {
  readonly failure: ConnectionFailure | null;
  /** The last URL, after redirects, without user and password. */
  readonly url: string;
  readonly redirects: readonly string[];
  readonly status: number | null;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** There was more than the limit. */
  readonly truncated: boolean;
  /** How the body is still encoded: with what cannot be undone here. */
  readonly encoding: string | null;
  readonly phases: Phases;
  readonly remote: string | null;
  readonly certificate: Certificate | null;
}

const noPhases: Phases = { dns: 0, connect: 0, tls: 0, firstByte: 0, total: 0 };

/** Asks, follows redirects, and tells what came and how long each phase took. Never through a proxy. */
export async function fetchPage(target: HttpTarget, signal: AbortSignal): Promise<HttpAnswer> {
  const ca = target.ca === undefined ? undefined : [...rootCertificates, await readFile(target.ca, 'utf8')];
  const started = performance.now();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), target.seconds * 1000);
  const either = AbortSignal.any([signal, late.signal]);
  const redirects: string[] = [];
  let url = new URL(target.url);
  let { headers, identity } = target;
  try {
    while (true) {
      const answer = await fetchOnce(url, { ...target, headers, identity }, ca, either);
      const total = (performance.now() - started) / 1000;
      const result = { ...answer, redirects, url: shown(url), phases: { ...answer.phases, total } };
      const location = isRedirect(answer.status) ? answer.headers.location : undefined;
      if (location === undefined || target.redirects === 0 || !URL.canParse(location, url.href)) return result;
      if (redirects.length >= target.redirects)
        return {
          ...result,
          failure: { reason: 'too-many-redirects', detail: `more than ${target.redirects} redirects`, proven: true },
        };
      const next = new URL(location, url);
      if (next.protocol !== 'http:' && next.protocol !== 'https:')
        return {
          ...result,
          failure: { reason: 'bad-redirect', detail: `redirects to ${next.protocol}`, proven: true },
        };
      redirects.push(shown(next));
      // What was meant for one server is not told to another.
      if (next.origin !== url.origin) {
        headers = {};
        identity = undefined;
      }
      url = next;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    const failure =
      late.signal.aborted && (error as NodeJS.ErrnoException).code !== 'EAI_AGAIN'
        ? { reason: 'timeout', detail: `no whole answer within ${target.seconds} s`, proven: true }
        : connectionFailure(error);
    const total = (performance.now() - started) / 1000;
    return { ...nothing, failure, redirects, url: shown(url), phases: { ...noPhases, total } };
  } finally {
    clearTimeout(timer);
  }
}

const nothing = {
  status: null,
  headers: {},
  body: Buffer.alloc(0),
  truncated: false,
  encoding: null,
  remote: null,
  certificate: null,
} as const;

type OneAnswer = Omit<HttpAnswer, 'url' | 'redirects'>;

async function fetchOnce(
  url: URL,
  target: HttpTarget,
  ca: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<OneAnswer> {
  const secure = url.protocol === 'https:';
  const started = performance.now();
  const since = (from: number) => (performance.now() - from) / 1000;
  const phases = { dns: 0, connect: 0, tls: 0, firstByte: 0 };
  let certificate: Certificate | null = null;
  let remote: string | null = null;

  const options: RequestOptions & { ca?: string[]; cert?: Buffer; autoSelectFamilyAttemptTimeout: number } = {
    method: target.method,
    headers: {
      host: url.host,
      'user-agent': 'opsctl',
      accept: '*/*',
      'accept-encoding': 'identity',
      ...target.headers,
    },
    // A connection of its own, closed after the answer: a reused one would hide a dead listener.
    agent: false,
    signal,
    autoSelectFamilyAttemptTimeout: attemptTimeout(target.seconds),
    ...(ca && { ca: [...ca] }),
    ...target.identity,
    ...(target.address !== undefined && connectTo(target.address, url)),
  };
  if (target.dial) {
    const port = Number(url.port) || (secure ? 443 : 80);
    const stream = await target.dial({ address: target.address ?? url.hostname.replace(/^\[|\]$/g, ''), port }, signal);
    phases.connect = since(started);
    // Node asks an agent first.
    delete options.agent;
    options.createConnection = () => (secure ? secureOver(stream, url, ca, target.identity) : stream);
  }
  return await new Promise<OneAnswer>((resolve, reject) => {
    let sent = performance.now();
    const request = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
      phases.firstByte = since(sent);
      collect(response, target.method).then((body) => resolve(answerOf(response, body)), reject);
    });
    const answerOf = (response: IncomingMessage, body: Body): OneAnswer => ({
      failure: null,
      status: response.statusCode ?? null,
      headers: response.headers,
      ...body,
      phases: { ...phases, total: since(started) },
      remote,
      certificate,
    });
    let found = target.dial !== undefined || isIP(target.address ?? url.hostname.replace(/^\[|\]$/g, '')) !== 0;
    request.once('error', (error) => reject(found || !signal.aborted ? error : lookupTimedOut()));
    // A 101 that nobody asked for: node hands over the connection, and says no more.
    request.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve(answerOf(response, { body: Buffer.alloc(0), truncated: false, encoding: null }));
    });
    request.once('socket', (socket) => {
      let from = performance.now();
      const lap = () => {
        const seconds = since(from);
        from = performance.now();
        return seconds;
      };
      socket.once('lookup', () => {
        found = true;
        phases.dns = lap();
      });
      socket.once('connect', () => {
        phases.connect = lap();
        remote = socket.remoteAddress ?? null;
        sent = from;
      });
      socket.once('secureConnect', () => {
        phases.tls = lap();
        sent = from;
        const peer = socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined;
        try {
          if (peer?.raw) certificate = readCertificate(peer);
        } catch (error) {
          request.destroy(error as Error);
        }
      });
    });
    request.end();
  });
}

/** TLS over a connection that another made, with the checks that `https` makes. */
function secureOver(
  stream: Duplex,
  url: URL,
  ca: readonly string[] | undefined,
  identity: ClientCertificate | undefined,
): TLSSocket {
  const name = url.hostname.replace(/^\[|\]$/g, '');
  return connectTls({
    socket: stream,
    ...(ca && { ca: [...ca] }),
    ...identity,
    ...(isIP(name) === 0 && { servername: name }),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  });
}

type Body = Pick<HttpAnswer, 'body' | 'truncated' | 'encoding'>;

async function collect(response: IncomingMessage, method: string): Promise<Body> {
  const { stream, encoding } = decoded(response, method);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop ends the connection.
    if (length > bodyLimit) return { body: Buffer.concat(chunks).subarray(0, bodyLimit), truncated: true, encoding };
  }
  return { body: Buffer.concat(chunks), truncated: false, encoding };
}

const decoders = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress };

/** Some servers compress what nobody asked them to. Words would never be found in that. */
function decoded(
  response: IncomingMessage,
  method: string,
): { readonly stream: Readable; readonly encoding: string | null } {
  const { statusCode = 0, headers } = response;
  const empty = method === 'HEAD' || statusCode === 204 || statusCode === 304 || headers['content-length'] === '0';
  const encoding = empty ? '' : (headers['content-encoding']?.trim().toLowerCase() ?? '');
  const decode = Object.hasOwn(decoders, encoding) ? decoders[encoding as keyof typeof decoders] : undefined;
  if (!decode) return { stream: response, encoding: /^(identity)?$/.test(encoding) ? null : encoding };
  // Whoever reads the stream hears of errors.
  return { stream: pipeline(response, decode(), () => {}), encoding: null };
}

/** Name and certificate stay those of the URL; only the connection goes elsewhere. */
function connectTo(address: string, url: URL): RequestOptions & { servername?: string; checkServerIdentity: unknown } {
  const name = url.hostname.replace(/^\[|\]$/g, '');
  return {
    hostname: address,
    ...(isIP(name) === 0 && { servername: name }),
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
  };
}

function isRedirect(status: number | null): boolean {
  return status !== null && [301, 302, 303, 307, 308].includes(status);
}

/** A URL without user and password. */
export function shown(url: URL): string {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  return copy.href;
}
