import type { Deadlines } from './transport.js';

/** Every bounded wait of a connection, in milliseconds. The only place that holds these figures. */
export const defaultDeadlines: Deadlines = {
  connect: 5_000,
  banner: 10_000,
  login: 20_000,
  channel: 10_000,
  keepaliveInterval: 5_000,
  keepaliveCount: 3,
  afterExit: 5_000,
};
