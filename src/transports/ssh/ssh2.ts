// ssh2 is CommonJS and fills its exports with a spread, which named imports cannot see through.
import ssh2 from 'ssh2';

export const { BaseAgent, Client, createAgent } = ssh2;
export const { parseKey } = ssh2.utils;
export type { Algorithms, AnyAuthMethod, Client as Ssh2Client, ClientChannel, ParsedKey, Prompt } from 'ssh2';
