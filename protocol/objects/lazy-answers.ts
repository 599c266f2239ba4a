// The answers of a hosted object before anybody calls it: the first call has them loaded, and those that come meanwhile
// wait, in order. Layer 3.
import { type CallHandle, releasePayload } from '../bus/bus.ts';
import type { QiwayError } from '../errors.ts';
import { type Part, partMissing } from '../part.ts';
import { Turns } from '../turns.ts';
import type { Answers, AnswersFor } from './hosted.ts';

/** As `answers`, out of a part that is loaded with the first call or post. */
export function lazyAnswers(part: Part<{ readonly answers: AnswersFor }>): AnswersFor {
  return (state) => {
    const turns = new Turns();
    let known: Answers | undefined;
    const arrived = (): Answers | undefined => {
      known ??= part.here?.answers(state);
      return known;
    };
    return {
      call: (request, sink) => {
        let handle: CallHandle | undefined;
        let isCanceled = false;
        const refuse = (error: QiwayError): void => {
          releasePayload(request.payload);
          sink.error(error);
        };
        try {
          turns.run(() => {
            handle = arrived()?.call(request, sink);
            if (handle === undefined) refuse(partMissing());
            else if (isCanceled) handle.cancel();
          }, part);
        } catch (error) {
          refuse(error as QiwayError);
        }
        return {
          cancel: () => {
            isCanceled = true;
            handle?.cancel();
          },
        };
      },
      post: (action, payload) => {
        try {
          turns.run(() => {
            const answers = arrived();
            if (answers === undefined) releasePayload(payload);
            else answers.post(action, payload);
          }, part);
        } catch {
          releasePayload(payload); // posts fail silently, as on the bus
        }
      },
    };
  };
}
