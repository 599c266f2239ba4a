// The robot as a caller: greets a console that a page hosts on the bus, and tells it what happens. Knows the bus as the seam.
import type { Bus } from '@qiway/protocol/bus/bus';
import type { RemoteObjects } from '@qiway/protocol/objects/remote-objects';
import type { RemoteObject } from '@qiway/protocol/objects/remote-types';
import type { Robot } from './body/robot.ts';

/** The service that a page registers; it shows a text to whoever looks at the page. */
const CONSOLE_SERVICE = 'ConsoleDisplay';

interface ConsoleDisplay {
  show(text: string): void;
}

export interface GreeterOptions {
  readonly bus: Bus;
  readonly robot: Robot;
  readonly objects: RemoteObjects;
  readonly report: (sentence: string) => void;
}

/** Greets the console whenever it appears. Returns how to stop. */
export function greetConsoles(options: GreeterOptions): () => void {
  const { bus, robot, objects, report } = options;
  let display: RemoteObject<ConsoleDisplay> | undefined;
  const forget = (): void => {
    display?.release();
    display = undefined;
  };
  const show = (text: string): void => {
    // A page that goes away while it is told is nothing to worry about.
    display?.show(text).catch((error: unknown) => report(`The console could not be told: ${String(error)}`));
  };
  const greet = async (): Promise<void> => {
    const object = await bus.service(CONSOLE_SERVICE);
    forget();
    display = objects.wrap<ConsoleDisplay>(object);
    show(`Hello, this is the robot. My battery is at ${robot.battery.charge} %.`);
  };
  const tryGreet = (): void => {
    greet().catch((error: unknown) => report(`The console could not be greeted: ${String(error)}`));
  };
  const offs = [
    bus.listen({
      serviceAdded: ({ name }) => name === CONSOLE_SERVICE && tryGreet(),
      serviceRemoved: ({ name }) => name === CONSOLE_SERVICE && forget(),
      stateChanged: (state) => state !== 'up' && forget(),
    }),
    robot.base.blocked.listen((name) => show(`I stopped: the ${name} is in the way.`)),
    robot.touched.listen(({ sensor, isPressed }) => isPressed && show(`Somebody touched me: ${sensor}.`)),
    robot.battery.pluggedChanged.listen((isPlugged) =>
      show(isPlugged ? 'I am on my dock and charging.' : 'I left my dock.'),
    ),
  ];
  return () => {
    for (const off of offs) off();
    forget();
  };
}
