interface Member {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * Makes an ar archive, the outer shell of .deb and .ipk files.
 *
 * @param members in order, with names of at most 15 ASCII characters.
 * @param epoch seconds since 1970.
 * @see ar(5), deb(5)
 */
export function ar(members: readonly Member[], epoch: number): Buffer {
  const parts = members.flatMap(({ name, content }) => {
    if (!/^[\w.-]{1,15}$/.test(name))
      throw new Error(`Cannot archive "${name}": this is not a name for an ar member`);
    const columns = [name.padEnd(16), `${epoch}`.padEnd(12), "0     ", "0     ", "100644  "];
    const header = `${columns.join("")}${`${content.length}`.padEnd(10)}\`\n`;
    const padding = content.length % 2 ? "\n" : "";
    return [Buffer.from(header), Buffer.from(content), Buffer.from(padding)];
  });
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}
