import { applications } from './applications.js';
import { certificates } from './certificates.js';
import { endpoints } from './endpoints.js';
import { jobs } from './jobs.js';
import { kernel } from './kernel.js';
import { network } from './network.js';
import { packages } from './packages.js';
import { ports } from './ports.js';
import { resources } from './resources.js';
import { services } from './services.js';
import { storage } from './storage.js';
import type { Subject } from './subject.js';
import { users } from './users.js';

/** What is looked for, in the order of the runbook. One line a subject. */
export const subjects: readonly Subject[] = [
  resources,
  storage,
  services,
  jobs,
  ports,
  endpoints,
  applications,
  network,
  users,
  packages,
  certificates,
  kernel,
];
