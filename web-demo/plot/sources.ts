// What can be plotted: the robot's own figures, and every signal and property with numbers in it. Layer: plot.
import { type LooseMembers, metaObjectOf, type RemoteObject } from '@qiway/sdk';
import type { ConsoleState } from '../console-state.ts';
import { describeObject } from '../explorer/described.ts';
import type { ValueType } from '../explorer/signature.ts';
import { numbersIn } from './numbers.ts';

export interface Figure {
  readonly id: string;
  readonly name: string;
  readonly read: (state: ConsoleState) => ReadonlyMap<string, number> | undefined;
}

/** Figures the console knows anyway; they are sampled. */
export const FIGURES: readonly Figure[] = [
  {
    id: 'position',
    name: 'Position',
    read: ({ robot }) => {
      const pose = robot.pose.peek();
      return pose === undefined || robot.motion.peek() === undefined
        ? undefined
        : new Map([
            ['x (m)', pose.x],
            ['y (m)', pose.y],
            ['heading (rad)', pose.theta],
          ]);
    },
  },
  {
    id: 'battery',
    name: 'Battery',
    read: ({ robot }) => {
      const percent = robot.batteryPercent.peek();
      return percent === undefined ? undefined : new Map([['battery (%)', percent]]);
    },
  },
  {
    id: 'round-trip',
    name: 'Link round trip',
    read: ({ link }) => {
      const rttMs = link.rttMs.peek();
      return rttMs === undefined ? undefined : new Map([['round trip (ms)', rttMs]]);
    },
  },
  {
    id: 'steering',
    name: 'Joystick',
    read: ({ drive }) => {
      const { x, y, theta } = drive.steering.peek();
      return new Map([
        ['ahead', x],
        ['left', y],
        ['turn', theta],
      ]);
    },
  },
];

export interface PlottableMember {
  readonly fullName: string;
  readonly name: string;
  readonly kind: 'signal' | 'property';
}

/** The signals and properties of an object that may hold numbers. */
export function plottableMembers(object: RemoteObject<LooseMembers>): readonly PlottableMember[] {
  const { signals, properties } = describeObject(metaObjectOf(object), { isComplete: false });
  return [
    ...signals
      .filter((signal) => signal.parameters.some(({ type }) => mayHoldNumbers(type)))
      .map(({ name, fullName }) => ({ name, fullName, kind: 'signal' as const })),
    ...properties
      .filter(({ type }) => mayHoldNumbers(type))
      .map(({ name, fullName }) => ({ name, fullName, kind: 'property' as const })),
  ];
}

function mayHoldNumbers(type: ValueType): boolean {
  switch (type.kind) {
    case 'integer':
    case 'float':
    case 'bool':
    case 'dynamic':
      return true;
    case 'list':
    case 'optional':
    case 'map':
      return mayHoldNumbers(type.item);
    case 'tuple':
      return type.members.some((member) => mayHoldNumbers(member.type));
    default:
      return false;
  }
}

/** Subscribes to a member. Resolves once the robot confirmed, to how to end it. `gap`: some may have been missed. */
export async function followMember(
  object: RemoteObject<LooseMembers>,
  { name, fullName, kind }: PlottableMember,
  { take, gap }: { readonly take: (numbers: ReadonlyMap<string, number>) => void; readonly gap: () => void },
): Promise<() => unknown> {
  const member = object[fullName] as LooseMembers[string];
  const off = await member.connect((...args: unknown[]) => take(numbersIn(args.length === 1 ? args[0] : args, name)), {
    gap,
  });
  if (kind === 'property') take(numbersIn(await member.value(), name));
  return off;
}
