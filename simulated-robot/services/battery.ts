// ALBattery: charge and charging.
import { createObject, type HostedObject, method, signal } from '@qiway/protocol/objects/hosted-object';
import { readOnly } from './checks.ts';
import type { Surroundings } from './surroundings.ts';

export function createBattery({ robot }: Surroundings): HostedObject {
  const { battery } = robot;
  const object = createObject(
    {
      getBatteryCharge: method('()', 'i', () => battery.charge, { description: 'The charge in percent.' }),
      batteryChargeChanged: signal('(i)'),
      batteryPowerPluggedChanged: signal('(b)'),
      charge: readOnly('i', battery.charge),
      charging: readOnly('b', battery.isPlugged),
    },
    { description: 'The battery: drains as the robot works, charges on the dock.' },
  );
  battery.chargeChanged.listen((charge) => {
    object.set('charge', charge);
    object.emit('batteryChargeChanged', charge);
  });
  battery.pluggedChanged.listen((isPlugged) => {
    object.set('charging', isPlugged);
    object.emit('batteryPowerPluggedChanged', isPlugged);
  });
  return object;
}
