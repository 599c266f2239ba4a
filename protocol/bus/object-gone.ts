// How an object ends that is no service, whatever it ends with: a service may come back, what it handed out does not. Layer 2.
import { QiwayError, sentenceOf } from '../errors.ts';

export function objectGone(error: QiwayError): QiwayError {
  if (error.code === 'object-gone') return error;
  return new QiwayError('object-gone', `The object ended with its service: ${sentenceOf(error)}`, { cause: error });
}
