// The objects of one program towards one robot, all of it linked in: for programs that serve. Layer 3; see object-map.ts.
import { bestOverload } from '../bus/best-overload.ts';
import { linkedPart } from '../part.ts';
import { fitArguments } from './arguments.ts';
import { callWhenUp } from './call-when-up.ts';
import { hostingMap } from './hosting-map.ts';
import { createObjectMap, type ObjectMapOptions, type RemoteObjects } from './object-map.ts';
import { callQueued } from './queued-call.ts';

export type { RemoteObjects } from './object-map.ts';

export type RemoteObjectsOptions = Omit<ObjectMapOptions, 'part' | 'queueing'>;

export function createRemoteObjects(options: RemoteObjectsOptions): RemoteObjects {
  return createObjectMap({
    ...options,
    part: linkedPart({ hostingMap, bestOverload, fitArguments, callWhenUp }),
    queueing: linkedPart({ callQueued }),
  });
}
