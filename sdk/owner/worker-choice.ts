// What an app may say of the SharedWorker. Types; without those of the DOM, which programs in Node do not have.

/** The URL of the worker's file, the `SharedWorker` itself, or that there is to be none. */
export type WorkerChoice = string | { readonly href: string } | { readonly port: object } | false;
