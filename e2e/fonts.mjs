// Browsers with another system font: `system-ui` is wider on some systems than on others.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The environment of a browser with this system font (scripts/need installs them), and how to remove its folder. */
export async function withSystemFace(face) {
  const folder = await mkdtemp(join(tmpdir(), "reelshelf-fonts-"));
  const alias = (name) =>
    `<match target="pattern"><test name="family"><string>${name}</string></test>` +
    `<edit name="family" mode="assign" binding="strong"><string>${face}</string></edit></match>`;
  const otherwise = `<match target="pattern"><edit name="family" mode="append_last"><string>${face}</string></edit></match>`;
  const file = join(folder, "fonts.conf");
  await writeFile(
    file,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>/usr/share/fonts</dir>
    <cachedir>${folder}</cachedir>${["system-ui", "sans", "sans-serif"].map(alias).join("")}${otherwise}</fontconfig>`,
  );
  return { env: { ...process.env, FONTCONFIG_FILE: file }, remove: () => rm(folder, { recursive: true }) };
}
