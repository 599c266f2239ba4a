// What every hosted object lists beside its own members (facts: the protocol, "methods of every object"). Layer 2; pure data.
import { type MetaMethod, type MetaSignal, standardReturn } from './metaobject.ts';

const trace =
  '((IiIm(ll)<timeval,tv_sec,tv_usec>llII)<EventTrace,id,kind,slotId,arguments,timestamp,userUsTime,systemUsTime,callerContext,calleeContext>)';

function method(uid: number, name: string, parametersSignature: string): MetaMethod {
  const returnSignature = standardReturn(uid);
  return { uid, returnSignature, name, parametersSignature, description: '', parameters: [], returnDescription: '' };
}

/** The methods that every hosted object lists beside its own. */
export const STANDARD_METHODS: readonly MetaMethod[] = [
  method(0, 'registerEvent', '(IIL)'),
  method(1, 'unregisterEvent', '(IIL)'),
  method(2, 'metaObject', '(I)'),
  method(3, 'terminate', '(I)'),
  method(5, 'property', '(m)'),
  method(6, 'setProperty', '(mm)'),
  method(7, 'properties', '()'),
  method(8, 'registerEventWithSignature', '(IILs)'),
  method(80, 'isStatsEnabled', '()'),
  method(81, 'enableStats', '(b)'),
  method(82, 'stats', '()'),
  method(83, 'clearStats', '()'),
  method(84, 'isTraceEnabled', '()'),
  method(85, 'enableTrace', '(b)'),
];

/** The signal that every hosted object lists beside its own. */
export const STANDARD_SIGNALS: readonly MetaSignal[] = [{ uid: 86, name: 'traceObject', signature: trace }];
