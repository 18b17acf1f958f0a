import { UserError } from '../errors.js';
import { cronText, shortestGap } from './calendar.js';
import { ciMinutes, ciScript, indented, yamlText } from './ci.js';
import { oneLine, reportsFolder, type ScheduledJob, type ScheduleTarget } from './job.js';

/** A workflow of GitHub Actions. */
export const github: ScheduleTarget = {
  place: 'ci',
  outputs: [
    'github',
    `junit=${reportsFolder}/junit.xml`,
    `sarif=${reportsFolder}/result.sarif`,
    `json=${reportsFolder}/result.json`,
  ],
  render(job) {
    if (shortestGap(job.calendar) < 5)
      throw new UserError({
        code: 'E_FLAG',
        what: 'GitHub starts a workflow every five minutes at most',
        hint: 'take `--every 5m` or more, or another target',
      });
    const path = `.github/workflows/${job.name}.yml`;
    return {
      files: [{ path, mode: '0644', text: workflow(job) }],
      prepare: [],
      next: [
        'gh secret set OPSCTL_SSH_KEY <KEYFILE   # a key for this job alone, without a passphrase',
        ...(job.bringsHostKeys ? [] : ['gh secret set OPSCTL_KNOWN_HOSTS <known_hosts']),
        ...job.secrets.map((name) => `gh secret set ${name}`),
        `git add ${path} && git commit -m "Run ${job.name} by schedule" && git push`,
        `# try it: gh workflow run ${job.name}.yml`,
        '# pin each action to a commit: replace @v5 by @SHA, with the version in a comment',
      ],
    };
  },
};

function workflow(job: ScheduledJob): string {
  const reports = literal(`${job.folder === '.' ? '' : `${job.folder}/`}${reportsFolder}`);
  return `# Made by: ${oneLine(job.madeBy)}
name: ${literal(yamlText(oneLine(job.title)))}
on:
  schedule:
    # UTC. GitHub may start late when it is busy, and stops after 60 days without a commit.
    - cron: "${cronText(job.calendar)}"
  workflow_dispatch:
permissions: {}
# One run at a time; the next one waits, and none is broken off.
concurrency:
  group: ${job.name}
  cancel-in-progress: false
defaults:
  run:
    shell: bash
    working-directory: ${literal(yamlText(job.folder))}
jobs:
  run:
    runs-on: ubuntu-latest
    timeout-minutes: ${ciMinutes(job)}
    permissions:
      contents: read
      # To show the findings under Security.
      security-events: write
    steps:
      # Pin each action to a commit: a version can be moved, a SHA cannot.
      - uses: actions/checkout@v5
        with:
          persist-credentials: false
      - uses: actions/setup-node@v5
        with:
          node-version: "20"
      - name: Install opsctl
        run: ${literal(yamlText(job.install))}
      - name: Run
        env:
          OPSCTL_SSH_KEY: \${{ secrets.OPSCTL_SSH_KEY }}
          OPSCTL_KNOWN_HOSTS: \${{ secrets.OPSCTL_KNOWN_HOSTS }}
${job.secrets.map((name) => `          ${name}: \${{ secrets.${name} }}\n`).join('')}        run: |
${literal(indented(ciScript(job), 10))}
      - name: Keep the reports
        if: always()
        uses: actions/upload-artifact@v5
        with:
          name: opsctl-reports
          path: ${yamlText(reports)}
          if-no-files-found: warn
          retention-days: 30
      - name: Show the findings
        if: always()
        # Private repositories need GitHub Advanced Security for this; without it the run is judged all the same.
        continue-on-error: true
        uses: github/codeql-action/upload-sarif@v4
        with:
          sarif_file: ${yamlText(`${reports}/result.sarif`)}
          category: ${job.name}
`;
}

/** GitHub replaces \`\${{ }}\` before anything else reads the text; a value that holds it shall stay as it is. */
function literal(text: string): string {
  return text.replaceAll('${{', "${{ '${{' }}");
}
