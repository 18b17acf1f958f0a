import { loadProject, type Project } from '../documents/project.js';
import { stateFolder } from '../journal/state.js';
import type { CommandContext } from './command.js';

/** Where the runs of this project are kept: as its opsctl.yaml says, else the user's own state folder. */
export async function chooseStateFolder(context: CommandContext, explicit: string | undefined): Promise<string> {
  const project = await findProject(context, explicit);
  return project.state ?? stateFolder(context.env);
}

export async function findProject(context: CommandContext, explicit: string | undefined): Promise<Project> {
  const { cwd, user } = context;
  return loadProject({
    cwd,
    ...(explicit !== undefined && { explicit }),
    ...(user.uid !== undefined && { uid: user.uid }),
    ...(user.home !== undefined && { home: user.home }),
  });
}
