import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture, judgeOutput, runProbe, shells } from '../../../../test/support/probe.js';
import { readAddress } from '../address.js';
import kind from './step.js';

describe('check.port', () => {
  const any = fixture('debian12-any.txt', import.meta.url);
  const loopback = fixture('debian12-loopback.txt', import.meta.url);

  it('names the addresses', () => {
    expect(judgeOutput(kind, any, { port: 22 })).toMatchObject({
      outcome: 'ok',
      summary: 'tcp port 22 listens on 0.0.0.0 (any), :: (any)',
    });
  });

  it('fails when nothing listens', () => {
    expect(judgeOutput(kind, 'order\tlittle\n', { port: 22 })).toMatchObject({
      outcome: 'failed',
      reason: 'port-closed',
    });
  });

  it('finds a service that listens on loopback only', () => {
    expect(judgeOutput(kind, loopback, { port: 7777 }).outcome).toBe('ok');
    expect(judgeOutput(kind, loopback, { port: 7777, address: 'any' })).toMatchObject({
      outcome: 'failed',
      reason: 'wrong-address',
      summary: 'tcp port 7777 listens on 127.0.0.1, should listen on any',
    });
    expect(judgeOutput(kind, loopback, { port: 7777, address: 'loopback' }).outcome).toBe('ok');
    expect(judgeOutput(kind, any, { port: 22, address: 'loopback' }).outcome).toBe('failed');
  });

  it('counts a wildcard for one address', () => {
    expect(judgeOutput(kind, any, { port: 22, address: '10.0.0.5' }).outcome).toBe('ok');
    expect(judgeOutput(kind, loopback, { port: 22, address: '10.0.0.5' }).outcome).toBe('failed');
  });

  it('wants a port to be free', () => {
    expect(judgeOutput(kind, any, { port: 22, state: 'free' }).reason).toBe('port-in-use');
    expect(judgeOutput(kind, 'order\tlittle\n', { port: 22, state: 'free' }).outcome).toBe('ok');
  });

  it.each([
    ['0100007F', false, '127.0.0.1'],
    ['7F000001', true, '127.0.0.1'],
    ['00000000000000000000000001000000', false, '::1'],
    ['00000000000000000000000000000001', true, '::1'],
    ['0000000000000000FFFF00000100007F', false, '127.0.0.1'],
    ['B80D01200000000000000000DDCCBBAA', false, '2001:db8::aabb:ccdd'],
  ])('reads %s (big-endian: %s) as %s', (hex, bigEndian, address) => {
    expect(readAddress(hex, bigEndian)).toBe(address);
  });

  it('does not take other text for an address', () => {
    expect(() => readAddress('localhost', false)).toThrow('not an address');
  });

  describe('on this machine', () => {
    let server: Server;
    let port: number;

    beforeAll(async () => {
      server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
    });

    afterAll(() => server.close());

    it.each(Object.keys(shells))('finds a listener with %s', (shell) => {
      expect(judgeOutput(kind, runProbe(kind, { port }, shell), { port })).toMatchObject({
        outcome: 'ok',
        summary: `tcp port ${port} listens on 127.0.0.1`,
      });
    });
  });
});
