// The commands about services as a whole: info and types. Command line.
import { describeService } from '@qiway/protocol/http-door/service-record';
import { toJson } from '@qiway/protocol/objects/json';
import { METAOBJECT_SIGNATURE } from '@qiway/protocol/wire/metaobject-signature';
import { QiwayError, type Robot } from '../index.ts';
import { generateTypes } from './generate-types.ts';
import { printService, printServices } from './print-service.ts';
import { describe } from './robot-access.ts';
import { jsonText, type Terminal } from './terminal.ts';
import type { Invocation } from './usage.ts';

type Command = (robot: Robot, invocation: Invocation, terminal: Terminal) => Promise<void>;

export const info: Command = async (robot, { args, all, json }, terminal) => {
  const services = (await robot.services()).toSorted((a, b) => a.serviceId - b.serviceId);
  const [name] = args;
  if (robot.status.bus === 'down')
    terminal.error(
      'qiway: the robot’s bus is down: these are its services as they were, and calls fail until it is back\n',
    );
  if (name === undefined) {
    const shown = services.filter((service) => all || !service.name.startsWith('_'));
    terminal.out(json ? jsonText(shown.map(describeService), true) : printServices(shown));
    return;
  }
  const { metaObject } = await describe(robot, name);
  const service = services.find((candidate) => candidate.name === name);
  if (service === undefined)
    throw new QiwayError('service-gone', `${name} left the bus just now.`, { data: { service: name } });
  if (json) {
    const members = toJson(METAOBJECT_SIGNATURE, metaObject);
    terminal.out(jsonText({ service: describeService(service), metaObject: members }, true));
  } else terminal.out(printService(service, metaObject, all));
};

export const types: Command = async (robot, { all, out }, terminal) => {
  const services = (await robot.services()).filter(({ name }) => all || !name.startsWith('_'));
  const described = await Promise.all(
    services.map(async ({ name }) => {
      try {
        return [{ name, metaObject: (await describe(robot, name)).metaObject }];
      } catch (error) {
        // One service that went away, or cannot be reached, is no reason to have no types of the others.
        terminal.error(`qiway: ${name} is left out: ${error instanceof Error ? error.message : String(error)}\n`);
        return [];
      }
    }),
  );
  const text = generateTypes(described.flat(), { all });
  if (out === undefined) terminal.out(text);
  else await terminal.writeFile(out, text);
};
