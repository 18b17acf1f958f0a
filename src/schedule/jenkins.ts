import { jenkinsText } from './calendar.js';
import { ciMinutes, ciScript, indented } from './ci.js';
import { oneLine, reportsFolder, type ScheduledJob, type ScheduleTarget } from './job.js';

/** A declarative Jenkinsfile. */
export const jenkins: ScheduleTarget = {
  place: 'ci',
  outputs: [
    'table',
    `junit=${reportsFolder}/junit.xml`,
    `sarif=${reportsFolder}/result.sarif`,
    `json=${reportsFolder}/result.json`,
  ],
  render(job) {
    const path = `jenkins/${job.name}.Jenkinsfile`;
    return {
      files: [{ path, mode: '0644', text: jenkinsfile(job) }],
      prepare: [],
      next: [
        '# plug-ins: Pipeline, Git, Credentials Binding, SSH Credentials, JUnit, Warnings (for recordIssues)',
        '# credentials: opsctl-ssh (SSH user name with private key)' +
          `${job.bringsHostKeys ? '' : ', opsctl-known-hosts (secret file)'}` +
          `${job.secrets.map((name) => `, ${name} (secret text)`).join('')}`,
        `# new item, Pipeline, Pipeline script from SCM, script path ${path}; build it once, so that Jenkins reads the trigger`,
      ],
    };
  },
};

function jenkinsfile(job: ScheduledJob): string {
  const credentials = [
    "sshUserPrivateKey(credentialsId: 'opsctl-ssh', keyFileVariable: 'OPSCTL_SSH_KEY')",
    ...(job.bringsHostKeys ? [] : ["file(credentialsId: 'opsctl-known-hosts', variable: 'OPSCTL_KNOWN_HOSTS')"]),
    ...job.secrets.map((name) => `string(credentialsId: '${name}', variable: '${name}')`),
  ];
  return `// ${oneLine(job.title)}. Made by: ${oneLine(job.madeBy)}
pipeline {
  // An agent with Node.js 20.19 or newer and an SSH client.
  agent any
  triggers {
    // H: Jenkins chooses the minute, the same one every time.
    cron('${jenkinsText(job.calendar, job.jitter)}')
  }
  options {
    disableConcurrentBuilds()
    timeout(time: ${ciMinutes(job)}, unit: 'MINUTES')
    buildDiscarder(logRotator(numToKeepStr: '100', artifactNumToKeepStr: '30'))
  }
  stages {
    stage('Install') {
      steps {
        dir(${groovyText(job.folder)}) {
          sh ${groovyText(`#!/bin/sh\nset -eu\n${job.install}\n`)}
        }
      }
    }
    stage('Run') {
      steps {
        dir(${groovyText(job.folder)}) {
          // Reports of an earlier run must not count for this one.
          sh 'rm -rf ${reportsFolder}'
          withCredentials([
${indented(credentials.join(',\n'), 12)}
          ]) {
            // A text between single quotes: Groovy puts no value in, and no secret.
            sh ${groovyText(`#!/bin/sh\n${ciScript(job)}`)}
          }
        }
      }
      post {
        always {
          dir(${groovyText(job.folder)}) {
            junit allowEmptyResults: true, testResults: '${reportsFolder}/junit.xml'
            recordIssues enabledForFailure: true, tools: [sarif(pattern: '${reportsFolder}/result.sarif')]
            archiveArtifacts allowEmptyArchive: true, artifacts: '${reportsFolder}/**'
          }
        }
      }
    }
  }
}
`;
}

/** A Groovy text in which nothing is replaced. */
function groovyText(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  return text.includes('\n') ? `'''${escaped}'''` : `'${escaped}'`;
}
