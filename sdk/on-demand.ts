// The part of the SDK that most pages never need, as a file of its own that is loaded when they do.
import { lazyPart, type Part } from '@qiway/protocol/part';

/** See protocol/objects/on-demand.ts. */
export type OnDemand = typeof import('@qiway/protocol/objects/on-demand');

export const onDemand: Part<OnDemand> = lazyPart(() => import('@qiway/protocol/objects/on-demand'));
