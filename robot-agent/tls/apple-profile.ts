// A configuration profile that teaches iPhones, iPads and Macs to trust one authority.
// Format: Apple, "Configuration Profile Reference", payload com.apple.security.root. Pure.
import type { X509Certificate } from 'node:crypto';

/** The XML of a `.mobileconfig`; the same for the same certificate, so that a second one takes the place of the first. */
export function appleProfile(certificate: X509Certificate): Buffer {
  const digits = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  const name = escapeXml(/^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? 'Qiway robot');
  const der = (certificate.raw.toString('base64').match(/.{1,68}/g) ?? []).join('\n');
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadCertificateFileName</key>
      <string>qiway-authority.crt</string>
      <key>PayloadContent</key>
      <data>
${der}
      </data>
      <key>PayloadDisplayName</key>
      <string>${name}</string>
      <key>PayloadIdentifier</key>
      <string>qiway.authority.${digits.slice(0, 16)}.root</string>
      <key>PayloadType</key>
      <string>com.apple.security.root</string>
      <key>PayloadUUID</key>
      <string>${uuid(digits.slice(0, 32))}</string>
      <key>PayloadVersion</key>
      <integer>1</integer>
    </dict>
  </array>
  <key>PayloadDescription</key>
  <string>Lets this device trust the pages of the robot.</string>
  <key>PayloadDisplayName</key>
  <string>${name}</string>
  <key>PayloadIdentifier</key>
  <string>qiway.authority.${digits.slice(0, 16)}</string>
  <key>PayloadRemovalDisallowed</key>
  <false/>
  <key>PayloadType</key>
  <string>Configuration</string>
  <key>PayloadUUID</key>
  <string>${uuid(digits.slice(32))}</string>
  <key>PayloadVersion</key>
  <integer>1</integer>
</dict>
</plist>
`,
    'utf8',
  );
}

/** Of 32 hex digits, marked as made from a hash (RFC 9562, version 8). */
function uuid(digits: string): string {
  const parts = [digits.slice(0, 8), digits.slice(8, 12), `8${digits.slice(13, 16)}`, `a${digits.slice(17, 20)}`];
  return [...parts, digits.slice(20)].join('-').toUpperCase();
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
