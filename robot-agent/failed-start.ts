// Why the agent did not start, in the words of its options: which one, and which file. Knows options and sentences only.
import { isQiwayError, QiwayError, sentenceOf } from '@qiway/protocol/errors';
import type { AgentConfig } from './config.ts';

/** Names the option whose file is wrong; other failures pass as they are. */
export function inWordsOfOptions(error: unknown, { tls, busCredentials, qiCredentials }: AgentConfig): unknown {
  if (!isQiwayError(error) || error.code !== 'config-invalid') return error;
  const { key } = error.data as { readonly key?: string };
  const sentence = sentenceOf(error);
  if (key === 'credentials') {
    const isOf = (path: string | undefined): boolean => path !== undefined && sentence.includes(` ${path} `);
    const options = [
      ...(isOf(busCredentials) ? ['bus-credentials'] : []),
      ...(isOf(qiCredentials) ? ['qi-credentials'] : []),
    ];
    return options.length === 0 ? error : named(`--${options.join(' and --')}`, error);
  }
  // The key is in a file, and a passphrase is no option.
  if (key === 'tls.passphrase')
    return refusal(
      `--tls-key ${tls?.paths?.key ?? ''}`,
      'The private key is encrypted: decrypt it with openssl pkey.',
      error,
    );
  const part = /^tls\.(cert|key|ca)$/.exec(key ?? '')?.[1] as 'cert' | 'key' | 'ca' | undefined;
  const path = part === undefined ? undefined : tls?.paths?.[part];
  return path === undefined ? error : refusal(`--tls-${part} ${path}`, withoutPemText(sentence), error);
}

/** `error` with the option that it is about in front. */
export function named(option: string, error: unknown): unknown {
  return isQiwayError(error) ? refusal(option, sentenceOf(error), error) : error;
}

function refusal(option: string, sentence: string, error: QiwayError): QiwayError {
  return new QiwayError(error.code, `${option}: ${sentence}`, { data: error.data, cause: error });
}

/** The library is given texts, the agent files. */
function withoutPemText(sentence: string): string {
  return sentence.replace(/: give its PEM text\.$/, '.');
}
