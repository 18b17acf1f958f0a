import { rangeSchema } from '../range.js';
import { type Measurement, measure } from './issues.js';

/** What the looks at SQL servers share besides a query of the user's own. */
export const databaseTlsParam = {
  type: 'boolean',
  default: true,
  description: 'Speak TLS, and verify the certificate before anyone logs in.',
} as const;

export const connectionsParams = {
  'connections-warning': {
    ...rangeSchema('Warn when more of the connections that the server allows are in use.'),
    default: '80%',
  },
  'connections-critical': {
    ...rangeSchema('Fail when more of the connections that the server allows are in use.'),
    default: '95%',
  },
} as const;

export function measureConnections(
  { connections, mostConnections }: { readonly connections: number; readonly mostConnections: number },
  given: { readonly 'connections-warning': string | number; readonly 'connections-critical': string | number },
): Measurement {
  return measure(
    'connections',
    connections / mostConnections,
    'ratio',
    { warning: given['connections-warning'], critical: given['connections-critical'], min: 0 },
    (quantity) => `uses ${quantity} of ${mostConnections} connections`,
  );
}
