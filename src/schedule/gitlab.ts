import { cronText } from './calendar.js';
import { ciMinutes, ciScript, indented, yamlText } from './ci.js';
import { oneLine, reportsFolder, type ScheduledJob, type ScheduleTarget } from './job.js';
import { shellWord } from './shell.js';

/** A job of GitLab CI. When it starts is not in the file: GitLab keeps schedules beside the repository. */
export const gitlab: ScheduleTarget = {
  place: 'ci',
  outputs: [
    'table',
    `junit=${reportsFolder}/junit.xml`,
    `gitlab=${reportsFolder}/code-quality.json`,
    `json=${reportsFolder}/result.json`,
  ],
  render(job) {
    const path = `.gitlab/${job.name}.yml`;
    const variables = ['OPSCTL_SSH_KEY', ...(job.bringsHostKeys ? [] : ['OPSCTL_KNOWN_HOSTS']), ...job.secrets];
    return {
      files: [{ path, mode: '0644', text: pipeline(job) }],
      prepare: [],
      next: [
        `# in .gitlab-ci.yml: include: [{ local: ${path} }]`,
        `# under Settings, CI/CD, Variables, protected: ${variables.join(', ')} (keys as type File)`,
        `glab schedule create --ref main --cron "${cronText(job.calendar)}" --description ${job.name} --variable "OPSCTL_JOB:${job.name}"`,
      ],
    };
  },
};

function pipeline(job: ScheduledJob): string {
  const folder = job.folder === '.' ? '' : `${job.folder}/`;
  return `# Made by: ${oneLine(job.madeBy)}
# Started by a pipeline schedule "${cronText(job.calendar)}" with the variable OPSCTL_JOB=${job.name}, or by hand.
# Variables: OPSCTL_SSH_KEY, OPSCTL_KNOWN_HOSTS${job.secrets.map((name) => `, ${name}`).join('')}.
${job.name}:
  # Node.js 20 with an SSH client. Pin it to a digest: a tag can be moved.
  image: node:20-bookworm
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule" && $OPSCTL_JOB == "${job.name}"
    - if: $CI_PIPELINE_SOURCE == "web"
      when: manual
      allow_failure: true
  # One run at a time, also over several pipelines; none is broken off.
  resource_group: ${job.name}
  interruptible: false
  timeout: ${ciMinutes(job)} minutes
  before_script:
    - ${yamlText(`cd ${shellWord(job.folder)}`)}
    - ${yamlText(job.install)}
  script:
    - |
${indented(ciScript(job), 6)}
  artifacts:
    when: always
    expire_in: 30 days
    access: developer
    paths:
      - ${yamlText(`${folder}${reportsFolder}/`)}
    reports:
      junit: ${yamlText(`${folder}${reportsFolder}/junit.xml`)}
      codequality: ${yamlText(`${folder}${reportsFolder}/code-quality.json`)}
`;
}
