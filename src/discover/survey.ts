import type { RunResult } from '../result/result.schema.js';
import type { ListeningData } from '../steps/check/listening/step.js';
import type { RouteData } from '../steps/check/route/step.js';
import { readUnits } from '../steps/check/units.js';
import type { SurveyData } from '../steps/run/survey/step.js';
import type { Survey } from './subject.js';

/** Steps that look at the host, in one round: a survey, and two checks that list what they look at. */
export const surveySteps = [
  { id: 'survey', uses: 'run.survey' },
  { id: 'listening', uses: 'check.listening', with: { allow: [], protocols: ['tcp', 'udp'], loopback: true } },
  { id: 'ipv4', uses: 'check.route', with: { family: 'ipv4' } },
  { id: 'ipv6', uses: 'check.route', with: { family: 'ipv6' } },
] as const;

type SurveyStep = (typeof surveySteps)[number]['id'];

/** What the steps found. Undefined when the survey itself did not come to its end. */
export function readSurvey(result: RunResult): Survey | undefined {
  const steps = result.hosts[0]?.steps ?? [];
  const dataOf = (id: SurveyStep) => steps.find(({ step }) => step === id)?.data;
  const survey = dataOf('survey') as SurveyData | undefined;
  if (!survey) return undefined;
  const lines = (subject: string) => (Object.hasOwn(survey, subject) ? (survey[subject] ?? []) : []);
  const routes = (['ipv4', 'ipv6'] as const).flatMap((family) => {
    const [first] = (dataOf(family) as RouteData | undefined)?.routes ?? [];
    return first ? [{ family, gateway: first.gateway, interface: first.interface }] : [];
  });
  return {
    lines,
    isRoot: lines('uid')[0] === '0',
    units: readUnits(lines('unit').join('\n')),
    sockets: (dataOf('listening') as ListeningData | undefined)?.sockets ?? [],
    routes,
  };
}
