import { Gate } from './gate.js';

/**
 * How many handshakes may run at once in this process. Handshakes are CPU work for the event loop, and too many
 * at once make every host look slow; but far hosts need many in flight, because they mostly wait.
 */
export class HandshakeGate extends Gate {
  constructor(limit = 64) {
    super(limit);
  }
}
