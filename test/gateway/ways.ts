// Who may be on which side of the gateway: the constellations that tests run through. No tests of its own.
import type { Bus } from '../../protocol/bus/bus.ts';
import type { Gateway } from './gateway.ts';

export interface Way {
  readonly name: string;
  readonly client: (gateway: Gateway) => Promise<Bus>;
  readonly host: (gateway: Gateway) => Promise<Bus>;
}

const inside = (gateway: Gateway): Promise<Bus> => gateway.inside();
const outside = (gateway: Gateway): Promise<Bus> => gateway.outside();
const page = (gateway: Gateway): Promise<Bus> => gateway.session();

export const WAYS: readonly Way[] = [
  { name: 'a qi program outside and a service of the robot', client: outside, host: inside },
  { name: 'a page and a service of the robot', client: page, host: inside },
  { name: 'a program of the robot and a service of a qi program outside', client: inside, host: outside },
  { name: 'a program of the robot and a service of a page', client: inside, host: page },
  { name: 'a qi program outside and a service of a page', client: outside, host: page },
];
