// In which form an answer goes out: JSON, bytes, a picture; and what the request has to say about it. Pure.
import { QiwayError } from '../errors.ts';
import { acceptance, EVENT_STREAM, FRAMES, JSON_TYPE, namesType, OCTETS, pictureAcceptance } from './accept.ts';
import { rangedResponse } from './byte-ranges.ts';
import type { Answer } from './call.ts';
import type { DoorRequest, DoorResponse } from './door-types.ts';
import { type PictureFile, pictureOf } from './pictures.ts';
import type { Deflate } from './png.ts';
import { bytesResponse, jsonResponse, notAcceptable, problemResponse } from './responses.ts';

/** What a request wants. `events` and `frames` go on until one side ends them. */
export type Form = 'json' | 'bytes' | 'picture' | 'events' | 'frames';

/** Special forms only when they are named, and not liked less than JSON: `*` is what everybody sends who does not care. */
export function wantedForm(accept: string | undefined): Form {
  if (namesType(accept, EVENT_STREAM)) return 'events';
  if (namesType(accept, FRAMES)) return 'frames';
  const json = acceptance(accept, JSON_TYPE);
  const pictures = pictureAcceptance(accept);
  if (pictures > 0 && pictures >= json) return 'picture';
  return namesType(accept, OCTETS) && acceptance(accept, OCTETS) >= json ? 'bytes' : 'json';
}

export interface AnswerFormat {
  readonly request: DoorRequest;
  readonly accept: string | undefined;
  readonly form: Form;
  /** Of the JSON. */
  readonly key: 'result' | 'value';
  /** The signature in the metaobject, or several. */
  readonly declared: readonly string[];
  readonly deflate: Deflate | undefined;
}

/** May it hold bytes, as far as the metaobject tells? */
function mayBeRaw(declared: readonly string[]): boolean {
  return declared.some((signature) => signature === 'r' || signature === 'm');
}

/** Before anything runs: undefined, or that no form will do. */
export function refuseForm({ accept, form, declared }: AnswerFormat): DoorResponse | undefined {
  if (form === 'picture' || acceptance(accept, JSON_TYPE) > 0) return undefined;
  const isRawPossible = mayBeRaw(declared);
  if (isRawPossible && acceptance(accept, OCTETS) > 0) return undefined;
  return notAcceptable(`The answer is application/json${isRawPossible ? ' or application/octet-stream' : ''}.`);
}

export async function formAnswer(answer: Answer, format: AnswerFormat): Promise<DoorResponse> {
  const { request, accept, form, key, deflate } = format;
  const bytes = (file: PictureFile): DoorResponse =>
    request.method === 'POST' ? bytesResponse(file.bytes, file.type) : rangedResponse(request, file.bytes, file.type);
  if (form === 'picture') {
    const picture = await pictureOf(answer.value, deflate);
    if (picture === 'none')
      return problemResponse(new QiwayError('call-failed', 'There is no picture just now; ask again.'), {
        status: 503,
      });
    if (picture === undefined) return notAcceptable('The answer is no picture that can be shown.');
    if (acceptance(accept, picture.type) === 0) return notAcceptable(`The picture is ${picture.type}.`);
    return bytes(picture);
  }
  if (form === 'bytes' && answer.raw !== undefined) return bytes({ bytes: answer.raw, type: OCTETS });
  return jsonResponse({ [key]: answer.json });
}
