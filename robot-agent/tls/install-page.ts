// The page that tells people how their device learns to trust the robot's authority, and the files that it offers. Plain
// HTML that works without scripts, without anything from elsewhere, and over http, since there is no trust yet.
import { createHash, X509Certificate } from 'node:crypto';
import type { DoorResponse } from '@qiway/protocol/http-door/door-types';
import { bytesResponse, methodNotAllowed } from '@qiway/protocol/http-door/responses';
import { appleProfile } from './apple-profile.ts';

const INSTALL_PATH = '/install';
const CERTIFICATE_PATH = `${INSTALL_PATH}/qiway-authority.crt`;
const PROFILE_PATH = `${INSTALL_PATH}/qiway-authority.mobileconfig`;

/** Undefined for other paths. @param authority PEM, of one authority at least */
export function createInstallPages(
  authority: string,
): (request: { readonly method: string; readonly path: string }) => DoorResponse | undefined {
  const certificate = new X509Certificate(authority);
  const profile = appleProfile(certificate);
  const page = Buffer.from(pageOf(certificate), 'utf8');
  const pem = Buffer.from(certificate.toString(), 'latin1');
  return ({ method, path }) => {
    if (path !== INSTALL_PATH && path !== CERTIFICATE_PATH && path !== PROFILE_PATH) return undefined;
    if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(method, 'GET, HEAD');
    // Browsers and systems offer to install files of these types.
    if (path === CERTIFICATE_PATH) return bytesResponse(pem, 'application/x-x509-ca-cert');
    if (path === PROFILE_PATH) return bytesResponse(profile, 'application/x-apple-aspen-config');
    const { status, headers, body } = bytesResponse(page, 'text/html; charset=utf-8');
    return { status, headers: { ...headers, 'content-security-policy': POLICY }, body };
  };
}

/** As people compare it: `AB:CD:…`. */
export function fingerprintForPeople(authority: string): string {
  return new X509Certificate(authority).fingerprint256;
}

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.05rem; margin: 2rem 0 .25rem; }
.fingerprint { font: 600 1rem/1.7 ui-monospace, monospace; overflow-wrap: anywhere; padding: .75rem 1rem; border: 2px solid; border-radius: .5rem; }
.download { display: inline-block; padding: .75rem 1.25rem; margin: .25rem .5rem .25rem 0; border: 1px solid; border-radius: .5rem; font-weight: 600; }
li { margin: .25rem 0; }
code { font-size: .95em; }
`;

const POLICY: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function pageOf(certificate: X509Certificate): string {
  const name = nameOf(certificate);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trust this robot</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Let this device trust the robot</h1>
<p>The robot proves who it is with an authority of its own, <strong>${name}</strong>. Once this device trusts it, pages of
the robot open over <code>https</code>: they work offline, can be installed, and may use camera and microphone.</p>
<p><strong>First compare.</strong> This page came over a network that nobody vouches for. The robot's agent printed this
fingerprint (SHA-256) where it was started. If the two differ, stop: somebody poses as the robot.</p>
<p class="fingerprint" id="fingerprint">${groups(certificate.fingerprint256)}</p>
<p><a class="download" href="${CERTIFICATE_PATH}">Certificate (.crt)</a>
<a class="download" href="${PROFILE_PATH}">Profile for iPhone and iPad</a></p>

<h2>iPhone, iPad</h2>
<ol>
<li>Open this page in Safari and tap <em>Profile for iPhone and iPad</em>, then <em>Allow</em>.</li>
<li><em>Settings → General → VPN &amp; Device Management</em>: tap the profile, compare the fingerprint under <em>More Details</em>, install it.</li>
<li><em>Settings → General → About → Certificate Trust Settings</em>: switch on full trust for ${name}.</li>
</ol>

<h2>Android</h2>
<ol>
<li>Download the certificate.</li>
<li><em>Settings → Security → More security settings → Encryption &amp; credentials → Install a certificate → CA certificate</em>; the names differ between makers: search the settings for “CA certificate”.</li>
<li>Choose the file. Chrome trusts it then; Firefox: see below.</li>
</ol>

<h2>Windows</h2>
<ol>
<li>Download the certificate, open it, <em>Install Certificate…</em>, for the current user.</li>
<li><em>Place all certificates in the following store → Trusted Root Certification Authorities</em>. (The thumbprint that Windows shows is of another kind, SHA-1.)</li>
</ol>

<h2>macOS</h2>
<ol>
<li>Download the certificate and open it: <em>Keychain Access</em> adds it to the login keychain.</li>
<li>Double-click ${name} there, compare the fingerprint, and under <em>Trust</em> choose <em>Always Trust</em>.</li>
</ol>

<h2>Linux</h2>
<p>For the system (Debian, Ubuntu): copy the file to <code>/usr/local/share/ca-certificates/</code> and run
<code>sudo update-ca-certificates</code>; Fedora: <code>sudo trust anchor qiway-authority.crt</code>. Browsers have lists of their own:</p>

<h2>Chrome, Chromium, Edge</h2>
<p>On Windows, macOS and Android they follow the system. On Linux: <em>Settings → Privacy and security → Security → Manage
certificates → Custom → Installed by you → Import</em> (<code>chrome://certificate-manager</code>).</p>

<h2>Firefox</h2>
<p>On Windows, macOS and Android it follows the system (on Android: <em>Settings → About Firefox</em>, tap the logo five times,
then <em>Secret Settings → Use third party CA certificates</em>). On Linux: <em>Settings → Privacy &amp; Security →
Certificates → View Certificates → Authorities → Import</em>, for web sites.</p>

<h2>What this device then believes</h2>
<p>The authority can vouch for web servers of local networks, of the name <code>.local</code> and of this robot's names, and
for nothing else on the Internet. Its key is kept on the robot alone. It ends ${certificate.validToDate.toISOString().slice(0, 10)};
remove it earlier where you installed it, when the robot is no longer yours.</p>
<p><a href="/">Open the robot's page</a></p>
</body>
</html>
`;
}

/** Its common name, fit for HTML. */
function nameOf({ subject }: X509Certificate): string {
  const name = /^CN=(.*)$/m.exec(subject)?.[1] ?? subject;
  return name.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Breaks where eyes can rest. */
function groups(fingerprint: string): string {
  return (fingerprint.match(/(?:..:?){1,8}/g) ?? []).join('<wbr>');
}
