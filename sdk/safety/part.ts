// Failsafes and leases as a part of the SDK of their own, loaded when an app first asks for one.
import { lazyPart, type Part } from '@qiway/protocol/part';

export const safetyPart: Part<typeof import('./safety.ts')> = lazyPart(() => import('./safety.ts'));
