// Makes an app of `app.js` with each tool, as its documentation has it: no option that is about this SDK. Fixtures, no tests.
import { join } from 'node:path';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { build as esbuild } from 'esbuild';
import { rollup } from 'rollup';
import { build as vite } from 'vite';
import webpack from 'webpack';

/** Builds the app in a folder; gives the folder to be served, whose page loads `app.js` or has its own script. */
export type BuildApp = (app: string) => Promise<string>;

export const viteBuild: BuildApp = async (app) => {
  await vite({ configFile: false, root: app, logLevel: 'warn' });
  return join(app, 'dist');
};

export const webpackBuild: BuildApp = async (app) => {
  const path = join(app, 'out');
  const compiler = webpack({
    mode: 'production',
    context: app,
    entry: './app.js',
    output: { path, filename: 'app.js' },
    performance: false,
    // It takes most of the time, and changes nothing of what is looked at here.
    optimization: { minimize: false },
  });
  await new Promise<void>((done, failed) => {
    compiler.run((error, stats) => {
      if (error !== null && error !== undefined) failed(error);
      else if (stats?.hasErrors() === true || stats?.hasWarnings() === true) failed(new Error(stats.toString()));
      else compiler.close(() => done());
    });
  });
  return path;
};

export const rollupBuild: BuildApp = async (app) => {
  const dir = join(app, 'out');
  const bundle = await rollup({
    input: join(app, 'app.js'),
    plugins: [nodeResolve({ browser: true })],
    onwarn: (warning) => {
      throw new Error(warning.message);
    },
  });
  await bundle.write({ dir, format: 'es' });
  await bundle.close();
  return dir;
};

export const esbuildBuild = async (app: string, entryPoints: string[] = ['app.js']): Promise<string> => {
  const outdir = join(app, 'out');
  const { warnings } = await esbuild({
    absWorkingDir: app,
    entryPoints,
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir,
    logLevel: 'silent',
  });
  if (warnings.length > 0) throw new Error(JSON.stringify(warnings));
  return outdir;
};
